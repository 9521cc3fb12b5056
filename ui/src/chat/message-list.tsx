import { useCallback, useEffect, useLayoutEffect, useRef, useState, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { Button, IconButton } from '../components/ui/button.tsx'
import { DownIcon } from '../components/ui/icons.tsx'
import type { Chat } from './chat.ts'
import { answerAgain, askInstead, useMessage } from './conversations.ts'
import { ModelAnswer } from './model-answer.tsx'
import { useStickToBottom } from './use-stick-to-bottom.ts'
import { UserQuestion } from './user-question.tsx'

/** Messages that are rendered at first, and how many more on each wish: a chat of thousands opens at once, and Ctrl-F still works. */
const PAGE = 40

export function MessageList({ chat, model }: { chat: Chat; model: string | undefined }): JSX.Element {
  const { t } = useTranslation()
  const { scroller, content, atEnd, toEnd } = useStickToBottom()
  const { shown, showEarlier } = useEarlier(scroller)
  const ids = chat.messageIds
  const last = ids.at(-1)
  useEffect(toEnd, [last, toEnd])
  return (
    <div className="relative min-h-0 flex-1">
      <div ref={scroller} className="scroller h-full overflow-y-auto" tabIndex={0} role="region" aria-label={chat.title}>
        <div ref={content} className="mx-auto flex w-full max-w-[46rem] flex-col gap-4 px-4 pt-4 pb-10 md:px-6">
          {ids.length > shown && (
            <Button className="self-center" onClick={showEarlier}>
              {t('chat.earlier')}
            </Button>
          )}
          {ids.slice(-shown).map((id) => (
            <MessageView key={id} id={id} chatId={chat.id} model={model} place={placeOf(ids, id)} />
          ))}
        </div>
      </div>
      {!atEnd && (
        <IconButton
          label={t('chat.latest')}
          look="plain"
          className="absolute bottom-3 left-1/2 -translate-x-1/2 rounded-full! shadow-float"
          onClick={toEnd}
        >
          <DownIcon />
        </IconButton>
      )}
    </div>
  )
}

type Place = 'last-question' | 'last-answer' | 'other'

function placeOf(ids: readonly string[], id: string): Place {
  const fromEnd = ids.length - ids.indexOf(id)
  if (fromEnd === 1) return 'last-answer'
  return fromEnd === 2 ? 'last-question' : 'other'
}

interface MessageViewProps {
  id: string
  chatId: string
  model: string | undefined
  place: Place
}

function MessageView({ id, chatId, model, place }: MessageViewProps): JSX.Element | undefined {
  const message = useMessage(id)
  const onResend = useCallback((text: string) => model && askInstead(chatId, id, text, model), [chatId, id, model])
  const onAgain = useCallback(() => model && answerAgain(chatId, id, model), [chatId, id, model])
  if (!message) return undefined
  if (message.role === 'user') return <UserQuestion message={message} onResend={place === 'last-question' ? onResend : undefined} />
  return <ModelAnswer answer={message} onAgain={place === 'last-answer' ? onAgain : undefined} />
}

/** Earlier messages appear above without moving what is being read. */
function useEarlier(scroller: React.RefObject<HTMLDivElement | null>): { shown: number; showEarlier: () => void } {
  const [shown, setShown] = useState(PAGE)
  const fromEnd = useRef<number>(undefined)
  useLayoutEffect(() => {
    const element = scroller.current
    if (element && fromEnd.current !== undefined) element.scrollTo({ top: element.scrollHeight - fromEnd.current })
    fromEnd.current = undefined
  })
  const showEarlier = (): void => {
    const element = scroller.current
    fromEnd.current = element ? element.scrollHeight - element.scrollTop : undefined
    setShown((before) => before + PAGE)
  }
  return { shown, showEarlier }
}
