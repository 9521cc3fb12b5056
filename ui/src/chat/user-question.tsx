import { memo, useState, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { CopyButton } from '../components/copy-button.tsx'
import { Button, IconButton } from '../components/ui/button.tsx'
import { PencilIcon } from '../components/ui/icons.tsx'
import type { UserMessage } from './chat.ts'
import { isComposing } from './composition.ts'

export interface UserQuestionProps {
  message: UserMessage
  /** Absent where the question cannot be changed. */
  onResend?: ((text: string) => void) | undefined
}

export const UserQuestion = memo(function UserQuestion({ message, onResend }: UserQuestionProps): JSX.Element {
  const { t } = useTranslation()
  const [editing, setEditing] = useState(false)
  if (editing && onResend) {
    return (
      <QuestionEditor
        text={message.content}
        onCancel={() => setEditing(false)}
        onResend={(text) => {
          setEditing(false)
          onResend(text)
        }}
      />
    )
  }
  return (
    <section className="group flex flex-col items-end">
      <h2 className="sr-only">{t('chat.you')}</h2>
      <div className="question">{message.content}</div>
      <div className="reveal mt-1 flex">
        <CopyButton text={message.content} label={t('common.copy')} />
        {onResend && (
          <IconButton label={t('chat.edit')} size="small" onClick={() => setEditing(true)}>
            <PencilIcon />
          </IconButton>
        )}
      </div>
    </section>
  )
})

interface QuestionEditorProps {
  text: string
  onCancel: () => void
  onResend: (text: string) => void
}

function QuestionEditor({ text, onCancel, onResend }: QuestionEditorProps): JSX.Element {
  const { t } = useTranslation()
  const [draft, setDraft] = useState(text)
  const send = (): void => {
    if (draft.trim()) onResend(draft.trim())
  }
  return (
    <form
      className="ml-auto flex w-full flex-col gap-2 rounded-3xl border border-line bg-card p-3 shadow-card"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <textarea
        value={draft}
        autoFocus
        aria-label={t('chat.editLabel')}
        className="field-sizing-content max-h-[50dvh] min-h-20 resize-none bg-transparent px-2 py-1 text-base outline-none"
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onCancel()
          if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return
          event.preventDefault()
          send()
        }}
      />
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>{t('common.cancel')}</Button>
        <Button type="submit" look="primary" disabled={!draft.trim()}>
          {t('chat.resend')}
        </Button>
      </div>
    </form>
  )
}
