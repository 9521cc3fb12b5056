import { expect, test } from 'vitest'
import { answer, createScriptedEngine, finish } from '../../test/fakes/scripted-engine.ts'
import { deferred } from '../base/async.ts'
import { AppError } from '../shared/errors.ts'
import type { GenerateEvent, GenerateRequest } from '../shared/generate.ts'
import { collectAnswer } from './collect-answer.ts'
import { mergeGenerations } from './merge-generations.ts'

const request = (text: string, choices = 1): GenerateRequest => ({
  id: text,
  model: 'scripted',
  prompt: { type: 'text', text },
  sampling: {},
  stop: [],
  ignoreEos: false,
  choices,
  deterministic: false,
  reasoning: 'text',
})

const neverGone = new AbortController().signal

test('choices are renumbered, usage is the sum, and the end comes once', async () => {
  const engine = createScriptedEngine({ script: ({ id, choices }) => answer(id, { choices }) })
  const opens = ['a', 'b c'].map((text) => (signal: AbortSignal) => engine.generate(request(text, 2), signal))
  const merged = await collectAnswer(mergeGenerations(opens, 2, neverGone), 4)
  expect(merged.choices.map(({ text }) => text)).toEqual(['a', 'a', 'b c', 'b c'])
  expect(merged.usage).toEqual({ promptTokens: 24, cachedTokens: 8, completionTokens: 6, reasoningTokens: 0 })
  expect(merged.timings.queuedMs).toBe(1)
  expect(engine.live).toBe(0)
})

test('they run at the same time', async () => {
  const gate = deferred<void>()
  const engine = createScriptedEngine({ script: ({ id }) => (id === 'slow' ? [gate.promise, ...answer('slow')] : answer('fast')) })
  const opens = ['slow', 'fast'].map((text) => (signal: AbortSignal) => engine.generate(request(text), signal))
  const events: GenerateEvent[] = []
  for await (const event of mergeGenerations(opens, 1, neverGone)) {
    events.push(event)
    if (event.type === 'choice-end' && event.choice === 1) gate.resolve()
  }
  expect(events[0]).toEqual({ type: 'text-delta', choice: 1, text: 'fast' })
  expect(events.at(-1)?.type).toBe('finish')
})

test('the first error ends all of them', async () => {
  const error = { code: 'queue-full', data: { waiting: 9 }, message: '' }
  const engine = createScriptedEngine({
    script: ({ id }) => (id === 'bad' ? [{ type: 'error', error }] : [new Promise(() => {}), finish()]),
  })
  const opens = ['good', 'bad'].map((text) => (signal: AbortSignal) => engine.generate(request(text), signal))
  await expect(collectAnswer(mergeGenerations(opens, 1, neverGone), 2)).rejects.toMatchObject({ code: 'queue-full' })
  await expect.poll(() => engine.live).toBe(0)
})

test('one that cannot begin ends all of them with what it threw', async () => {
  const engine = createScriptedEngine({ script: () => [new Promise(() => {})] })
  // oxlint-disable-next-line require-yield
  const missing = async function* (): AsyncGenerator<GenerateEvent> {
    throw new AppError('model-not-found', { model: 'x', available: '' })
  }
  const opens = [(signal: AbortSignal) => engine.generate(request('a'), signal), missing]
  await expect(collectAnswer(mergeGenerations(opens, 1, neverGone), 2)).rejects.toMatchObject({ code: 'model-not-found' })
  await expect.poll(() => engine.live).toBe(0)
})

test('leaving the loop ends all of them', async () => {
  const engine = createScriptedEngine({ script: () => [{ type: 'text-delta', choice: 0, text: 'a' }, new Promise(() => {})] })
  const opens = ['a', 'b'].map((text) => (signal: AbortSignal) => engine.generate(request(text), signal))
  for await (const event of mergeGenerations(opens, 1, neverGone)) if (event.type === 'text-delta' && event.choice === 1) break
  await expect.poll(() => engine.live).toBe(0)
})
