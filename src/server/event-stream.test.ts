import { describe, expect, test } from 'vitest'
import { deferred } from '../base/async.ts'
import { AppError } from '../shared/errors.ts'
import { openEventStream, streamHeaders, type StreamSource } from './event-stream.ts'

interface Word {
  text: string
  last?: boolean
  waiting?: boolean
  error?: boolean
}

const TIMING = { hold: 60_000, keepAlive: 60_000 }

function sourceOf(open: StreamSource<Word>['open']): StreamSource<Word> {
  return {
    open,
    merge: (pending, word) => {
      const earlier = pending.pop()
      pending.push(earlier ? { ...word, text: earlier.text + word.text } : word)
    },
    isWaiting: (word) => word.waiting === true,
    errorOf: (word) => (word.error ? { code: 'queue-full', data: { waiting: 9 }, message: '' } : undefined),
    isLast: (word) => word.last === true,
    encode: (word) => word.text,
    encodeError: (error) => `[${error.code}]`,
    encodeEnd: () => '[end]',
  }
}

const neverGone = (): AbortSignal => new AbortController().signal

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text()
}

describe('an event stream', () => {
  test('gives each event and the end', async () => {
    const source = sourceOf(async function* () {
      yield { text: 'a' }
      yield { text: 'b', last: true }
    })
    expect(await readAll(await openEventStream(source, { timing: TIMING, clientGone: neverGone() }))).toBe('ab[end]')
  })

  test('of lines of JSON has no comments, however long it is silent', async () => {
    const gate = deferred<void>()
    const source = sourceOf(async function* () {
      yield { text: '{"a":1}\n' }
      await gate.promise
      yield { text: '{"b":2}\n', last: true }
    })
    const timing = { hold: 1, keepAlive: 1 }
    const open = async (framing: 'sse' | 'ndjson'): Promise<ReadableStream<Uint8Array>> =>
      openEventStream({ ...source, framing, encodeEnd: () => '' }, { timing, clientGone: neverGone() })
    const lines = readAll(await open('ndjson'))
    const events = (await open('sse')).getReader()
    const texts: string[] = []
    // When the later of the two has broken its silence, the earlier one has had its time to.
    while (!texts.includes(': keep-alive\n\n')) texts.push(Buffer.from((await events.read()).value ?? []).toString())
    gate.resolve()
    expect(await lines).toBe('{"a":1}\n{"b":2}\n')
    await events.cancel()
    const [old, now] = ['1.0', '1.1'].map((httpVersion) => ({ env: { incoming: { httpVersion } } }))
    expect(streamHeaders(now ?? { env: {} }, 'ndjson')).toMatchObject({
      'content-type': 'application/x-ndjson',
      'transfer-encoding': 'chunked',
    })
    expect(streamHeaders(old ?? { env: {} })['content-type']).toBe('text/event-stream; charset=utf-8')
    expect(streamHeaders(old ?? { env: {} })).not.toHaveProperty('transfer-encoding')
  })

  test('throws what the source throws before its first event', async () => {
    // oxlint-disable-next-line require-yield
    const source = sourceOf(async function* () {
      throw new AppError('model-not-found', { model: 'x', available: '' })
    })
    await expect(openEventStream(source, { timing: TIMING, clientGone: neverGone() })).rejects.toMatchObject({ code: 'model-not-found' })
  })

  test('throws an error that comes first, also behind events that only tell of waiting', async () => {
    const source = sourceOf(async function* () {
      yield { text: 'w', waiting: true }
      yield { text: 'e', error: true }
    })
    await expect(openEventStream(source, { timing: TIMING, clientGone: neverGone() })).rejects.toMatchObject({ code: 'queue-full' })
  })

  test('tells of a source that breaks or just stops as an error at the end', async () => {
    const failures: unknown[] = []
    const broken = sourceOf(async function* () {
      yield { text: 'a' }
      throw new Error('wires cut')
    })
    const stopped = sourceOf(async function* () {
      yield { text: 'a' }
    })
    for (const source of [broken, stopped]) {
      const options = { timing: TIMING, clientGone: neverGone(), onFailure: (error: unknown) => failures.push(error) }
      expect(await readAll(await openEventStream(source, options))).toBe('a[internal]')
    }
    expect(failures.map(String)).toEqual([
      'Error: wires cut',
      'AppError: Something went wrong inside bendi: the answer ended without a finish',
    ])
  })

  test('merges what comes while nobody reads, instead of keeping every event', async () => {
    const gate = deferred<void>()
    const source = sourceOf(async function* () {
      for (let index = 0; index < 10_000; index++) yield { text: '.' }
      gate.resolve()
      yield { text: '!', last: true }
    })
    const stream = await openEventStream(source, { timing: TIMING, clientGone: neverGone() })
    await gate.promise
    const reader = stream.getReader()
    const first = await reader.read()
    expect(first.value?.length).toBeGreaterThanOrEqual(10_000)
    await reader.cancel()
  })

  test('returns the source when the client has gone, whatever the source is waiting for', async () => {
    const returned = deferred<string>()
    const gone = new AbortController()
    const source = sourceOf(async function* (signal) {
      try {
        yield { text: 'a' }
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        yield { text: 'b' }
      } finally {
        returned.resolve('returned')
      }
    })
    await openEventStream(source, { timing: TIMING, clientGone: gone.signal })
    gone.abort()
    expect(await returned.promise).toBe('returned')
  })

  test('a client that leaves in the middle is no failure of ours, though the source then ends without a last event', async () => {
    const failures: unknown[] = []
    const left = deferred<void>()
    const gone = new AbortController()
    const source = sourceOf(async function* (signal) {
      yield { text: 'a' }
      signal.addEventListener('abort', () => left.resolve())
      await left.promise
    })
    const stream = await openEventStream(source, { timing: TIMING, clientGone: gone.signal, onFailure: (error) => failures.push(error) })
    const reader = stream.getReader()
    await reader.read()
    const waiting = reader.read()
    gone.abort()
    await reader.cancel()
    await waiting
    expect(failures).toEqual([])
  })

  test('a client that has gone before the first event is no failure of ours', async () => {
    const gone = new AbortController()
    const source = sourceOf(async function* (signal) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      yield { text: 'late' }
    })
    const stream = openEventStream(source, { timing: TIMING, clientGone: gone.signal })
    gone.abort()
    await expect(stream).rejects.toMatchObject({ code: 'cancelled' })
  })
})
