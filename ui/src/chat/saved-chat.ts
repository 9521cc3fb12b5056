/** Reads a chat that was kept as text. It may be from another version or have been changed by hand: what cannot be shown is left out. */
import { ANSWER_STATES, isAnswering, type Chat, type Message } from './chat.ts'
import type { SavedChat } from './chat-store.ts'

/** Undefined for text that is no chat. */
export function readSavedChat(text: string | null): SavedChat | undefined {
  const saved = parse(text)
  if (!isRecord(saved) || !isChat(saved['chat']) || !Array.isArray(saved['messages'])) return undefined
  const messages = saved['messages'].filter((message) => isMessage(message)).map((message) => settle(message))
  const known = new Set(messages.map(({ id }) => id))
  return { chat: { ...saved['chat'], messageIds: saved['chat'].messageIds.filter((id) => known.has(id)) }, messages }
}

/** An answer that was running when the page closed cannot go on. */
function settle(message: Message): Message {
  if (message.role === 'user' || !isAnswering(message)) return message
  const { waiting: _, requestId: __, ...rest } = message
  return { ...rest, state: 'interrupted' }
}

function isChat(value: unknown): value is Chat {
  if (!isRecord(value) || !isRecord(value['settings'])) return false
  const { id, title, settings, createdAt, updatedAt, messageIds } = value
  return (
    [id, title, settings['system']].every((text) => typeof text === 'string') &&
    [createdAt, updatedAt].every((time) => Number.isFinite(time)) &&
    Array.isArray(messageIds)
  )
}

function isMessage(value: unknown): value is Message {
  if (!isRecord(value) || typeof value['id'] !== 'string' || typeof value['content'] !== 'string') return false
  if (value['role'] === 'user') return true
  const { role, thoughts, model, state } = value
  return role === 'assistant' && typeof thoughts === 'string' && typeof model === 'string' && ANSWER_STATES.some((each) => each === state)
}

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
