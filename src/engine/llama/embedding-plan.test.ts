import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planChunks, VectorPool } from './embedding-plan.ts'

describe('planChunks', () => {
  const options = fc.record({ chunkTokens: fc.integer({ min: 8, max: 40 }), slots: fc.integer({ min: 1, max: 6 }), whole: fc.boolean() })
  const lengths = fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 30 })

  test('every token is computed once, in order, within the limits, each input in one slot that nobody shares', () => {
    fc.assert(
      fc.property(lengths, options, (inputs, given) => {
        const chunks = planChunks(inputs, given)
        const done = inputs.map(() => 0)
        for (const chunk of chunks) {
          expect(chunk.reduce((sum, part) => sum + part.end - part.start, 0)).toBeLessThanOrEqual(given.chunkTokens)
          expect(new Set(chunk.map((part) => part.slot)).size).toBe(chunk.length)
          for (const part of chunk) {
            expect(part.start).toBe(done[part.input])
            expect(part.slot).toBeLessThan(given.slots)
            if (given.whole) expect(part.end - part.start).toBe(inputs[part.input])
            done[part.input] = part.end
          }
        }
        expect(done).toEqual(inputs)
      }),
    )
  })

  test('an input longer than a chunk goes on in the next one', () => {
    expect(planChunks([25], { chunkTokens: 10, slots: 4, whole: false }).map(([part]) => [part?.start, part?.end])).toEqual([
      [0, 10],
      [10, 20],
      [20, 25],
    ])
  })
})

test('VectorPool makes the mean, the first or the last row', () => {
  const rows = [Float32Array.from([1, 2, 9]), Float32Array.from([3, 6, 9])]
  const pooled = (pooling: 'mean' | 'cls' | 'last'): number[] => {
    const pool = new VectorPool(pooling, 2, [[7, 8]])
    for (const [index, row] of rows.entries()) pool.add(0, index, row)
    return [...(pool.vectors()[0] ?? [])]
  }
  expect(pooled('mean')).toEqual([2, 4])
  expect(pooled('cls')).toEqual([1, 2])
  expect(pooled('last')).toEqual([3, 6])
})
