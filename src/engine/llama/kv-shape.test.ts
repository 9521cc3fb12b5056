import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseKvShape, largestWindow } from './kv-shape.ts'

const KIB = 1024

describe('chooseKvShape', () => {
  it('splits when every slot can have a whole window', () => {
    const shape = chooseKvShape({
      window: 4096,
      parallel: 8,
      layout: 'auto',
      kvBytes: 8 * 4096 * KIB,
      kvBytesPerToken: KIB,
      trainedContext: 131072,
    })
    expect(shape).toEqual({ layout: 'split', parallel: 8, slots: 8, window: 4096, cells: 32768 })
  })

  it('shares one pool when memory is short', () => {
    const shape = chooseKvShape({
      window: 4096,
      parallel: 8,
      layout: 'auto',
      kvBytes: 3 * 4096 * KIB,
      kvBytesPerToken: KIB,
      trainedContext: 131072,
    })
    expect(shape).toMatchObject({ layout: 'unified', parallel: 8, window: 4096, cells: 12288 })
  })

  it('stays within memory and always holds one whole window', () => {
    const wishes = fc.record({
      window: fc.integer({ min: 64, max: 200_000 }),
      parallel: fc.integer({ min: 1, max: 64 }),
      layout: fc.constantFrom('auto' as const, 'unified' as const, 'split' as const),
      kvBytes: fc.integer({ min: 1, max: 1e11 }),
      kvBytesPerToken: fc.integer({ min: 100, max: 1e6 }),
      trainedContext: fc.integer({ min: 256, max: 200_000 }),
    })
    fc.assert(
      fc.property(wishes, (w) => {
        const shape = chooseKvShape(w)
        const budget = Math.floor(w.kvBytes / w.kvBytesPerToken)
        expect(shape.cells).toBeGreaterThanOrEqual(shape.window)
        expect(shape.cells).toBeLessThanOrEqual(Math.max(budget, largestWindow(w) + 256))
        expect(shape.window).toBeLessThanOrEqual(w.trainedContext)
        expect(shape.parallel).toBeGreaterThan(0)
      }),
    )
  })
})
