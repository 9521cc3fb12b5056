import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createBlockMaxima } from './block-maxima.ts'
import { createLogitScan } from './logit-scan.ts'

const number = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true, min: -50, max: 50 }),
  fc.constantFrom(Number.NEGATIVE_INFINITY, Number.NaN, 0, 1, 1, -0),
)
const row = fc.array(number, { minLength: 1, maxLength: 400 }).map((numbers) => Float32Array.from(numbers))

/** The plain way: sorted by falling logit, then by index. */
function sorted(logits: Float32Array): number[] {
  const indices = [...logits.keys()].filter((index) => (logits[index] ?? 0) > Number.NEGATIVE_INFINITY)
  return indices.toSorted((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b)
}

describe('createLogitScan', () => {
  test('argmax is the first of the largest, and −1 where nothing is above −∞', () => {
    fc.assert(
      fc.property(row, (logits) => {
        expect(createLogitScan(logits.length).argmax(logits)).toBe(sorted(logits)[0] ?? -1)
      }),
    )
    expect(createLogitScan(3).argmax(new Float32Array(3).fill(Number.NaN))).toBe(-1)
  })

  test('selectTop is the head of the sorted row', () => {
    fc.assert(
      fc.property(row, fc.integer({ min: 1, max: 80 }), (logits, count) => {
        const ids = new Int32Array(3 * count)
        const size = createLogitScan(logits.length).selectTop(logits, count, { ids, logits: new Float32Array(ids.buffer) })
        const found = Array.from({ length: size }, (_, index) => ids[3 * index])
        expect(found).toEqual(sorted(logits).slice(0, count))
      }),
    )
  })

  test('a scan forgets the row before', () => {
    const scan = createLogitScan(130)
    const high = new Float32Array(130)
    high[129] = 9
    expect(scan.argmax(high)).toBe(129)
    const low = new Float32Array(130).fill(-5)
    low[70] = -4
    expect(scan.argmax(low)).toBe(70)
  })
})

test('createBlockMaxima finds the largest of each 64, also in the last, short one', () => {
  const blocks = createBlockMaxima(150)
  blocks.compute(Float32Array.from({ length: 150 }, (_, index) => (index === 64 ? 500 : index)))
  expect([...blocks.maxima]).toEqual([63, 500, 149])
})
