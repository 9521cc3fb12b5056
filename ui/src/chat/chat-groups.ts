import type { Chat } from './chat.ts'

export const CHAT_GROUPS = ['today', 'yesterday', 'week', 'older'] as const
export type ChatGroup = (typeof CHAT_GROUPS)[number]

const DAY_MS = 86_400_000

/** Chats by the reader's calendar days, each group in the order given; empty groups are left out. */
export function groupChats(chats: readonly Chat[], now: Date): { group: ChatGroup; chats: Chat[] }[] {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime()
  const groupOf = ({ updatedAt }: Chat): ChatGroup => {
    if (updatedAt >= midnight) return 'today'
    if (updatedAt >= midnight - DAY_MS) return 'yesterday'
    return updatedAt >= midnight - 7 * DAY_MS ? 'week' : 'older'
  }
  return CHAT_GROUPS.map((group) => ({ group, chats: chats.filter((chat) => groupOf(chat) === group) })).filter(
    ({ chats: some }) => some.length > 0,
  )
}
