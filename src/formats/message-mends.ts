/** Conversations put into the shape that a strict template takes. Each step changes the least that the one before it left wrong. */
import type { Message } from '../shared/generate.ts'
import { spellOutCalls } from './generic-tools.ts'
import { mergeSystemMessage, moveSystemMessage } from './template-messages.ts'

export interface MendedMessages {
  messages: readonly Message[]
  /** What was done, for the log; undefined for the messages as they came. */
  note?: string
}

/** In the order to try. Steps that change nothing are left out. */
export function* mendedMessages(given: readonly Message[]): Generator<MendedMessages> {
  yield { messages: given }
  const [system] = given
  if (system?.role === 'system') {
    const first = mergeSystemMessage(given)
    if (first) yield { messages: first, note: 'the system message was put in front of the first user message' }
    const last = moveSystemMessage(given)
    if (last) yield { messages: last, note: 'the system message was put in front of the last user message' }
  }
  const later = laterSystemsAsUser(given)
  if (later !== given) yield { messages: later, note: 'later system messages became messages of the user' }
  const spelled = later.some(({ role, toolCalls }) => role === 'tool' || toolCalls?.length) ? spellOutCalls(later) : later
  if (spelled !== later) yield { messages: spelled, note: 'calls and their results were written as text' }
  // With the calls first: a template that knows them may still want roles that alternate.
  for (const messages of new Set([later, spelled])) {
    const alternating = alternatingTurns(messages)
    yield { messages: alternating, note: 'neighbouring messages of one role were joined' }
    const merged = mergeSystemMessage(alternating)
    if (merged) yield { messages: merged, note: 'neighbouring messages of one role were joined, and the system message with them' }
  }
}

/** Whether the text still says what the system, the user and the tools said, and which tools were called. */
export function keepsWhatWasSaid(text: string, messages: readonly Message[]): boolean {
  return messages.every(({ role, content, toolCalls = [] }) =>
    role === 'assistant' ? toolCalls.every(({ name }) => text.includes(name)) : text.includes(content.trim()),
  )
}

/** gpt-oss's template shows one call a message: several become one message each, with its result behind it. */
export function oneCallEach(messages: readonly Message[]): Message[] {
  const result: Message[] = []
  const placed = new Set<Message>()
  for (const message of messages) {
    if (placed.has(message)) continue
    const { toolCalls = [] } = message
    if (toolCalls.length < 2) {
      result.push(message)
      continue
    }
    toolCalls.forEach((call, index) => {
      result.push(index === 0 ? { ...message, toolCalls: [call] } : { role: 'assistant', content: '', toolCalls: [call] })
      const answer = messages.find((other) => other.role === 'tool' && other.toolCallId === call.id && !placed.has(other))
      if (!answer) return
      placed.add(answer)
      result.push(answer)
    })
  }
  return result
}

function laterSystemsAsUser(messages: readonly Message[]): readonly Message[] {
  if (!messages.some(({ role }, index) => role === 'system' && index > 0)) return messages
  const asUser = messages.map((message, index): Message =>
    message.role === 'system' && index > 0 ? { ...message, role: 'user' } : message,
  )
  return joined(asUser, ({ role }, next) => role === 'user' && next.role === 'user')
}

/** Neighbours of one role are one message, an answer without anything is none, and the user speaks first. */
function alternatingTurns(messages: readonly Message[]): Message[] {
  const said = messages.filter(({ role, content, toolCalls }, index) => {
    return role !== 'assistant' || content !== '' || toolCalls?.length || index === messages.length - 1
  })
  const isPlain = ({ role, toolCalls }: Message): boolean => role === 'user' || (role === 'assistant' && !toolCalls?.length)
  const turns = joined(said, (message, next) => isPlain(message) && isPlain(next) && message.role === next.role)
  const first = turns.findIndex(({ role }) => role !== 'system')
  return turns[first]?.role === 'assistant' ? turns.toSpliced(first, 0, { role: 'user', content: '…' }) : turns
}

function joined(messages: readonly Message[], belong: (message: Message, next: Message) => boolean): Message[] {
  const result: Message[] = []
  for (const message of messages) {
    const last = result.at(-1)
    if (!last || !belong(last, message)) result.push(message)
    else result[result.length - 1] = { ...last, content: [last.content, message.content].filter((text) => text !== '').join('\n\n') }
  }
  return result
}
