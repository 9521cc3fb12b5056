import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Message } from '../../shared/generate.ts'
import { truncateTurns } from './truncate-turns.ts'

const message = fc.record({
  role: fc.constantFrom<Message['role']>('system', 'user', 'assistant', 'tool', 'developer'),
  content: fc.string({ minLength: 1, maxLength: 30 }),
})

const count = async (messages: readonly Message[]): Promise<number> => messages.reduce((sum, { content }) => sum + content.length + 3, 0)

test('what is left is the newest part in whole turns, with every system message, and as long as it may be', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 20 }), fc.nat({ max: 400 }), async (messages, limit) => {
      const result = await truncateTurns(messages, limit, count)
      if (!result) return
      const { messages: kept, droppedMessages, droppedTokens } = result
      expect(droppedMessages).toBe(messages.length - kept.length)
      expect(droppedTokens).toBe((await count(messages)) - (await count(kept)))
      const isSystem = ({ role }: Message): boolean => role === 'system' || role === 'developer'
      expect(kept.filter(isSystem)).toEqual(messages.filter(isSystem))
      const rest = kept.filter((each) => !isSystem(each))
      expect(rest).toEqual(messages.filter((each) => !isSystem(each)).slice(-rest.length))
      expect(rest[0]?.role).toBe('user')
      expect(rest).toContain(messages.findLast(({ role }) => role === 'user'))
    }),
  )
})

test('tool results stay with the question that led to them', async () => {
  const messages: Message[] = [
    { role: 'system', content: 'be kind' },
    { role: 'user', content: 'a'.repeat(50) },
    { role: 'assistant', content: 'call' },
    { role: 'tool', content: 'result' },
    { role: 'user', content: 'b' },
    { role: 'assistant', content: 'c' },
    { role: 'user', content: 'd' },
  ]
  const result = await truncateTurns(messages, 60, count)
  expect(result?.messages.map(({ content }) => content)).toEqual(['be kind', 'b', 'c', 'd'])
  expect(result?.droppedMessages).toBe(3)
})

test('a conversation that fits, or has only one turn, stays as it is', async () => {
  expect(await truncateTurns([{ role: 'user', content: 'x' }], 100, count)).toBeUndefined()
  expect(await truncateTurns([{ role: 'user', content: 'x'.repeat(200) }], 100, count)).toBeUndefined()
})

test('a long conversation is rendered only a few times', async () => {
  let calls = 0
  const messages = Array.from({ length: 1000 }, (_, index): Message => ({ role: index % 2 ? 'assistant' : 'user', content: 'x' }))
  await truncateTurns(messages, 100, (rest) => ((calls += 1), count(rest)))
  expect(calls).toBeLessThan(15)
})
