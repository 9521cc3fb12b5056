import { useCallback, useRef, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { classNames } from '../components/ui/class-names.ts'
import type { Message } from './chat.ts'
import { answerAgain, useMessage } from './conversations.ts'
import { ModelAnswer } from './model-answer.tsx'
import { useResend } from './use-resend.ts'
import { useNear } from './use-near.ts'
import { UserQuestion } from './user-question.tsx'

/** What can be done with a message depends on where it stands. */
export type Place = 'last-question' | 'last-answer' | 'earlier'

export interface MessageViewProps {
  id: string
  chatId: string
  model: string | undefined
  place: Place
  editing: boolean
  onEdit: (id: string | undefined) => void
  /** Rendered in full at once; else as plain text until the reader comes near. */
  eager: boolean
}

export function MessageView({ eager, ...props }: MessageViewProps): JSX.Element | undefined {
  const { id, place, editing } = props
  const message = useMessage(id)
  const frame = useRef<HTMLDivElement>(null)
  const near = useNear(frame, eager)
  if (!message) return undefined
  const earlier = place === 'earlier'
  return (
    <div
      ref={frame}
      className={classNames('message', earlier && 'message-earlier')}
      style={earlier ? { containIntrinsicBlockSize: `auto ${estimateHeight(message)}px` } : undefined}
    >
      {near || editing ? <FullMessage {...props} message={message} /> : <PlainMessage message={message} />}
    </div>
  )
}

type FullMessageProps = Omit<MessageViewProps, 'eager'> & { message: Message }

function FullMessage({ message, id, chatId, model, place, editing, onEdit }: FullMessageProps): JSX.Element {
  const resend = useResend(chatId, id, model)
  const onResend = useCallback(
    (text: string) => {
      onEdit(undefined)
      resend(text)
    },
    [onEdit, resend],
  )
  const onAgain = useCallback(() => model && answerAgain(chatId, id, model), [chatId, id, model])
  if (message.role === 'user') return <UserQuestion message={message} editing={editing} onEdit={onEdit} onResend={onResend} />
  return <ModelAnswer answer={message} onAgain={place === 'last-answer' ? onAgain : undefined} />
}

/** The words alone: cheap by the thousand, and found by the browser's own search. */
function PlainMessage({ message: { role, content } }: { message: Message }): JSX.Element {
  const { t } = useTranslation()
  return (
    <section className="flex flex-col">
      <h2 className="sr-only">{t(role === 'user' ? 'chat.you' : 'chat.answer')}</h2>
      <div className={role === 'user' ? 'question self-end' : 'markdown whitespace-pre-wrap'} dir="auto">
        {content}
      </div>
    </section>
  )
}

const CHARACTERS_PER_LINE = 80
const LINE_PX = 27
/** Buttons below, and space. */
const FRAME_PX = 60

/** px that a message not yet laid out will take, roughly: the scroll bar is about right from the beginning. */
function estimateHeight({ content }: Message): number {
  const lines = content.split('\n').reduce((sum, line) => sum + Math.max(0.6, Math.ceil(line.length / CHARACTERS_PER_LINE)), 0)
  return Math.round(lines * LINE_PX + FRAME_PX)
}
