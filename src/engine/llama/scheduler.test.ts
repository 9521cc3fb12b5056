import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeRunner, nextToken } from '../../../test/fakes/fake-runner.ts'
import type { KvPool, KvShape } from './kv-pool.ts'
import { Scheduler } from './scheduler.ts'
import type { Emission, Sequence } from './sequence.ts'
import { SnapshotStore } from './snapshot-store.ts'
import { SplitPool } from './split-pool.ts'
import { StepCost } from './step-cost.ts'
import { UnifiedPool } from './unified-pool.ts'

const VOCABULARY = 5
const END = 4

interface World {
  snapshots: SnapshotStore
  pool: KvPool
  scheduler: Scheduler
  runner: FakeRunner
}

interface Setup {
  shape: KvShape
  speculation: boolean
  memoryLimit: number
  batch: number
  cutsCopies?: boolean
}

function setUp({ shape, speculation, memoryLimit, batch, cutsCopies = true }: Setup): World {
  const snapshots = new SnapshotStore({ memoryLimit, bytesPerToken: 4 })
  const sharing = { sharing: true, cutsCopies }
  const pool = shape.layout === 'split' ? new SplitPool(shape, snapshots, sharing) : new UnifiedPool(shape, snapshots, sharing)
  let clock = 0
  const cost = new StepCost({ idleTokens: batch })
  const scheduler = new Scheduler({ pool, cost, maxBatchTokens: batch, speculation, isEnd: (token) => token === END, now: () => clock++ })
  const runner = new FakeRunner({
    layout: shape.layout,
    slots: shape.slots,
    window: shape.window,
    cells: shape.cells,
    vocabulary: VOCABULARY,
    cutsCopies,
  })
  return { snapshots, pool, scheduler, runner }
}

/** What the fake model answers when nobody else is there. */
function alone(prompt: readonly number[], maxTokens: number, window: number): number[] {
  const tokens = [...prompt]
  while (tokens.length - prompt.length < maxTokens && tokens.length <= window) {
    const next = nextToken(tokens, VOCABULARY)
    if (next === END) break
    tokens.push(next)
  }
  return tokens.slice(prompt.length)
}

async function step(world: World): Promise<Emission[]> {
  const batch = world.scheduler.schedule()
  const emissions = batch ? world.scheduler.commit(batch, await world.runner.run(batch)) : world.scheduler.takeEmissions()
  for (const snapshot of world.snapshots.overflow()) {
    world.snapshots.remove(snapshot.key)
    world.runner.dropBlob(snapshot.key)
    snapshot.inMemory = false
  }
  world.scheduler.verify()
  return emissions
}

const shapes = fc
  .record({
    layout: fc.constantFrom('unified' as const, 'split' as const),
    parallel: fc.integer({ min: 1, max: 5 }),
    window: fc.integer({ min: 48, max: 120 }),
    extra: fc.nat(4),
    squeeze: fc.nat(2),
  })
  .map(({ layout, parallel, window, extra, squeeze }): KvShape => ({
    layout,
    parallel,
    slots: layout === 'split' ? parallel : parallel + extra,
    window,
    cells: layout === 'split' ? parallel * window : window + squeeze * 30,
  }))

const stem = Array.from({ length: 60 }, (_, i) => (i * 7) % 4)
const arrivals = fc.array(
  fc.record({
    at: fc.nat(30),
    /** Tokens of a common stem, then own ones: prefixes are shared to different depths. */
    stem: fc.integer({ min: 0, max: 38 }),
    own: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 8 }),
    maxTokens: fc.integer({ min: 0, max: 30 }),
    background: fc.boolean(),
    abortAt: fc.option(fc.nat(60), { freq: 3, nil: undefined }),
  }),
  { minLength: 1, maxLength: 12 },
)

/** Prompts of one length whose answers do not end before 20 tokens. */
function longAnswers(count: number, window: number): number[][] {
  const own = Array.from({ length: 256 }, (_, i) => [i % 4, (i >> 2) % 4, (i >> 4) % 4, i >> 6])
  const prompts = own.map((tokens) => [...tokens, ...stem.slice(0, 30)])
  return prompts.filter((prompt) => alone(prompt, 20, window).length === 20).slice(0, count)
}

type Example = [KvShape, typeof arrivals extends fc.Arbitrary<infer T> ? T : never, boolean, number, number, boolean]

/** Once found: the suspended sequence is a beginning of a longer one that was saved before, and came back with the other's tokens. */
const savedInsideAnother: Example = [
  { layout: 'unified', parallel: 2, slots: 2, window: 48, cells: 48 },
  [
    { at: 19, stem: 8, own: [0], maxTokens: 2, background: false, abortAt: undefined },
    { at: 19, stem: 37, own: [0], maxTokens: 2, background: false, abortAt: undefined },
    { at: 0, stem: 36, own: [0, 0], maxTokens: 3, background: false, abortAt: undefined },
    { at: 0, stem: 0, own: [0], maxTokens: 0, background: false, abortAt: undefined },
  ],
  false,
  200,
  24,
  true,
]

/** Once found: whoever gave way to a prompt was admitted again before the prompt could use what it had got, for ever. */
const admittedAgain: Example = [
  { layout: 'unified', parallel: 2, slots: 2, window: 48, cells: 48 },
  [
    { at: 27, stem: 15, own: [1, 0], maxTokens: 0, background: true, abortAt: undefined },
    { at: 27, stem: 32, own: [0], maxTokens: 0, background: false, abortAt: undefined },
    { at: 0, stem: 28, own: [1, 0, 3, 3], maxTokens: 12, background: false, abortAt: undefined },
  ],
  false,
  100_000,
  64,
  true,
]

/** Once found: one that was suspended with its window full found room never again. */
const suspendedWhenFull: Example = [
  { layout: 'unified', parallel: 1, slots: 1, window: 51, cells: 51 },
  [
    { at: 9, stem: 38, own: [0, 3, 1, 0, 1, 1], maxTokens: 9, background: true, abortAt: undefined },
    { at: 15, stem: 0, own: [0], maxTokens: 0, background: false, abortAt: undefined },
    { at: 0, stem: 0, own: [0], maxTokens: 0, background: false, abortAt: undefined },
  ],
  true,
  0,
  512,
  true,
]

describe('Scheduler', () => {
  it('ends every sequence exactly once, leaks nothing, and answers as if each were alone, whatever arrives, aborts or overflows', async () => {
    await fc.assert(
      fc.asyncProperty(
        shapes,
        arrivals,
        fc.boolean(),
        fc.constantFrom(0, 200, 100_000),
        fc.constantFrom(24, 64, 512),
        fc.boolean(),
        async (shape, requests, speculation, memoryLimit, batch, cutsCopies) => {
          const world = setUp({ shape, speculation, memoryLimit, batch, cutsCopies })
          const answers = new Map<Sequence, number[]>()
          const ends = new Map<Sequence, string[]>()
          const known = new Map<Sequence, (typeof requests)[number] & { prompt: number[] }>()
          let idle = 0
          for (let now = 0; now < 5000 && idle < 3; now++) {
            for (const request of requests) {
              if (request.at !== now) continue
              const prompt = [...stem.slice(0, request.stem), ...request.own]
              const sequence = world.scheduler.add({
                id: known.size,
                tokens: prompt,
                maxTokens: request.maxTokens,
                background: request.background,
                sampling: { seed: 0, ignoreEos: false },
              })
              known.set(sequence, { ...request, prompt })
              answers.set(sequence, [])
              ends.set(sequence, [])
            }
            for (const [sequence, request] of known) if (request.abortAt === now) world.scheduler.cancel(sequence)
            for (const emission of await step(world)) {
              if (emission.type === 'tokens') answers.get(emission.sequence)?.push(...emission.tokens.map((t) => t.token))
              if (emission.type === 'ended' || emission.type === 'failed') ends.get(emission.sequence)?.push(emission.type)
            }
            idle = world.scheduler.isIdle && now > 60 ? idle + 1 : 0
          }
          for (const [sequence, request] of known) {
            expect(ends.get(sequence)).toHaveLength(1)
            const expected = alone(request.prompt, request.maxTokens, shape.window)
            const got = answers.get(sequence) ?? []
            if (ends.get(sequence)?.[0] === 'failed') expect(expected.slice(0, got.length)).toEqual(got)
            else expect(got).toEqual(expected)
          }
          expect(world.scheduler.isIdle).toBe(true)
          expect(world.runner.open.size).toBe(0)
          const { running, cached, free, total } = world.pool.count()
          expect({ running, sum: cached + free }).toEqual({ running: 0, sum: total })
          if (shape.layout === 'unified') expect(world.runner.cellsInUse).toBe(cached)
          world.runner.slots.forEach((cells, slot) => expect(cells.length).toBe(world.pool.lengthOf(slot)))
        },
      ),
      { numRuns: 400, examples: [savedInsideAnother, admittedAgain, suspendedWhenFull] },
    )
  })

  it('never computes a prefix twice: what is there, or just being computed, is shared', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('unified' as const, 'split' as const), arrivals, async (layout, requests) => {
        const shape: KvShape = { layout, parallel: 12, slots: layout === 'split' ? 12 : 24, window: 200, cells: 12 * 200 }
        const world = setUp({ shape, speculation: false, memoryLimit: 1e6, batch: 32 })
        const prompts = requests.map((request) => [...stem.slice(0, 36), ...request.own])
        prompts.forEach((tokens, id) => world.scheduler.add({ id, tokens, maxTokens: 1, sampling: { seed: 0, ignoreEos: false } }))
        for (let i = 0; i < 500 && !world.scheduler.isIdle; i++) await step(world)
        const stemComputations = world.runner.computed.filter((context) => context.split(',').length <= 36)
        expect(new Set(stemComputations).size).toBe(36)
        expect(stemComputations).toHaveLength(36)
      }),
      { numRuns: 60 },
    )
  })

  it('lets a short question overtake a long document, and the document end all the same', async () => {
    const shape: KvShape = { layout: 'split', parallel: 2, slots: 2, window: 4000, cells: 8000 }
    const world = setUp({ shape, speculation: false, memoryLimit: 0, batch: 64 })
    const long = world.scheduler.add({
      id: 0,
      tokens: Array.from({ length: 3000 }, (_, i) => i % 3),
      maxTokens: 1,
      sampling: { seed: 0, ignoreEos: true },
    })
    await step(world)
    const short = world.scheduler.add({ id: 1, tokens: [3, 2, 1, 0, 3], maxTokens: 3, sampling: { seed: 0, ignoreEos: true } })
    const order: number[] = []
    for (let i = 0; i < 400 && !world.scheduler.isIdle; i++) {
      for (const emission of await step(world)) if (emission.type === 'ended') order.push(emission.sequence.id)
    }
    expect(order).toEqual([short.id, long.id])
    expect((short.times.ended ?? Infinity) - short.times.arrived).toBeLessThan(30)
  })

  it.each(['unified', 'split'] as const)(
    'makes work in the background give way at once, and ends it as if nothing had been (%s)',
    async (layout) => {
      const shape: KvShape = { layout, parallel: 2, slots: 2, window: 100, cells: layout === 'split' ? 200 : 110 }
      const world = setUp({ shape, speculation: false, memoryLimit: 1e6, batch: 64 })
      const sampling = { seed: 0, ignoreEos: true }
      const prompts = longAnswers(4, shape.window)
      const answers = new Map<number, number[]>(prompts.map((_, id) => [id, []]))
      const order: number[] = []
      const take = (emissions: Emission[]): void => {
        for (const emission of emissions) {
          if (emission.type === 'tokens') answers.get(emission.sequence.id)?.push(...emission.tokens.map((t) => t.token))
          if (emission.type === 'ended') order.push(emission.sequence.id)
        }
      }
      const add = (id: number, background: boolean): Sequence =>
        world.scheduler.add({ id, tokens: prompts[id] ?? [], maxTokens: 20, sampling, background })
      const patient = [add(0, true), add(1, true)]
      for (let i = 0; i < 8; i++) take(await step(world))
      expect(patient.every((sequence) => sequence.slot !== undefined)).toBe(true)
      const urgent = [add(2, false), add(3, false)]
      take(await step(world))
      expect(urgent.every((sequence) => sequence.slot !== undefined)).toBe(true)
      for (let i = 0; i < 200 && !world.scheduler.isIdle; i++) take(await step(world))
      expect(order.slice(0, 2).toSorted()).toEqual([2, 3])
      for (const [id, prompt] of prompts.entries()) expect(answers.get(id)).toEqual(alone(prompt, 20, shape.window))
    },
  )

  it('goes on where it was after the context was made again with another shape', async () => {
    const shape: KvShape = { layout: 'split', parallel: 3, slots: 3, window: 64, cells: 192 }
    const world = setUp({ shape, speculation: false, memoryLimit: 1e6, batch: 64 })
    const prompts = [0, 1, 2].map((own) => [...stem.slice(0, 20), own, own])
    const sequences = prompts.map((tokens, id) =>
      world.scheduler.add({ id, tokens, maxTokens: 25, sampling: { seed: 0, ignoreEos: false } }),
    )
    const answers = new Map(sequences.map((s) => [s, [] as number[]]))
    const take = (emissions: Emission[]) => {
      for (const e of emissions) if (e.type === 'tokens') answers.get(e.sequence)?.push(...e.tokens.map((t) => t.token))
    }
    for (let i = 0; i < 6; i++) take(await step(world))
    const saved = world.scheduler.suspendAll()
    await world.runner.run(saved)
    const larger: KvShape = { layout: 'unified', parallel: 3, slots: 6, window: 200, cells: 600 }
    const runner = new FakeRunner({ layout: 'unified', slots: 6, window: 200, cells: 600, vocabulary: VOCABULARY })
    for (const snapshot of world.snapshots.all) {
      const blob = world.runner.savedBlob(snapshot.key)
      if (blob) runner.addBlob(snapshot.key, blob)
    }
    for (const id of world.runner.open) runner.open.add(id)
    world.scheduler.replacePool(new UnifiedPool(larger, world.snapshots, { sharing: true }))
    const next = { ...world, runner, pool: world.scheduler.pool }
    const before = runner.computed.length
    for (let i = 0; i < 100 && !world.scheduler.isIdle; i++) take(await step(next))
    sequences.forEach((s, i) => expect(answers.get(s)).toEqual(alone(prompts[i] ?? [], 25, 200)))
    expect(runner.computed.length - before).toBeLessThan(3 * 25)
  })
})
