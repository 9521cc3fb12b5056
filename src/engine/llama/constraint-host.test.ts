import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, expect, it } from 'vitest'
import { createMatcherChannel, serveMatchers } from './constraint-host.ts'
import type { Matcher } from './constraint-rule.ts'
import { startSourceThread } from './source-thread.ts'
import { byteLevel } from './token-vocabulary.ts'

/** Every byte is a token; the last ends the text. */
const TEXTS = [...Array.from({ length: 256 }, (_, byte) => byteLevel(Buffer.from([byte]))), '']
const VOCABULARY = { texts: TEXTS, stopTokens: [256] }
const SCHEMA = {
  type: 'object',
  properties: { 'a "quoted" name': { type: 'integer' } },
  required: ['a "quoted" name'],
  additionalProperties: false,
}
const ANSWER = '{"a \\"quoted\\" name":12345}'

const threads: Worker[] = []
afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.terminate()))
})

function start(thread: Worker): Worker {
  threads.push(thread)
  return thread
}

function isAllowed(matcher: Matcher, token: number): boolean {
  let is = false
  matcher.useAllowed((words) => (is = (((words[token >> 5] ?? 0) >>> (token & 31)) & 1) === 1))
  return is
}

it('takes each question once and waits for its answer, also when both sides are woken for nothing', async () => {
  const thread = start(startSourceThread('constraint-thread', { workerData: VOCABULARY }))
  await once(thread, 'message')
  const channel = createMatcherChannel(TEXTS.length, 20_000, () => void thread.terminate())
  thread.postMessage({ type: 'add', id: 0, root: { type: 'json-schema', schema: SCHEMA }, shared: channel.shared })
  expect(await once(thread, 'message')).toMatchObject([{ type: 'compiled' }])
  const noise = 'const control = new Int32Array(require("node:worker_threads").workerData, 0, 8); for (;;) Atomics.notify(control, 0)'
  start(new Worker(noise, { eval: true, workerData: channel.shared }))
  for (let round = 0; round < 60; round++) {
    const matcher = channel.open(0)
    for (const token of Buffer.from(ANSWER)) {
      expect(isAllowed(matcher, token)).toBe(true)
      expect(matcher.accept(token)).toBe(true)
    }
    expect(isAllowed(matcher, 256)).toBe(true)
    matcher.close()
  }
  expect(channel.hasEnded).toBe(false)
})

it('ends a thread that does not answer in time', () => {
  let ends = 0
  const channel = createMatcherChannel(TEXTS.length, 30, () => ends++)
  expect(() => channel.open(0)).toThrow('it needs more than 30 ms for one token')
  expect([channel.hasEnded, ends]).toEqual([true, 1])
  expect(() => channel.open(0)).toThrow('the thread of its constraint has ended')
})

it('leaves when it is told to', async () => {
  const channel = createMatcherChannel(TEXTS.length, 20_000, () => {})
  const control = new Int32Array(channel.shared, 0, 8)
  const asker =
    'const control = new Int32Array(require("node:worker_threads").workerData, 0, 8); control[1] = 6; Atomics.store(control, 0, 1); Atomics.notify(control, 0)'
  start(new Worker(asker, { eval: true, workerData: channel.shared }))
  serveMatchers(new Map(), new Map(), channel.shared)
  expect([control[0], control[4]]).toEqual([0, 1])
})
