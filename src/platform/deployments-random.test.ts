import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ManualEngine } from '../../test/fakes/manual-engine.ts'
import { bench, read, request, settle } from '../../test/fixtures/platform-bench.ts'
import { AppError } from '../shared/errors.ts'

describe('random schedules of starts, stops, requests, aborts and crashes', () => {
  const names = ['a', 'b', 'c'] as const
  const sizes = { a: 400, b: 600, c: 700 }
  const model = fc.constantFrom(...names)
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('request' as const), model }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('finish' as const), model }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), index: fc.nat(20) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('started' as const), model }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('start-fails' as const), model }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), model }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('recover' as const), model }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('give-up' as const), model }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('stop' as const), model }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('time' as const), ms: fc.nat(400_000) }) },
  )

  it('end every request exactly once, never unload a busy model, and keep within the memory', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { platform, clock, engines, engineOf } = bench(sizes, { startsAtOnce: false })
        const answers: { result: ReturnType<typeof read>; abort: AbortController }[] = []
        const stopped = new Set<ManualEngine>()
        const stops: Promise<unknown>[] = []
        const engine = (name: string): ManualEngine | undefined =>
          engines.some((entry) => entry.model === name) ? engineOf(name) : undefined
        for (const action of steps) {
          switch (action.do) {
            case 'request': {
              const abort = new AbortController()
              answers.push({ abort, result: read(platform.generate(request(action.model), abort.signal)) })
              break
            }
            case 'abort':
              answers[action.index]?.abort.abort()
              break
            case 'stop': {
              const running = engine(action.model)
              if (running) stopped.add(running)
              stops.push(platform.deployments.stop(action.model).catch(() => {}))
              break
            }
            case 'time':
              clock.advance(action.ms)
              break
            case 'finish':
              engine(action.model)?.finishOne()
              break
            case 'started':
              if (engine(action.model)?.state === 'starting' && !engine(action.model)?.info) engine(action.model)?.finishStart()
              break
            case 'start-fails':
              if (!engine(action.model)?.info)
                engine(action.model)?.failStart(new AppError('engine-start-failed', { model: action.model, reason: '', log: '' }))
              break
            case 'crash':
              engine(action.model)?.crash()
              break
            case 'recover':
              engine(action.model)?.recover()
              break
            case 'give-up':
              engine(action.model)?.giveUp()
              break
          }
          await settle()
          const alive = engines.filter((entry) => ['starting', 'ready', 'draining'].includes(entry.engine.state))
          expect(alive.reduce((sum, entry) => sum + sizes[entry.model as keyof typeof sizes], 0)).toBeLessThanOrEqual(1000)
        }
        for (const entry of engines) if (entry.engine.runningAtStop) expect(stopped.has(entry.engine)).toBe(true)
        await platform.close(0)
        await Promise.all([...stops, ...answers.map(({ result }) => result.done)])
        for (const { result } of answers) {
          const ends = result.events.filter(({ type }) => type === 'finish' || type === 'error')
          expect(result.failure).toBeUndefined()
          expect(ends).toHaveLength(1)
          expect(result.events.at(-1)).toBe(ends[0])
        }
        for (const entry of engines) expect(['stopped', 'failed']).toContain(entry.engine.state)
      }),
      { numRuns: 200 },
    )
  })
})
