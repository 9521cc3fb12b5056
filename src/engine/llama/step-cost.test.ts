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
    cost.observe({ rows: 3, promptTokens: 40 }, 100)
    expect(cost.promptBudget(3)).toBe(50)
    expect(cost.promptBudget(0)).toBe(512)
  })
})
