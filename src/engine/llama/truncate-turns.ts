/** Which of a conversation's oldest turns go so that the rest fits. Pure but for the counting. */
import type { Message } from '../../shared/generate.ts'

export interface Truncated {
  messages: Message[]
  droppedMessages: number
  droppedTokens: number
}

/**
 * Drops whole turns, the oldest first: a question with all that followed it until the next, so that tool results never lose their calls.
 * System messages and the last turn stay. `count` gives the tokens of a conversation as the model would read it.
 * Undefined when it fits as it is. When even the shortest is too long, that one is returned.
 */
export async function truncateTurns(
  messages: readonly Message[],
  limit: number,
  count: (messages: Message[]) => Promise<number>,
): Promise<Truncated | undefined> {
  const before = await count([...messages])
  const turns = turnsOf(messages)
  if (before <= limit || turns.length < 2) return undefined
  // The fewest turns to drop: a longer conversation never has fewer tokens.
  let [low, high] = [1, turns.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((await count(without(messages, turns, middle))) <= limit) high = middle
    else low = middle + 1
  }
  const kept = without(messages, turns, low)
  return { messages: kept, droppedMessages: messages.length - kept.length, droppedTokens: before - (await count(kept)) }
}

/** Each turn's messages; what comes before the first question belongs to the first turn. */
function turnsOf(messages: readonly Message[]): Message[][] {
  const turns: Message[][] = []
  for (const message of messages) {
    if (isSystem(message)) continue
    const last = turns.at(-1)
    const begins = message.role === 'user' && last?.at(-1)?.role !== 'user'
    if (!last || (begins && last.some((each) => each.role === 'user'))) turns.push([message])
    else last.push(message)
  }
  return turns
}

function without(messages: readonly Message[], turns: readonly Message[][], dropped: number): Message[] {
  const gone = new Set(turns.slice(0, dropped).flat())
  return messages.filter((message) => !gone.has(message))
}

function isSystem({ role }: Message): boolean {
  return role === 'system' || role === 'developer'
}
