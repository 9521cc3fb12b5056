import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { showToast } from '../components/ui/toast.tsx'
import { askInstead, takeBack } from './conversations.ts'

/** Asks an edited question in the place of the old one. What is lost by that, beyond the old answer, can be taken back. */
export function useResend(chatId: string, questionId: string, model: string | undefined): (text: string) => void {
  const { t } = useTranslation()
  return useCallback(
    (text) => {
      const before = model === undefined ? undefined : askInstead(chatId, questionId, text, model)
      if (!before || before.chat.messageIds.indexOf(questionId) >= before.chat.messageIds.length - 2) return
      showToast({ text: t('chat.replaced'), action: { label: t('common.undo'), run: () => takeBack(before) } })
    },
    [chatId, questionId, model, t],
  )
}
