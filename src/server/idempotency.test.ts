import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { answer, type Script } from '../../test/fakes/scripted-engine.ts'
import { createScriptedServer } from '../../test/fakes/scripted-server.ts'
import { deferred } from '../base/async.ts'
import { errorReply } from './error-reply.ts'
import { idempotency, type IdempotencyLimits } from './idempotency.ts'

const PATH = '/v1/chat/completions'
const CHAT = { model: 'scripted', messages: [{ role: 'user', content: 'Hi' }] }
const KEY = { 'idempotency-key': 'key-1' }

describe('a request that is sent again with its key', () => {
  test('gets the same reply, and the work is done once', async () => {
    const { post, engine } = createScriptedServer({ script: () => answer('Hello') })
    const first = await post(PATH, { ...CHAT, mirostat: 1 }, KEY)
    const again = await post(PATH, { ...CHAT, mirostat: 1 }, KEY)
    expect(await again.json()).toEqual(await first.json())
    expect([first.headers.get('idempotent-replayed'), again.headers.get('idempotent-replayed')]).toEqual([null, 'true'])
    expect(again.headers.get('x-bendi-ignored')).toBe('mirostat')
    expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'))
    expect(engine.requests).toHaveLength(1)
  })

  test('waits while the first is under way', async () => {
    const gate = deferred<void>()
    const { post, engine } = createScriptedServer({ script: () => [gate.promise, ...answer('Hello')] })
    const replies = [post(PATH, CHAT, KEY), post(PATH, CHAT, KEY), post(PATH, CHAT, KEY)]
    await expect.poll(() => engine.live).toBe(1)
    gate.resolve()
    const bodies = await Promise.all((await Promise.all(replies)).map((response) => response.text()))
    expect(new Set(bodies).size).toBe(1)
    expect(engine.requests).toHaveLength(1)
  })

  test('and another body is refused; another key or path is another request', async () => {
    const { post, engine } = createScriptedServer()
    await post(PATH, CHAT, KEY)
    const other = await post(PATH, { ...CHAT, seed: 1 }, KEY)
    expect(other.status).toBe(422)
    expect(await other.json()).toMatchObject({ error: { code: 'idempotency_key_reused', param: null } })
    expect((await post(PATH, { ...CHAT, seed: 1 }, { 'idempotency-key': 'key-2' })).status).toBe(200)
    expect((await post('/v1/completions', { model: 'scripted', prompt: 'a' }, KEY)).status).toBe(200)
    expect(engine.requests).toHaveLength(3)
  })

  test('is tried anew when the first failed, also by those who waited', async () => {
    const gate = deferred<void>()
    let runs = 0
    const error = { code: 'engine-crashed', data: { model: 'm', reason: 'r' }, message: '' }
    const script: Script = () => (runs++ === 0 ? [gate.promise, { type: 'error', error }] : answer('Hello'))
    const { post, engine } = createScriptedServer({ script })
    const replies = [post(PATH, CHAT, KEY), post(PATH, CHAT, KEY)]
    await expect.poll(() => engine.live).toBe(1)
    gate.resolve()
    expect((await Promise.all(replies)).map(({ status }) => status)).toEqual([500, 200])
  })

  test('streams each time when it streams', async () => {
    const { post, engine } = createScriptedServer()
    for (let turn = 0; turn < 2; turn++) {
      const response = await post(PATH, { ...CHAT, stream: true }, KEY)
      expect(await response.text()).toContain('[DONE]')
    }
    expect(engine.requests).toHaveLength(2)
  })

  test('leaves the line when its client goes', async () => {
    const { app, post, engine } = createScriptedServer({ script: () => [new Promise(() => {})] })
    void post(PATH, CHAT, KEY)
    await expect.poll(() => engine.live).toBe(1)
    const controller = new AbortController()
    const init = { method: 'POST', body: JSON.stringify(CHAT), headers: { 'content-type': 'application/json', ...KEY } }
    const waiting = app.request(PATH, { ...init, signal: controller.signal })
    controller.abort()
    expect((await waiting).status).toBe(499)
    expect(engine.requests).toHaveLength(1)
  })

  test('with a key that is none is told so', async () => {
    const { post } = createScriptedServer()
    for (const key of ['', 'x'.repeat(256)]) {
      const response = await post(PATH, CHAT, { 'idempotency-key': key })
      expect([response.status, ((await response.json()) as { error: { param: string } }).error.param]).toEqual([400, 'Idempotency-Key'])
    }
  })
})

describe('what is kept is bounded', () => {
  function counter(limits: Partial<IdempotencyLimits>, clock = { now: 0 }): { ask(key: string): Promise<string>; clock: { now: number } } {
    let runs = 0
    const app = new Hono()
      .use(idempotency({ bodyLimit: 1000, now: () => clock.now, limits }))
      .post('/', (c) => c.json({ run: ++runs, filler: 'x'.repeat(100) }))
      .onError((error, c) => errorReply(c, error))
    const ask = async (key: string): Promise<string> => {
      const headers = { 'idempotency-key': key, 'content-type': 'application/json' }
      return String(((await (await app.request('/', { method: 'POST', body: '{}', headers })).json()) as { run: number }).run)
    }
    return { ask, clock }
  }

  test('in time', async () => {
    const { ask, clock } = counter({ keptFor: 100 })
    expect([await ask('a'), await ask('a')]).toEqual(['1', '1'])
    clock.now = 100
    expect(await ask('a')).toBe('2')
  })

  test('in number, the oldest first', async () => {
    const { ask } = counter({ entries: 2 })
    expect([await ask('a'), await ask('b'), await ask('c')]).toEqual(['1', '2', '3'])
    expect([await ask('c'), await ask('b'), await ask('a')]).toEqual(['3', '2', '4'])
  })

  test('in bytes', async () => {
    const { ask } = counter({ bytes: 300 })
    expect([await ask('a'), await ask('b'), await ask('c'), await ask('c'), await ask('a')]).toEqual(['1', '2', '3', '3', '4'])
    const tiny = counter({ bytes: 50 })
    expect([await tiny.ask('a'), await tiny.ask('a')]).toEqual(['1', '2'])
  })
})
