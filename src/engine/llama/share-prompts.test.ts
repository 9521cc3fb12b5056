import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sharePrompts } from './share-prompts.ts'

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
