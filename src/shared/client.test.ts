import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answer } from '../../test/fakes/scripted-engine.ts'
import { createScriptedServer, type ScriptedServerOptions } from '../../test/fakes/scripted-server.ts'
import { deferred } from '../base/async.ts'
import { createClient, createEventStreamParser, type ChatItem, type Client } from './client.ts'
import { AppError } from './errors.ts'
import { formatWaiting, parseWaiting, type Waiting } from './openai.ts'

function clientOf(options: ScriptedServerOptions = {}): Client & { live: () => number } {
  const { app, engine } = createScriptedServer(options)
  const fetch = (async (url: string, init: RequestInit) => app.request(url, init)) as typeof globalThis.fetch
  return { ...createClient({ fetch, language: () => 'zh' }), live: () => engine.live }
}

const CHAT = { model: 'scripted', messages: [{ role: 'user' as const, content: 'Hi' }] }

describe('the client', () => {
  test('calls what the table names, with and without parameters', async () => {
    const client = clientOf()
    expect((await client.call('status')).name).toBe('bendi')
    expect((await client.call('showModel', { params: { model: 'hf:org/other' } })).name).toBe('hf:org/other')
    expect((await client.call('startDeployment', { body: { model: 'hf:org/other' } })).state).toBe('ready')
    expect((await client.modelNames()).data.map(({ id }) => id)).toEqual(['scripted', 'hf:org/other'])
  })

  test("throws the server's own error, with its data", async () => {
    const call = clientOf().call('showModel', { params: { model: 'nothing' } })
    await expect(call).rejects.toBeInstanceOf(AppError)
    await expect(call).rejects.toMatchObject({ code: 'model-not-found', data: { model: 'nothing' } })
  })

  test('watches a pull to its end', async () => {
    const client = clientOf()
    const { id } = await client.call('startPull', { body: { reference: 'hf:org/repo' } })
    const states: string[] = []
    for await (const pull of client.events('watchPull', { params: { id } })) states.push(pull.state)
    expect(states.at(-1)).toBe('done')
  })

  test('streams a chat: why it waits, then the chunks', async () => {
    const gate = deferred<void>()
    const client = clientOf({
      timing: { hold: 1, keepAlive: 10_000 },
      script: () => [{ type: 'queued', position: 2 }, gate.promise, ...answer('one two')],
    })
    const items: ChatItem[] = []
    for await (const item of client.streamChat(CHAT)) {
      items.push(item)
      gate.resolve()
    }
    expect(items[0]).toEqual({ type: 'waiting', waiting: { type: 'queued', position: 2 } })
    const chunks = items.flatMap((item) => (item.type === 'chunk' ? [item.chunk] : []))
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('one two')
    expect(chunks.at(-1)).toMatchObject({ usage: { completion_tokens: 2 }, timings: { predicted_n: 2 } })
  })

  test('throws an error that comes in mid-stream, and one that comes before', async () => {
    const error = { code: 'engine-crashed', data: { model: 'scripted', reason: 'SIGKILL' }, message: '' }
    for (const before of [[], [{ type: 'text-delta' as const, choice: 0, text: 'a' }]]) {
      const client = clientOf({ script: () => [...before, { type: 'error', error }] })
      const read = async (): Promise<void> => {
        for await (const item of client.streamChat(CHAT)) expect(item.type).toBe('chunk')
      }
      await expect(read()).rejects.toMatchObject({ code: 'engine-crashed', data: { reason: 'SIGKILL' } })
    }
  })

  test('leaving the loop ends the generation', async () => {
    const client = clientOf({ script: () => [{ type: 'text-delta', choice: 0, text: 'a' }, new Promise(() => {})] })
    for await (const item of client.streamChat(CHAT)) if (item.type === 'chunk') break
    await expect.poll(() => client.live()).toBe(0)
  })

  test('says so when no server answers, and when one hangs up early', async () => {
    const dead = createClient({ fetch: async () => Promise.reject(new TypeError('fetch failed')) })
    await expect(dead.call('status')).rejects.toMatchObject({ code: 'server-unreachable' })
    const cut = createClient({ fetch: async () => new Response(': queued 1\n\n') })
    const read = async (): Promise<void> => {
      for await (const item of cut.streamChat(CHAT)) expect(item.type).toBe('waiting')
    }
    await expect(read()).rejects.toMatchObject({ code: 'connection-lost' })
    const broken = new ReadableStream({ pull: (controller) => controller.error(new TypeError('terminated')) })
    const lost = createClient({ fetch: async () => new Response(broken) })
    const events = lost.events('watchPull', { params: { id: 'a' } })
    const next = events[Symbol.asyncIterator]().next()
    await expect(next).rejects.toMatchObject({ code: 'connection-lost' })
  })
})

describe('the event stream parser', () => {
  const STREAM = ': queued 1\n\nevent: x\r\ndata: a\r\ndata:b\r\n\r\ndata: {"t":"é🎉"}\r\rid: 7\ndata:  two\n\n: bye\n'

  test('reads fields, comments and all three line ends', () => {
    expect(createEventStreamParser().push(STREAM)).toEqual([
      { comment: 'queued 1' },
      { event: 'x', data: 'a\nb' },
      { data: '{"t":"é🎉"}' },
      { data: ' two' },
      { comment: 'bye' },
    ])
  })

  test('gives the same for every split of the text', () => {
    const whole = createEventStreamParser().push(STREAM)
    fc.assert(
      fc.property(fc.array(fc.nat(STREAM.length), { maxLength: 8 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), STREAM.length]
        const parser = createEventStreamParser()
        const pieces = places.slice(1).map((end, index) => STREAM.slice(places[index], end))
        expect(pieces.flatMap((piece) => parser.push(piece))).toEqual(whole)
      }),
    )
  })
})

test('what a waiting client is told can be read back', () => {
  const waiting: fc.Arbitrary<Waiting> = fc.oneof(
    fc.record({ type: fc.constant('queued' as const), position: fc.nat() }),
    fc.record({ type: fc.constant('prefill' as const), done: fc.nat(), total: fc.nat() }),
    fc.record({
      type: fc.constant('loading' as const),
      model: fc.constantFrom('deepseek-r1:1.5b', 'file:/my models/a 40%.gguf', 'hf:org/repo:Q4_K_M'),
      fraction: fc.nat(100).map((percent) => percent / 100),
    }),
  )
  fc.assert(
    fc.property(waiting, (value) => {
      expect(parseWaiting(formatWaiting(value))).toEqual(value)
    }),
  )
  expect(parseWaiting('loading deepseek-r1:1.5b')).toEqual({ type: 'loading', model: 'deepseek-r1:1.5b' })
  expect(parseWaiting('keep-alive')).toBeUndefined()
})
