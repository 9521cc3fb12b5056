import { describe, expect, it } from 'vitest'
import { MAX_DRAFT } from './batch.ts'
import { PromptLookup } from './prompt-lookup.ts'

const guess = (text: readonly number[]): readonly number[] => new PromptLookup().guess(text).tokens

describe('PromptLookup', () => {
  it('guesses what followed the same tokens before', () => {
    expect(guess([1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3]).slice(0, 6)).toEqual([4, 5, 6, 7, 8, 9])
  })

  it('takes the place that agrees furthest back, not the latest', () => {
    const [long, short] = [
      [9, 1, 2, 3, 40],
      [8, 1, 2, 3, 50],
    ]
    expect(guess([...long, ...short, 9, 1, 2, 3])[0]).toBe(40)
  })

  it('takes the latest of places that agree equally far', () => {
    expect(guess([7, 1, 2, 3, 40, 7, 1, 2, 3, 50, 7, 1, 2, 3])[0]).toBe(50)
  })

  it('guesses nothing where the text repeats nothing', () => {
    expect(new PromptLookup().guess(Array.from({ length: 200 }, (_, i) => i))).toEqual({ tokens: [], chances: [] })
  })

  it('goes on with a text that repeats itself', () => {
    expect(guess([9, 5, 6, 5, 6, 5, 6])).toEqual(Array.from({ length: MAX_DRAFT }, (_, i) => 5 + (i % 2)))
  })

  it('is surer of a long agreement than of a short one, and less sure of each further token', () => {
    const passage = Array.from({ length: 60 }, (_, i) => 100 + i)
    const after = (count: number): readonly number[] => new PromptLookup().guess([...passage, 1, ...passage.slice(0, count)]).chances
    expect(after(40)[0]).toBeGreaterThan(after(3)[0] ?? 1)
    expect(after(40)).toHaveLength(MAX_DRAFT)
    expect(after(40)).toEqual(after(40).toSorted((a, b) => b - a))
  })

  it('believes of long agreements, of which it saw none, what it saw of shorter ones', () => {
    const passage = Array.from({ length: 200 }, (_, i) => 100 + i)
    const lookup = new PromptLookup()
    const tokens = [...passage, 1, ...passage.slice(0, 2)]
    const before = lookup.guess(tokens).chances[62] ?? 1
    for (let next = 2; next < 30; next++) {
      lookup.guess(tokens)
      lookup.observe([100 + next])
      tokens.push(100 + next)
    }
    expect(before).toBeLessThan(0.05)
    // By the first chances alone of agreements from 32 tokens on it would be 0.04.
    expect(lookup.guess(tokens).chances[62]).toBeGreaterThan(0.08)
  })

  it('learns from what came, also when no guess was computed', () => {
    const chanceAfter = (comesTrue: boolean): number => {
      const lookup = new PromptLookup()
      const tokens = [1, 2, 3, 4]
      for (let i = 0; i < 40; i++) {
        tokens.push(1000 + i, 1, 2, 3)
        const next = comesTrue ? (lookup.guess(tokens).tokens[0] ?? 4) : 5000 + i
        lookup.guess(tokens)
        lookup.observe([next])
        tokens.push(next)
      }
      tokens.push(7, 1, 2, 3)
      return lookup.guess(tokens).chances[0] ?? 0
    }
    expect(chanceAfter(true)).toBeGreaterThan(0.8)
    expect(chanceAfter(false)).toBeLessThan(0.1)
  })

  it('blames only the first guess that was wrong', () => {
    const passage = Array.from({ length: 40 }, (_, i) => 100 + i)
    const after = (...actual: number[]): readonly number[] => {
      const lookup = new PromptLookup()
      lookup.guess([...passage, 1, 100, 101])
      lookup.observe(actual)
      return lookup.guess([...passage, 1, 100, 101, ...actual, 2, 100, 101]).chances
    }
    // Agreements of 2 and 3 tokens are one kind, those of 4 to 7 the next.
    expect(after(102, 103, 7)[1]).toBeGreaterThan(after(7, 7, 7)[1] ?? 1)
  })
})
