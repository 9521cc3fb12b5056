/** One polite live region: says that an answer began or ended, never its words. */
import { useSyncExternalStore } from 'react'

export type Announcement = 'chat.announceStart' | 'chat.announceEnd' | 'chat.announceStopped' | 'chat.announceFailed'

let current: Announcement | undefined
const listeners = new Set<() => void>()

export function announce(text: Announcement): void {
  current = text
  for (const listener of listeners) listener()
}

export function useAnnouncement(): Announcement | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => current,
  )
}
