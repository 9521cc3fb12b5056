import { describe, expect, it } from 'vitest'
import { StepCost } from './step-cost.ts'

const observed = (...steps: [answers: number, ms: number, guesses?: number][]): StepCost => {
  const cost = new StepCost({ idleTokens: 512 })
  for (const [answers, ms, guesses = 0] of steps) cost.observe({ answers, guesses, promptTokens: 0 }, ms)
  return cost
}

/** For guesses that are each right with this likelihood. */
const chances = (each: number, count = 63): number[] => Array.from({ length: count }, (_, i) => each ** (i + 1))

describe('StepCost', () => {
  it('allows no guesses before it has seen a step without', () => {
    expect(observed().worthwhile(1, chances(1))).toBe(0)
  })

  it('allows all guesses where rows cost nothing, and none where each costs a step', () => {
    const repeat = (ms: number) => Array.from({ length: 100 }, (): [number, number, number] => [1, ms, 4])
    expect(observed([1, 10], ...repeat(10)).worthwhile(1, chances(0.99))).toBe(63)
    expect(observed([1, 10], ...repeat(50)).worthwhile(1, chances(0.9))).toBe(0)
  })

  it('allows more guesses the surer they are', () => {
    const cost = observed([1, 10])
    const counts = [0.1, 0.5, 0.8, 0.9].map((each) => cost.worthwhile(1, chances(each)))
    expect(counts[0]).toBe(0)
    expect(counts).toEqual(counts.toSorted((a, b) => a - b))
    expect(counts[3]).toBeGreaterThan(counts[1] ?? 0)
  })

  it('jumps to a whole tile where that is cheaper a row, once guesses are nearly sure', () => {
    const cost = new StepCost({ idleTokens: 512 })
    cost.observe({ answers: 0, guesses: 0, promptTokens: 512 }, 512 * 6)
    // As measured: SmolLM2 on two cores, 1,350 tokens of context.
    const rows = [
      [0, 16],
      [1, 30],
      [3, 49],
      [7, 88],
      [15, 173],
    ] as const
    for (let round = 0; round < 20; round++) for (const [guesses, ms] of rows) cost.observe({ answers: 1, guesses, promptTokens: 0 }, ms)
    expect(cost.worthwhile(1, chances(0.995))).toBe(63)
    expect(cost.worthwhile(1, chances(0.93))).toBeLessThan(10)
    expect(cost.worthwhile(1, chances(0.6))).toBe(0)
  })

  it('lets nobody wait long for the guesses of another', () => {
    const slow: [number, number, number][] = Array.from({ length: 50 }, () => [2, 120, 10])
    const cost = observed([2, 20], ...slow)
    const count = cost.worthwhile(2, chances(1))
    expect(count).toBeGreaterThan(0)
    expect(count).toBeLessThanOrEqual(11)
  })

  it('is not misled by a step that was disturbed', () => {
    const calm = observed([1, 10], [1, 12, 4], [1, 12, 4], [1, 10], [1, 12, 4])
    const disturbed = observed([1, 10], [1, 12, 4], [1, 400, 4], [1, 10], [1, 12, 4])
    expect(disturbed.worthwhile(1, chances(0.8))).toBeGreaterThan(calm.worthwhile(1, chances(0.8)) / 2)
  })

  it('gives readers their breath also after steps that were disturbed', () => {
    const cost = observed([3, 22], [3, 23], [3, 150], [4, 300], [3, 160])
    cost.observe({ answers: 3, guesses: 0, promptTokens: 65 }, 300)
    expect(cost.allowsBreath(3)).toBe(true)
  })

  it('believes steps that stay longer', () => {
    const later = Array.from({ length: 100 }, (): [number, number, number] => [1, 60, 4])
    expect(observed([1, 10], [1, 12, 4], ...later).worthwhile(1, chances(0.8))).toBe(0)
  })

  it('gives prompts the time that readers can spare, and everything when nobody reads', () => {
    const cost = observed([3, 20])
    cost.observe({ answers: 3, guesses: 0, promptTokens: 40 }, 420)
    expect(cost.promptBudget(3)).toBe(16)
    for (let step = 0; step < 40; step++) cost.observe({ answers: 3, guesses: 0, promptTokens: 200 }, 220)
    expect(cost.promptBudget(3)).toBeCloseTo(100, -1)
    expect(cost.promptBudget(0)).toBe(512)
  })

  it('lets a whole tile of attention take longer than the target, but not longer than readers bear', () => {
    const cost = observed([3, 30])
    cost.observe({ answers: 3, guesses: 0, promptTokens: 32 }, 30 + 32 * 7)
    expect(cost.promptBudget(3)).toBe(65)
    for (let step = 0; step < 20; step++) cost.observe({ answers: 3, guesses: 0, promptTokens: 65 }, 30 + 65 * 9)
    expect(cost.promptBudget(3)).toBe(21)
  })

  it('tries a tile again where prompt tokens have become cheap', () => {
    const cost = observed([3, 30])
    cost.observe({ answers: 3, guesses: 0, promptTokens: 65 }, 30 + 65 * 12)
    expect(cost.promptBudget(3)).toBeLessThan(65)
    for (let step = 0; step < 20; step++) cost.observe({ answers: 3, guesses: 0, promptTokens: 16 }, 30 + 16 * 6)
    expect(cost.promptBudget(3)).toBe(65)
  })

  it('keeps to a target that was asked for', () => {
    const cost = new StepCost({ idleTokens: 512, targetMs: 100 })
    cost.observe({ answers: 3, guesses: 0, promptTokens: 0 }, 20)
    cost.observe({ answers: 3, guesses: 0, promptTokens: 32 }, 20 + 32 * 2)
    expect(cost.promptBudget(3)).toBe(40)
  })
})
