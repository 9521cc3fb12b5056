import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { firstPart, sharePrompts } from './share-prompts.ts'

describe('sharePrompts', () => {
  it('spends the budget, gives nobody more than it wants, and the oldest always something', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 2048 }),
        (wanted, budget) => {
          const shares = sharePrompts(wanted, budget)
          const total = wanted.reduce((a, b) => a + b, 0)
          expect(shares.reduce((a, b) => a + b, 0)).toBe(Math.min(total, budget))
          shares.forEach((share, i) => expect(share).toBeLessThanOrEqual(wanted[i] ?? 0))
          expect(shares[0]).toBeGreaterThan(0)
        },
      ),
    )
  })
})

describe('firstPart', () => {
  it('lets two thirds of many prompts that would end together end first', () => {
    const prompts = Array<number>(8).fill(28)
    const shares = sharePrompts(prompts, firstPart(prompts, 512))
    expect(shares.filter((share) => share === 28)).toHaveLength(5)
  })

  it('takes all of a few prompts, and what fits of those that do not end in this step', () => {
    expect(firstPart([], 512)).toBe(0)
    expect(firstPart([28, 28, 28], 512)).toBe(84)
    expect(firstPart([300, 200, 200, 200], 512)).toBe(512)
  })
})
