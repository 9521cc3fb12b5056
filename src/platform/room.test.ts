import fc from 'fast-check'
import { expect, it } from 'vitest'
import { evictionOrder, freeBytes, heldBytes } from './room.ts'

const holder = fc.record({ bytes: fc.nat(1000), lastUsedAt: fc.nat(100), isIdle: fc.boolean(), isPinned: fc.boolean() })

it('only idle ones may be stopped, the pinned last, each group by its last use', () => {
  fc.assert(
    fc.property(fc.array(holder), (holders) => {
      const order = evictionOrder(holders)
      expect(order).toHaveLength(holders.filter(({ isIdle }) => isIdle).length)
      expect(order.every(({ isIdle }) => isIdle)).toBe(true)
      const keys = order.map(({ isPinned, lastUsedAt }) => Number(isPinned) * 1000 + lastUsedAt)
      expect(keys).toEqual(keys.toSorted((a, b) => a - b))
    }),
  )
})

it('mapped weights that the system still calls available are not given away twice', () => {
  expect(freeBytes(1000, 1000, [{ bytes: 700, lastUsedAt: 0, isIdle: true, isPinned: false }])).toBe(300)
  expect(freeBytes(100, 1000, [])).toBe(100)
})

it('what is free is never negative, nor more than either limit', () => {
  fc.assert(
    fc.property(fc.nat(5000), fc.nat(5000), fc.array(holder), (available, budget, holders) => {
      const free = freeBytes(available, budget, holders)
      expect(free).toBeGreaterThanOrEqual(0)
      expect(free).toBeLessThanOrEqual(available)
      expect(free).toBeLessThanOrEqual(Math.max(0, budget - heldBytes(holders)))
    }),
  )
})
