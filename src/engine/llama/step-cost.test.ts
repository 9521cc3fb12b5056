import { describe, expect, it } from 'vitest'
import { StepCost } from './step-cost.ts'

const observed = (...steps: [rows: number, ms: number][]): StepCost => {
  const cost = new StepCost({ idleTokens: 512 })
  for (const [rows, ms] of steps) cost.observe({ rows, promptTokens: 0 }, ms)
  return cost
}

describe('StepCost', () => {
  it('guesses what a row costs until it has seen steps with more rows', () => {
    expect(observed([1, 10]).marginalRow(1)).toBeCloseTo(0.25)
  })

  it('learns what one more row costs', () => {
    expect(observed([1, 10], [11, 20]).marginalRow(1)).toBeCloseTo(0.1)
  })

  it('is not misled by steps that were disturbed', () => {
    expect(observed([1, 10], [11, 20], [11, 400], [1, 10], [11, 20]).marginalRow(1)).toBeCloseTo(0.1)
  })

  it('believes steps that stay longer', () => {
    const later = Array.from({ length: 400 }, (): [number, number] => [11, 60])
    expect(observed([1, 10], [11, 20], ...later).marginalRow(1)).toBeGreaterThan(0.45)
  })

  it('gives prompts the time that readers can spare, and everything when nobody reads', () => {
    const cost = observed([3, 20])
    cost.observe({ rows: 3, promptTokens: 40 }, 420)
    expect(cost.promptBudget(3)).toBe(16)
    for (let step = 0; step < 40; step++) cost.observe({ rows: 3, promptTokens: 200 }, 220)
    expect(cost.promptBudget(3)).toBeCloseTo(100, -1)
    expect(cost.promptBudget(0)).toBe(512)
  })

  it('lets a whole tile of attention take longer than the target, but not longer than readers bear', () => {
    const cost = observed([3, 30])
    cost.observe({ rows: 3, promptTokens: 32 }, 30 + 32 * 7)
    expect(cost.promptBudget(3)).toBe(65)
    for (let step = 0; step < 20; step++) cost.observe({ rows: 3, promptTokens: 65 }, 30 + 65 * 9)
    expect(cost.promptBudget(3)).toBe(21)
  })

  it('tries a tile again where prompt tokens have become cheap', () => {
    const cost = observed([3, 30])
    cost.observe({ rows: 3, promptTokens: 65 }, 30 + 65 * 12)
    expect(cost.promptBudget(3)).toBeLessThan(65)
    for (let step = 0; step < 20; step++) cost.observe({ rows: 3, promptTokens: 16 }, 30 + 16 * 6)
    expect(cost.promptBudget(3)).toBe(65)
  })

  it('keeps to a target that was asked for', () => {
    const cost = new StepCost({ idleTokens: 512, targetMs: 100 })
    cost.observe({ rows: 3, promptTokens: 0 }, 20)
    cost.observe({ rows: 3, promptTokens: 32 }, 20 + 32 * 2)
    expect(cost.promptBudget(3)).toBe(40)
  })
})
