import { memo, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { CopyButton } from '../components/copy-button.tsx'
import { IconButton } from '../components/ui/button.tsx'
import { PencilIcon } from '../components/ui/icons.tsx'
import type { UserMessage } from './chat.ts'
import { QuestionEditor } from './question-editor.tsx'

export interface UserQuestionProps {
  message: UserMessage
  editing: boolean
  /** Begins to edit the question of this id, or ends with nothing changed. */
  onEdit: (id: string | undefined) => void
  onResend: (text: string) => void
}

export const UserQuestion = memo(function UserQuestion({ message, editing, onEdit, onResend }: UserQuestionProps): JSX.Element {
  const { t } = useTranslation()
  if (editing) return <QuestionEditor text={message.content} onCancel={() => onEdit(undefined)} onResend={onResend} />
  return (
    <section className="group flex flex-col items-end">
      <h2 className="sr-only">{t('chat.you')}</h2>
      <div className="question" dir="auto">
        {message.content}
      </div>
      <div className="reveal mt-1 flex">
        <CopyButton text={message.content} label={t('common.copy')} />
        <IconButton label={t('chat.edit')} size="small" onClick={() => onEdit(message.id)}>
          <PencilIcon />
        </IconButton>
      </div>
    </section>
  )
})
