import { expect, it } from 'vitest'
import { bench, read, request, settle } from '../../test/fixtures/platform-bench.ts'
import { deferred } from '../base/async.ts'
import type { Model } from '../shared/api.ts'
import type { GenerateEvent } from '../shared/generate.ts'

const typesOf = (events: readonly GenerateEvent[]): string[] =>
  events.map((event) => (event.type === 'error' ? event.error.code : event.type))

it('lets a request for "default" wait while the first model is being chosen and downloaded', async () => {
  const { platform, engineOf } = bench({ a: 100, b: 100 })
  const first = deferred<Model>()
  platform.expectDefault(first.promise)
  const answer = read(platform.generate(request('default')))
  await settle()
  expect(answer.events).toEqual([{ type: 'loading', model: 'default' }])
  expect(await platform.resolveName('default')).toBe('default')
  first.resolve(await platform.models.show('b'))
  await settle()
  engineOf('b').finishOne()
  await answer.done
  expect(typesOf(answer.events)).toEqual(['loading', 'loading', 'text-delta', 'choice-end', 'finish'])
  expect(await platform.resolveName('default')).toBe('b')
})

it('does not keep other requests waiting for it', async () => {
  const { platform, engineOf } = bench({ a: 100 })
  platform.expectDefault(deferred<Model>().promise)
  const answer = read(platform.generate(request('a')))
  await settle()
  engineOf('a').finishOne()
  await answer.done
  expect(typesOf(answer.events).at(-1)).toBe('finish')
})

it('falls back to the library when the first model does not come, and to model-not-found when that is empty', async () => {
  for (const [models, end] of [
    [{ a: 100 }, 'finish'],
    [{}, 'model-not-found'],
  ] as const) {
    const { platform, engines } = bench(models)
    const first = deferred<Model>()
    platform.expectDefault(first.promise)
    const answer = read(platform.generate(request('default')))
    await settle()
    first.reject(new Error('no source answers'))
    await settle()
    engines[0]?.engine.finishOne()
    await answer.done
    expect(typesOf(answer.events).at(-1)).toBe(end)
    expect(answer.failure).toBeUndefined()
  }
})

it('lets go of a client that leaves while it waits', async () => {
  const { platform } = bench({ a: 100 })
  platform.expectDefault(deferred<Model>().promise)
  const gone = new AbortController()
  const answer = read(platform.generate(request('default'), gone.signal))
  await settle()
  gone.abort()
  await answer.done
  expect(typesOf(answer.events)).toEqual(['loading', 'cancelled'])
})

it('names what "default" is: the first deployment, else the library’s first, else nothing but itself', async () => {
  const { platform } = bench({ a: 100, b: 100 })
  expect(await platform.resolveName('default')).toBe('a')
  await platform.deployments.start({ model: 'b' })
  expect(await platform.resolveName('default')).toBe('b')
  expect(await platform.resolveName('hf:org/x')).toBe('hf:org/x')
  expect(await bench({}).platform.resolveName('default')).toBe('default')
})
