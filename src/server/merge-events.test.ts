import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { GenerateEvent } from '../shared/generate.ts'
import { mergeEvent } from './merge-events.ts'

const choice = fc.integer({ min: 0, max: 2 })
const anyEvent: fc.Arbitrary<GenerateEvent> = fc.oneof(
  fc.record({ type: fc.constant('text-delta' as const), choice, text: fc.string({ maxLength: 3 }) }),
  fc.record({ type: fc.constant('reasoning-delta' as const), choice, text: fc.string({ maxLength: 3 }) }),
  fc.record({ type: fc.constant('tool-call-delta' as const), choice, call: fc.constant(0), arguments: fc.string({ maxLength: 3 }) }),
  fc.record({ type: fc.constant('choice-end' as const), choice, reason: fc.constant('stop' as const) }),
  fc.record({ type: fc.constant('queued' as const), position: fc.nat() }),
  fc.record({ type: fc.constant('prefill' as const), done: fc.nat(), total: fc.nat() }),
)

/** What a client would have read of one choice: kinds in their order, with the text of neighbours of the same kind joined. */
function storyOf(events: readonly GenerateEvent[], of: number): string[] {
  const story: string[] = []
  let kind = ''
  for (const event of events) {
    if (!('choice' in event) || event.choice !== of) continue
    const text = 'text' in event ? event.text : JSON.stringify(event)
    if (event.type === kind && 'text' in event) story.push((story.pop() ?? '') + text)
    else story.push(`${event.type}:${text}`)
    kind = event.type
  }
  return story
}

function merged(events: readonly GenerateEvent[]): GenerateEvent[] {
  const pending: GenerateEvent[] = []
  for (const event of events) mergeEvent(pending, event)
  return pending
}

test('a slow reader is told the same of each choice, in the same order', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
      const pending = merged(events)
      for (const of of [0, 1, 2]) expect(storyOf(pending, of)).toEqual(storyOf(events, of))
    }),
  )
})

test('a thousand words that nobody has read yet are one event a choice', () => {
  const events = Array.from({ length: 1000 }, (_, index): GenerateEvent => ({ type: 'text-delta', choice: index % 2, text: `${index} ` }))
  expect(merged(events)).toHaveLength(2)
})

test('of the news about the waiting only the last is kept, and none once the answer has begun', () => {
  const waiting: GenerateEvent[] = [
    { type: 'queued', position: 2 },
    { type: 'loading', model: 'm', fraction: 0.1 },
    { type: 'prefill', done: 1, total: 9 },
  ]
  expect(merged(waiting)).toEqual([waiting[2]])
  expect(merged([...waiting, { type: 'text-delta', choice: 0, text: 'a' }])).toEqual([{ type: 'text-delta', choice: 0, text: 'a' }])
})

test('log-probabilities are joined with their text, and the events of the source are left alone', () => {
  const logprob = { token: 'a', bytes: [97], logprob: -1, top: [] }
  const first: GenerateEvent = { type: 'text-delta', choice: 0, text: 'a', logprobs: [logprob] }
  const second: GenerateEvent = { type: 'text-delta', choice: 0, text: 'b', logprobs: [logprob] }
  expect(merged([first, second])).toEqual([{ type: 'text-delta', choice: 0, text: 'ab', logprobs: [logprob, logprob] }])
  expect(first).toEqual({ type: 'text-delta', choice: 0, text: 'a', logprobs: [logprob] })
})
