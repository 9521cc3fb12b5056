import { describe, expect, it } from 'vitest'
import { StepCost } from './step-cost.ts'

const observed = (...steps: [answers: number, ms: number, guesses?: number][]): StepCost => {
  const cost = new StepCost({ idleTokens: 512 })
  for (const [answers, ms, guesses = 0] of steps) cost.observe({ answers, guesses, promptTokens: 0, depth: 0 }, ms)
  return cost
}

/** For guesses that are each right with this likelihood. */
const chances = (each: number, count = 63): number[] => Array.from({ length: count }, (_, i) => each ** (i + 1))

describe('StepCost', () => {
  it('allows no guesses before it has seen a step without', () => {
    expect(observed().worthwhile(1, chances(1), 0)).toBe(0)
  })

  it('allows all guesses where rows cost nothing, and none where each costs a step', () => {
    const repeat = (ms: number) => Array.from({ length: 100 }, (): [number, number, number] => [1, ms, 4])
    expect(observed([1, 10], ...repeat(10)).worthwhile(1, chances(0.99), 0)).toBe(63)
    expect(observed([1, 10], ...repeat(50)).worthwhile(1, chances(0.9), 0)).toBe(0)
  })

  it('allows more guesses the surer they are', () => {
    const cost = observed([1, 10])
    const counts = [0.1, 0.5, 0.8, 0.9].map((each) => cost.worthwhile(1, chances(each), 0))
    expect(counts[0]).toBe(0)
    expect(counts).toEqual(counts.toSorted((a, b) => a - b))
    expect(counts[3]).toBeGreaterThan(counts[1] ?? 0)
  })

  it('jumps to a whole tile where that is cheaper a row, once guesses are nearly sure', () => {
    const cost = new StepCost({ idleTokens: 512 })
    cost.observe({ answers: 0, guesses: 0, promptTokens: 512, depth: 0 }, 512 * 6)
    // As measured: SmolLM2 on two cores, 1,350 tokens of context.
    const rows = [
      [0, 16],
      [1, 30],
      [3, 49],
      [7, 88],
      [15, 173],
    ] as const
    for (let round = 0; round < 20; round++)
      for (const [guesses, ms] of rows) cost.observe({ answers: 1, guesses, promptTokens: 0, depth: 0 }, ms)
    expect(cost.worthwhile(1, chances(0.995), 0)).toBe(63)
    expect(cost.worthwhile(1, chances(0.93), 0)).toBeLessThan(10)
    expect(cost.worthwhile(1, chances(0.6), 0)).toBe(0)
  })

  it('lets a reader alone wait for a whole tile of his own, as long as he can bear it', () => {
    const withTilesOf = (ms: number, answers: number): number => {
      const cost = observed([answers, 60])
      cost.observe({ answers: 0, guesses: 0, promptTokens: 128, depth: 0 }, 2 * ms)
      return cost.worthwhile(answers, chances(0.999), 0)
    }
    expect(withTilesOf(1_200, 1)).toBe(63)
    expect(withTilesOf(1_200, 2)).toBeLessThan(63)
    expect(withTilesOf(2_000, 1)).toBeLessThan(63)
  })

  it('lets nobody wait long for the guesses of another', () => {
    const slow: [number, number, number][] = Array.from({ length: 50 }, () => [2, 120, 10])
    const cost = observed([2, 20], ...slow)
    const count = cost.worthwhile(2, chances(1), 0)
    expect(count).toBeGreaterThan(0)
    expect(count).toBeLessThanOrEqual(11)
  })

  it('is not misled by a step that was disturbed', () => {
    const calm = observed([1, 10], [1, 12, 4], [1, 12, 4], [1, 10], [1, 12, 4])
    const disturbed = observed([1, 10], [1, 12, 4], [1, 400, 4], [1, 10], [1, 12, 4])
    expect(disturbed.worthwhile(1, chances(0.8), 0)).toBeGreaterThan(calm.worthwhile(1, chances(0.8), 0) / 2)
  })

  it('gives readers their breaths before a long step, also after steps that were disturbed, and none before a short one', () => {
    const cost = observed([3, 22], [3, 23], [3, 150], [4, 300], [3, 160])
    cost.observe({ answers: 3, guesses: 0, promptTokens: 65, depth: 0 }, 350)
    expect(cost.breathing(3, 0, 65)).toEqual({ breaths: 1, paceMs: expect.closeTo(189, 0) as number })
    expect(cost.breathing(3, 0, 5)).toEqual({ breaths: 0, paceMs: 0 })
    expect(cost.breathing(0, 0, 65)).toEqual({ breaths: 0, paceMs: 0 })
  })

  it('believes steps that stay longer', () => {
    const later = Array.from({ length: 100 }, (): [number, number, number] => [1, 60, 4])
    expect(observed([1, 10], [1, 12, 4], ...later).worthwhile(1, chances(0.8), 0)).toBe(0)
  })

  it('gives prompts the time that readers can spare, and everything when nobody reads', () => {
    const cost = observed([3, 20])
    cost.observe({ answers: 3, guesses: 0, promptTokens: 40, depth: 0 }, 420)
    cost.observe({ answers: 3, guesses: 0, promptTokens: 65, depth: 0 }, 670)
    expect(cost.promptBudget(3, 0)).toBe(16)
    for (let step = 0; step < 40; step++) cost.observe({ answers: 3, guesses: 0, promptTokens: 200, depth: 0 }, 220)
    expect(cost.promptBudget(3, 0)).toBeCloseTo(100, -1)
    expect(cost.promptBudget(0, 0)).toBe(512)
  })

  it('lets a whole tile of attention take longer than the target, but not longer than readers bear', () => {
    const cost = observed([3, 30])
    cost.observe({ answers: 3, guesses: 0, promptTokens: 32, depth: 0 }, 30 + 32 * 7)
    expect(cost.promptBudget(3, 0)).toBe(65)
    for (let step = 0; step < 20; step++) cost.observe({ answers: 3, guesses: 0, promptTokens: 65, depth: 0 }, 30 + 65 * 9)
    expect(cost.promptBudget(3, 0)).toBeLessThan(30)
  })

  it('begins a lone prompt beside readers with its odd part, so that all that follow are whole tiles', () => {
    const cost = observed([3, 30])
    cost.observe({ answers: 3, guesses: 0, promptTokens: 32, depth: 0 }, 30 + 32 * 7)
    expect(cost.promptBudget(3, 0, 1500)).toBe(1500 % 65)
    expect(cost.promptBudget(3, 5, 1495)).toBe(65)
    expect(cost.promptBudget(3, 0, 40)).toBe(40)
    expect(cost.promptBudget(0, 0, 1000)).toBe(512)
    // Where a step has room for more than a tile, it is not left empty.
    for (let step = 0; step < 40; step++) cost.observe({ answers: 3, guesses: 0, promptTokens: 65, depth: 0 }, 30 + 65)
    expect(cost.promptBudget(3, 0, 1500)).toBeGreaterThan(100)
  })

  it('tries a tile again where prompt tokens have become cheap', () => {
    const cost = observed([3, 30])
    cost.observe({ answers: 3, guesses: 0, promptTokens: 65, depth: 0 }, 30 + 65 * 12)
    expect(cost.promptBudget(3, 0)).toBeLessThan(65)
    for (let step = 0; step < 20; step++) cost.observe({ answers: 3, guesses: 0, promptTokens: 16, depth: 0 }, 30 + 16 * 6)
    expect(cost.promptBudget(3, 0)).toBe(65)
  })

  /** As measured: r1-1.5b on two cores, 3 readers; ms a prompt token by depth, row by row and in tiles. */
  const slowModel = { decode: 102, few: (depth: number) => 17.5 + depth * 0.008, tiled: (depth: number) => 16.5 + depth * 0.001 }

  /** Prompt tokens of each step of a long prompt, and how long readers wait for a token on average. */
  function longPrompt({ decode, few, tiled }: typeof slowModel): { chunks: number[]; paces: number[] } {
    const cost = observed([3, decode])
    const [chunks, paces]: number[][] = [[], []]
    for (let depth = 0; depth < 1500;) {
      const promptTokens = cost.promptBudget(3, depth)
      const price = promptTokens > 64 ? tiled : few
      cost.observe({ answers: 3, guesses: 0, promptTokens, depth }, decode + promptTokens * price(depth + promptTokens / 2))
      chunks?.push(promptTokens)
      paces?.push(cost.breathing(3, depth, promptTokens).paceMs)
      depth += promptTokens
    }
    return { chunks: chunks ?? [], paces: paces ?? [] }
  }

  it('goes on in whole tiles where row by row has become clearly dearer, and lets readers breathe', () => {
    const { chunks, paces } = longPrompt(slowModel)
    expect(chunks.slice(0, 10).filter((tokens) => tokens < 30).length).toBeGreaterThan(4)
    expect(chunks.slice(-10)).toEqual(Array(10).fill(65))
    expect(paces.at(-1)).toBeGreaterThan(400)
    expect(paces.at(-1)).toBeLessThan(600)
  })

  it('goes on row by row where tiles are not cheaper, or take longer than readers bear', () => {
    const { few } = slowModel
    expect(longPrompt({ ...slowModel, tiled: few }).chunks.filter((tokens) => tokens > 64).length).toBeLessThan(3)
    const slower = (price: (depth: number) => number) => (depth: number) => 2 * price(depth)
    const { chunks } = longPrompt({ decode: 200, few: slower(few), tiled: slower(slowModel.tiled) })
    expect(chunks.filter((tokens) => tokens > 64)).toEqual([])
  })

  it('keeps to a target that was asked for', () => {
    const cost = new StepCost({ idleTokens: 512, targetMs: 100 })
    cost.observe({ answers: 3, guesses: 0, promptTokens: 0, depth: 0 }, 20)
    cost.observe({ answers: 3, guesses: 0, promptTokens: 32, depth: 0 }, 20 + 32 * 2)
    expect(cost.promptBudget(3, 0)).toBe(40)
  })
})
