import { afterEach, expect, it, vi } from 'vitest'
import { FakeRunner } from '../../../test/fakes/fake-runner.ts'
import { deferred } from '../../base/async.ts'
import { silentLogger } from '../../base/logger.ts'
import { Lane } from './lane.ts'
import { Scheduler } from './scheduler.ts'
import { SnapshotStore } from './snapshot-store.ts'
import { SplitPool } from './split-pool.ts'
import { StepCost } from './step-cost.ts'
import { Turn } from './turn.ts'

afterEach(() => vi.useRealTimers())

it('looks at the cells of an idle context only when nobody else is at work with it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const shape = { layout: 'split' as const, slots: 1, parallel: 1, window: 64, cells: 64 }
  const runner = new FakeRunner({ ...shape, vocabulary: 5 })
  let looked = 0
  let isGone = false
  const watched = Object.assign(Object.create(runner) as FakeRunner, {
    run: runner.run.bind(runner),
    sequenceLength: (slot: number) => {
      if (isGone) throw new Error('there is no context')
      looked++
      return runner.sequenceLength(slot)
    },
  })
  const pool = new SplitPool(shape, new SnapshotStore({ memoryLimit: 0, bytesPerToken: 4 }), { sharing: true })
  const cost = new StepCost({ idleTokens: 64 })
  const scheduler = new Scheduler({ pool, cost, maxBatchTokens: 64, speculation: false, isEnd: () => false, now: () => 0 })
  const fatal: unknown[] = []
  const lane = new Lane({
    scheduler,
    runner: watched,
    tiers: undefined,
    turn: new Turn(),
    logger: silentLogger,
    now: () => 0,
    threads: 1,
    onEmissions: () => {},
    onFatal: (error) => fatal.push(error),
  })
  lane.add({ id: 1, tokens: [1, 2, 3], maxTokens: 4, sampling: { seed: 0, ignoreEos: true } })
  await lane.whenIdle()
  const remade = deferred<void>()
  // The context is made again, and the idle time ends meanwhile.
  const between = lane.between(async () => {
    isGone = true
    await remade.promise
    isGone = false
  })
  await vi.advanceTimersByTimeAsync(1000)
  expect({ looked, fatal }).toEqual({ looked: 0, fatal: [] })
  remade.resolve()
  await between
  await vi.advanceTimersByTimeAsync(1000)
  expect(fatal).toEqual([])
  expect(looked).toBeGreaterThan(0)
  await lane.close()
})
