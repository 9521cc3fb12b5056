import { describe, expect, it } from 'vitest'
import { createScriptedEngine } from '../../test/fakes/scripted-engine.ts'
import { bench, read, request, settle } from '../../test/fixtures/platform-bench.ts'
import { AppError, toWireError } from '../shared/errors.ts'
import type { GenerateEvent } from '../shared/generate.ts'
import type { Platform } from './platform.ts'

const codesOf = (events: readonly GenerateEvent[]): string[] =>
  events.map((event) => (event.type === 'error' ? event.error.code : event.type))
const statesOf = async (platform: Platform): Promise<Record<string, string>> =>
  Object.fromEntries((await platform.deployments.list()).map(({ model, state }) => [model, state]))

describe('deployments', () => {
  it('starts a model that a request names, telling the wait, and answers', async () => {
    const { platform, engineOf, clock } = bench({ a: 100 }, { startsAtOnce: false })
    const answer = read(platform.generate(request('a')))
    await settle()
    clock.advance(60_000)
    await settle()
    expect(answer.events).toEqual([{ type: 'loading', model: 'a' }])
    engineOf('a').finishStart()
    await settle()
    engineOf('a').finishOne()
    await answer.done
    expect(codesOf(answer.events)).toEqual(['loading', 'text-delta', 'choice-end', 'finish'])
  })

  it('tells no loading when the model is ready', async () => {
    const { platform, engineOf } = bench({ a: 100 })
    await platform.deployments.start({ model: 'a' })
    const answer = read(platform.generate(request('default')))
    await settle()
    engineOf('a').finishOne()
    await answer.done
    expect(codesOf(answer.events)[0]).toBe('text-delta')
  })

  it('throws model-not-found before the first event, naming what exists', async () => {
    const { platform } = bench({ a: 100, b: 100 })
    await expect(platform.generate(request('c'))[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'model-not-found',
      data: { available: 'a, b' },
    })
  })

  it('says of a prompt that is too long what the machine could give, not only what the engine could grow to', async () => {
    const tooLong = new AppError('prompt-too-long', { needed: 9000, window: 1024, possible: 1024 })
    const { platform } = bench(
      { a: 100 },
      {
        createEngine: () => createScriptedEngine({ script: () => [{ type: 'error', error: toWireError(tooLong) }] }),
        plan: async () => ({ fits: true, settings: {}, memory: { total: 1, available: 1 }, hostBytes: 1, largestContext: 8192 }),
      },
    )
    const answer = read(platform.generate(request('a')))
    await answer.done
    expect(answer.events.at(-1)).toMatchObject({
      type: 'error',
      error: { code: 'prompt-too-long', data: { needed: 9000, window: 1024, possible: 8192 } },
    })
  })

  it('shows the process that holds the model', async () => {
    const { platform } = bench({ a: 100 }, { createEngine: () => Object.assign(createScriptedEngine(), { pid: 4242 }) })
    expect(await platform.deployments.start({ model: 'a' })).toMatchObject({ state: 'ready', pid: 4242 })
  })

  it('makes one start of many requests that come together', async () => {
    const { platform, engines, engineOf } = bench({ a: 100 }, { startsAtOnce: false })
    const answers = [1, 2, 3].map(() => read(platform.generate(request('a'))))
    await settle()
    engineOf('a').finishStart()
    await settle()
    for (let turn = 0; turn < 3; turn += 1) engineOf('a').finishOne()
    await Promise.all(answers.map((answer) => answer.done))
    expect(engines).toHaveLength(1)
    expect(answers.map((answer) => codesOf(answer.events).at(-1))).toEqual(['finish', 'finish', 'finish'])
  })

  it('stops the least recently used idle model, and only it, to make room', async () => {
    const { platform, clock } = bench({ a: 400, b: 400, c: 300 })
    for (const model of ['a', 'b']) {
      await platform.deployments.start({ model })
      clock.advance(1)
    }
    await platform.tokenize('a', { type: 'text', text: '' })
    await platform.deployments.start({ model: 'c' })
    expect(await statesOf(platform)).toEqual({ a: 'ready', c: 'ready' })
  })

  it('stops a pinned model only when no other is left to stop', async () => {
    const { platform, clock } = bench({ pinned: 400, b: 400, c: 300, d: 900 })
    await platform.deployments.start({ model: 'pinned', keepAlive: -1 })
    clock.advance(1)
    await platform.deployments.start({ model: 'b' })
    await platform.deployments.start({ model: 'c' })
    expect(await statesOf(platform)).toEqual({ pinned: 'ready', c: 'ready' })
    await platform.deployments.start({ model: 'd' })
    expect(await statesOf(platform)).toEqual({ d: 'ready' })
  })

  it('waits for a busy model rather than stop it', async () => {
    const { platform, engineOf } = bench({ a: 700, b: 700 })
    const first = read(platform.generate(request('a')))
    await settle()
    const second = read(platform.generate(request('b')))
    await settle()
    expect(await statesOf(platform)).toEqual({ a: 'ready', b: 'starting' })
    engineOf('a').finishOne()
    await first.done
    await settle()
    expect(await statesOf(platform)).toEqual({ b: 'ready' })
    engineOf('b').finishOne()
    await second.done
    expect(engineOf('a').runningAtStop).toBe(0)
    expect(codesOf(second.events).at(-1)).toBe('finish')
  })

  it('gives up the wait for room when its only request is aborted, and shows no failure', async () => {
    const { platform } = bench({ a: 700, b: 700 })
    void read(platform.generate(request('a')))
    await settle()
    const abort = new AbortController()
    const second = read(platform.generate(request('b'), abort.signal))
    await settle()
    abort.abort()
    await second.done
    await settle()
    expect(codesOf(second.events)).toEqual(['loading', 'cancelled'])
    expect(await statesOf(platform)).toEqual({ a: 'ready' })
  })

  it('refuses what an empty machine could not hold, and stops nothing for it', async () => {
    const { platform } = bench({ a: 700, big: 1001 })
    await platform.deployments.start({ model: 'a' })
    await expect(platform.deployments.start({ model: 'big' })).rejects.toMatchObject({ code: 'not-enough-memory' })
    expect(await statesOf(platform)).toEqual({ a: 'ready', big: 'failed' })
  })

  it('stops a model that was idle for its keep-alive, and starts it again on demand', async () => {
    const { platform, clock, engines } = bench({ a: 100 }, { keepAlive: 60 })
    await platform.tokenize('a', { type: 'text', text: '' })
    clock.advance(59_000)
    await settle()
    expect(await statesOf(platform)).toEqual({ a: 'ready' })
    clock.advance(1000)
    await settle()
    expect(await statesOf(platform)).toEqual({})
    await platform.tokenize('a', { type: 'text', text: '' })
    expect(engines).toHaveLength(2)
  })

  it('keeps a busy model beyond its keep-alive', async () => {
    const { platform, clock, engineOf } = bench({ a: 100 }, { keepAlive: 60 })
    const answer = read(platform.generate(request('a', { keepAlive: 1 })))
    await settle()
    clock.advance(100_000)
    await settle()
    engineOf('a').finishOne()
    await answer.done
    expect(codesOf(answer.events).at(-1)).toBe('finish')
    clock.advance(1000)
    await settle()
    expect(await statesOf(platform)).toEqual({})
  })

  it('never unloads a pinned model for being idle, whatever a request says', async () => {
    const { platform, clock, engineOf } = bench({ a: 100 })
    await platform.deployments.start({ model: 'a', keepAlive: -1 })
    const answer = read(platform.generate(request('a', { keepAlive: 0 })))
    await settle()
    engineOf('a').finishOne()
    await answer.done
    clock.advance(1e9)
    await settle()
    expect(await statesOf(platform)).toEqual({ a: 'ready' })
  })

  it('refuses a request when too many wait', async () => {
    const { platform } = bench({ a: 100 }, { maxWaiting: 1 })
    await platform.deployments.start({ model: 'a' })
    for (let users = 0; users < 3; users += 1) void read(platform.generate(request('a')))
    await settle()
    const refused = read(platform.generate(request('a')))
    await refused.done
    expect(codesOf(refused.events)).toEqual(['queue-full'])
  })

  it('makes a failed start one error for each who waited, and tries again for the next', async () => {
    const { platform, engineOf } = bench({ a: 100 }, { startsAtOnce: false })
    const answers = [1, 2].map(() => read(platform.generate(request('a'))))
    await settle()
    engineOf('a').failStart(new AppError('engine-start-failed', { model: 'a', reason: 'test', log: '' }))
    await Promise.all(answers.map((answer) => answer.done))
    expect(answers.map((answer) => codesOf(answer.events))).toEqual([
      ['loading', 'engine-start-failed'],
      ['loading', 'engine-start-failed'],
    ])
    const next = read(platform.generate(request('a')))
    await settle()
    engineOf('a').finishStart()
    await settle()
    engineOf('a').finishOne()
    await next.done
    expect(codesOf(next.events).at(-1)).toBe('finish')
  })

  it('lets new requests wait while a crashed engine comes back', async () => {
    const { platform, engineOf } = bench({ a: 100 })
    const hit = read(platform.generate(request('a')))
    await settle()
    engineOf('a').crash()
    await hit.done
    expect(codesOf(hit.events).at(-1)).toBe('engine-crashed')
    const next = read(platform.generate(request('a')))
    await settle()
    expect(await statesOf(platform)).toEqual({ a: 'starting' })
    engineOf('a').recover()
    await settle()
    engineOf('a').finishOne()
    await next.done
    expect(codesOf(next.events).at(-1)).toBe('finish')
  })

  it('stops the engine and frees the place when the reader leaves in mid-stream', async () => {
    const { platform, engineOf } = bench({ a: 100 }, { maxWaiting: 0 })
    await platform.deployments.start({ model: 'a' })
    const events = platform.generate(request('a'))[Symbol.asyncIterator]()
    const first = events.next()
    await settle()
    const [running] = engineOf('a').requests
    running?.queue.push({ type: 'text-delta', choice: 0, text: 'x' })
    await first
    await events.return?.()
    await settle()
    expect(engineOf('a').requests.size).toBe(0)
    await expect(platform.deployments.stop('a')).resolves.toMatchObject({ state: 'stopped' })
  })

  it('ends what runs with shutting-down when it is closed, and refuses what comes after', async () => {
    const { platform } = bench({ a: 100 })
    const running = read(platform.generate(request('a')))
    await settle()
    await platform.close(0)
    await running.done
    expect(codesOf(running.events).at(-1)).toBe('shutting-down')
    const late = read(platform.generate(request('a')))
    await late.done
    expect(codesOf(late.events).at(-1)).toBe('shutting-down')
  })

  it('removes a model that rests and refuses one in use', async () => {
    const { platform } = bench({ a: 100, b: 100 })
    await platform.deployments.start({ model: 'a' })
    await expect(platform.models.remove('a')).rejects.toMatchObject({ code: 'model-in-use' })
    await platform.deployments.stop('a')
    await platform.models.remove('a')
    await platform.models.remove('b')
    await expect(platform.models.show('a')).rejects.toMatchObject({ code: 'model-not-found' })
  })

  it('restarts a model that is asked for with another context', async () => {
    const { platform, engines } = bench({ a: 100 })
    await platform.deployments.start({ model: 'a', context: 512 })
    await platform.deployments.start({ model: 'a' })
    expect(engines).toHaveLength(1)
    await platform.deployments.start({ model: 'a', context: 1024 })
    expect(engines).toHaveLength(2)
    expect(engines[0]?.engine.state).toBe('stopped')
  })
})
