/** What is written but not sent, for each chat; survives a closed page. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { readText, writeText } from '../store/browser-storage.ts'

const PREFIX = 'bendi.draft.'
const MAX_CHARACTERS = 1_000_000
const SAVE_DELAY_MS = 300

/** `chatId` is undefined for the chat that has not begun. */
export function useDraft(chatId: string | undefined): [draft: string, setDraft: (text: string) => void] {
  const key = PREFIX + (chatId ?? 'new')
  const [draft, setDraft] = useState(() => readText(key) ?? '')
  // What is kept must be the newest, not the last rendered: sending empties the draft and removes the component at once.
  const latest = useRef(draft)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const change = useCallback(
    (text: string) => {
      latest.current = text
      setDraft(text)
      clearTimeout(timer.current)
      timer.current = setTimeout(() => writeText(key, text.slice(0, MAX_CHARACTERS)), SAVE_DELAY_MS)
    },
    [key],
  )
  useEffect(() => {
    const save = (): void => {
      clearTimeout(timer.current)
      writeText(key, latest.current.slice(0, MAX_CHARACTERS))
    }
    addEventListener('pagehide', save)
    return () => {
      removeEventListener('pagehide', save)
      save()
    }
  }, [key])
  return [draft, change]
}
