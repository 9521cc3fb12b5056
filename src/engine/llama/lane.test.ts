import { afterEach, expect, it, vi } from 'vitest'
import { FakeRunner } from '../../../test/fakes/fake-runner.ts'
import { deferred } from '../../base/async.ts'
import { silentLogger } from '../../base/logger.ts'
import { stepShape } from './batch.ts'
import type { Batch } from './batch.ts'
import { Lane } from './lane.ts'
import type { LaneOptions } from './lane.ts'
import { Scheduler } from './scheduler.ts'
import { SnapshotStore } from './snapshot-store.ts'
import { SplitPool } from './split-pool.ts'
import { StepCost } from './step-cost.ts'
import { Turn } from './turn.ts'

afterEach(() => vi.useRealTimers())

/** A lane of real parts around `runner`. */
function laneAround(runner: LaneOptions['runner'], slots: number, threads: number): { lane: Lane; fatal: unknown[] } {
  const shape = { layout: 'split' as const, slots, parallel: slots, window: 64, cells: 64 * slots }
  const pool = new SplitPool(shape, new SnapshotStore({ memoryLimit: 0, bytesPerToken: 4 }), { sharing: true })
  const cost = new StepCost({ idleTokens: 64 })
  const scheduler = new Scheduler({ pool, cost, maxBatchTokens: 64, speculation: false, isEnd: () => false, now: () => 0 })
  const fatal: unknown[] = []
  const lane = new Lane({
    scheduler,
    runner,
    tiers: undefined,
    turn: new Turn(),
    logger: silentLogger,
    now: () => 0,
    threads,
    onEmissions: () => {},
    onFatal: (error) => fatal.push(error),
  })
  return { lane, fatal }
}

const sampling = { seed: 0, ignoreEos: true }

it('looks at the cells of an idle context only when nobody else is at work with it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const runner = new FakeRunner({ layout: 'split', slots: 1, window: 64, cells: 64, vocabulary: 5 })
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
  const { lane, fatal } = laneAround(watched, 1, 1)
  lane.add({ id: 1, tokens: [1, 2, 3], maxTokens: 4, sampling })
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

it('never computes a prompt with the threads of a trial', async () => {
  const fake = new FakeRunner({ layout: 'split', slots: 2, window: 64, cells: 128, vocabulary: 5 })
  let threads = 4
  const used: { threads: number; promptTokens: number }[] = []
  const runner: LaneOptions['runner'] = Object.assign(Object.create(fake) as FakeRunner, {
    setThreads: (count: number) => (threads = count),
    sequenceLength: (slot: number) => fake.sequenceLength(slot),
    async run(batch: Batch) {
      const result = await fake.run(batch)
      used.push({ threads, promptTokens: stepShape(batch).promptTokens })
      if (threads < 4 && used.filter((step) => step.threads < 4).length === 1)
        lane.add({ id: 2, tokens: [4, 3, 2, 1], maxTokens: 2, sampling })
      // Unsteady, as on a machine that others use: the first trial comes soon, and would pay.
      return { ...result, decodeMs: threads < 4 ? 8 : 10 + 40 * (used.length % 2) }
    },
  })
  const { lane, fatal } = laneAround(runner, 2, 4)
  lane.add({ id: 1, tokens: [1, 2, 3], maxTokens: 50, sampling })
  await lane.whenIdle()
  await lane.close()
  expect(fatal).toEqual([])
  expect(used.some((step) => step.threads < 4)).toBe(true)
  expect(used.filter((step) => step.promptTokens > 0)).toEqual([
    { threads: 4, promptTokens: 3 },
    { threads: 4, promptTokens: 4 },
  ])
})
