import { useState, type JSX, type KeyboardEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { Button } from '../components/ui/button.tsx'
import { trimLines } from './chat.ts'
import { isComposing } from './composition.ts'

export interface QuestionEditorProps {
  text: string
  onCancel: () => void
  onResend: (text: string) => void
}

/** A question that was sent, changed in its place. Enter sends it again, Escape leaves it as it was. */
export function QuestionEditor({ text, onCancel, onResend }: QuestionEditorProps): JSX.Element {
  const { t } = useTranslation()
  const [draft, setDraft] = useState(text)
  const send = (): void => {
    if (draft.trim()) onResend(trimLines(draft))
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isComposing(event)) return
    const isSend = event.key === 'Enter' && !event.shiftKey
    if (!isSend && event.key !== 'Escape') return
    event.preventDefault()
    if (isSend) send()
    else onCancel()
  }
  return (
    <form
      className="editor ml-auto flex w-full flex-col gap-2 rounded-3xl border border-line bg-card p-3 shadow-card transition-colors"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <textarea
        ref={focusEnd}
        value={draft}
        dir="auto"
        aria-label={t('chat.editLabel')}
        className="field-sizing-content max-h-[50dvh] min-h-20 resize-none bg-transparent px-2 py-1 text-base outline-none"
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={onKeyDown}
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

function focusEnd(area: HTMLTextAreaElement | null): void {
  area?.focus()
  area?.setSelectionRange(area.value.length, area.value.length)
}
