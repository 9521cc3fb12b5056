import { describe, expect, it } from 'vitest'
import { deferred } from '../base/async.ts'
import type { Deferred } from '../base/async.ts'
import type { Model, Pull } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import { Pulls } from './pulls.ts'
import type { PullProgress } from './pulls.ts'

const model: Model = {
  name: 'm',
  reference: 'm',
  title: 'm',
  architecture: 'test',
  quantization: 'Q4',
  parameters: 1,
  bytes: 10,
  trainedContext: 1,
  source: 'test',
  files: [],
  addedAt: 0,
}

interface Source {
  reference: string
  signal: AbortSignal
  progress(progress: PullProgress): void
  end: Deferred<Model>
  limitRate: number | undefined
}

function make(offline = false): { pulls: Pulls; sources: Source[] } {
  const sources: Source[] = []
  let id = 0
  const pulls = new Pulls({
    parse: (text) => ({ text: text.trim(), needsNetwork: !text.startsWith('file:') }),
    pull: (reference, { signal, onProgress, limitRate }) => {
      const end = deferred<Model>()
      signal.addEventListener('abort', () => end.reject(signal.reason))
      sources.push({ reference, signal, progress: onProgress, end, limitRate })
      return end.promise
    },
    offline,
    createId: () => String((id += 1)),
  })
  return { pulls, sources }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function collect(pulls: Pulls, id: string): Promise<Pull[]> {
  const seen: Pull[] = []
  for await (const pull of pulls.watch(id)) seen.push(pull)
  return seen
}

describe('pulls', () => {
  it('tell every watcher each state, and the late one how it ended', async () => {
    const { pulls, sources } = make()
    const { id } = pulls.start('m')
    const watchers = [collect(pulls, id), collect(pulls, id)]
    await settle()
    sources[0]?.progress({ state: 'downloading', doneBytes: 5, totalBytes: 10, bytesPerSecond: 1 })
    await settle()
    sources[0]?.end.resolve(model)
    for (const seen of await Promise.all(watchers)) expect(seen.map(({ state }) => state)).toEqual(['waiting', 'downloading', 'done'])
    expect(await collect(pulls, id)).toMatchObject([{ state: 'done', model: { name: 'm' }, doneBytes: 10 }])
  })

  it('join one of the same reference, and start anew when it is over', async () => {
    const { pulls, sources } = make()
    const first = pulls.start('m')
    await settle()
    expect(pulls.start(' m ').id).toBe(first.id)
    sources[0]?.end.resolve(model)
    await collect(pulls, first.id)
    expect(pulls.start('m').id).not.toBe(first.id)
  })

  it('that are cancelled end so, and the next of the same reference waits until their files are closed', async () => {
    const { pulls, sources } = make()
    const { id } = pulls.start('m')
    await settle()
    expect(pulls.cancel(id).state).toBe('cancelled')
    expect(sources[0]?.signal.aborted).toBe(true)
    pulls.start('m')
    expect(sources).toHaveLength(1)
    await settle()
    expect(sources).toHaveLength(2)
    expect((await collect(pulls, id)).at(-1)?.state).toBe('cancelled')
  })

  it('that are paused keep their watchers, and go on where they were when resumed', async () => {
    const { pulls, sources } = make()
    const { id } = pulls.start('m', { include: ['*.gguf'] })
    const watching = collect(pulls, id)
    await settle()
    expect(pulls.pause(id).state).toBe('paused')
    expect(sources[0]?.signal.aborted).toBe(true)
    sources[0]?.progress({ state: 'downloading', doneBytes: 9 })
    await settle()
    expect(pulls.list()[0]?.state).toBe('paused')
    expect(pulls.resume(id).state).toBe('waiting')
    await settle()
    expect(sources).toHaveLength(2)
    sources[1]?.end.resolve(model)
    const states = (await watching).map(({ state }) => state)
    expect(states).toContain('paused')
    expect(states.at(-1)).toBe('done')
  })

  it('keep to the limit that was asked for, and to a new one when they are asked for again', async () => {
    const { pulls, sources } = make()
    const { id } = pulls.start('m', { limitRate: 1000 })
    await settle()
    pulls.pause(id)
    pulls.start('m', { limitRate: 5000 })
    await settle()
    pulls.pause(id)
    pulls.start('m')
    await settle()
    expect(sources.map(({ limitRate }) => limitRate)).toEqual([1000, 5000, 5000])
    await pulls.close()
  })

  it('tell which quantisation was chosen until the end', async () => {
    const { pulls, sources } = make()
    const { id } = pulls.start('m')
    await settle()
    const choice = { en: 'Q4_K_M fits', zh: 'Q4_K_M 放得下' }
    sources[0]?.progress({ choice })
    sources[0]?.progress({ state: 'downloading', doneBytes: 3 })
    sources[0]?.end.resolve(model)
    expect((await collect(pulls, id)).at(-1)).toMatchObject({ state: 'done', choice })
  })

  it('that are joined by somebody who names a speed go on at that speed', async () => {
    const { pulls, sources } = make()
    const { id } = pulls.start('m')
    await settle()
    expect(pulls.start('m').id).toBe(id)
    expect(pulls.start('m', { limitRate: 2000 })).toMatchObject({ id, state: 'waiting' })
    pulls.start('m', { limitRate: 2000 })
    await settle()
    await settle()
    expect(sources.map(({ limitRate }) => limitRate)).toEqual([undefined, 2000])
    sources[1]?.end.resolve(model)
    expect((await collect(pulls, id)).at(-1)?.state).toBe('done')
  })

  it('that are asked for again while paused go on', async () => {
    const { pulls, sources } = make()
    const { id } = pulls.start('m')
    await settle()
    pulls.pause(id)
    expect(pulls.start('m').id).toBe(id)
    await settle()
    expect(sources).toHaveLength(2)
  })

  it('that fail tell why', async () => {
    const { pulls, sources } = make()
    const { id } = pulls.start('m')
    await settle()
    sources[0]?.end.reject(new AppError('disk-full', { path: '/', free: '1 B', needed: '2 B' }))
    expect((await collect(pulls, id)).at(-1)).toMatchObject({ state: 'failed', error: { code: 'disk-full' } })
  })

  it('are refused offline, except of a file', () => {
    const { pulls } = make(true)
    expect(() => pulls.start('m')).toThrowError(expect.objectContaining({ code: 'offline' }))
    expect(pulls.start('file:/x.gguf').state).toBe('waiting')
  })

  it('stop telling a watcher that leaves', async () => {
    const { pulls } = make()
    const { id } = pulls.start('m')
    const abort = new AbortController()
    const seen: string[] = []
    const watching = (async () => {
      for await (const pull of pulls.watch(id, abort.signal)) seen.push(pull.state)
    })()
    await settle()
    abort.abort()
    await watching
    expect(seen).toEqual(['waiting'])
  })

  it('do not know an id that never was', async () => {
    const { pulls } = make()
    expect(() => pulls.cancel('9')).toThrowError(expect.objectContaining({ code: 'not-found' }))
    await expect(pulls.watch('9').next()).rejects.toMatchObject({ code: 'not-found' })
  })
})
