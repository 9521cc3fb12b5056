import fc from 'fast-check'
import { expect, test } from 'vitest'

import { addRange, missingRanges, overlap, rangeBytes, subtractRange, wholeUntil } from './ranges.ts'
import type { Range } from './ranges.ts'

const SIZE = 40
const range = fc.tuple(fc.nat(SIZE), fc.nat(SIZE)).map(([a, b]): Range => ({ start: Math.min(a, b), end: Math.max(a, b) }))
const steps = fc.array(fc.record({ add: fc.boolean(), range }), { maxLength: 30 })

/** The same as a set of bytes. */
function bytesOf(ranges: readonly Range[]): Set<number> {
  return new Set(ranges.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, index) => start + index)))
}

test('adding and removing ranges is adding and removing bytes, and the list stays sorted with gaps between', () => {
  fc.assert(
    fc.property(steps, (list) => {
      let ranges: Range[] = []
      const bytes = new Set<number>()
      for (const step of list) {
        ranges = step.add ? addRange(ranges, step.range) : subtractRange(ranges, step.range)
        for (let at = step.range.start; at < step.range.end; at += 1)
          if (step.add) bytes.add(at)
          else bytes.delete(at)
      }
      expect(bytesOf(ranges)).toEqual(bytes)
      expect(rangeBytes(ranges)).toBe(bytes.size)
      expect(ranges.every((item, index) => item.start < item.end && (index === 0 || (ranges[index - 1]?.end ?? 0) < item.start))).toBe(true)
    }),
  )
})

test('what is missing and what is there make the whole', () => {
  fc.assert(
    fc.property(fc.array(range), range, (list, whole) => {
      const ranges = list.reduce<Range[]>(addRange, [])
      const missing = missingRanges(ranges, whole)
      const expected = [...bytesOf([whole])].filter((at) => !bytesOf(ranges).has(at))
      expect([...bytesOf(missing)]).toEqual(expected)
    }),
  )
})

test('the beginning is whole as far as the first range reaches', () => {
  expect(wholeUntil([])).toBe(0)
  expect(wholeUntil([{ start: 1, end: 5 }])).toBe(0)
  expect(
    wholeUntil([
      { start: 0, end: 5 },
      { start: 6, end: 9 },
    ]),
  ).toBe(5)
  expect(overlap({ start: 0, end: 5 }, { start: 4, end: 9 })).toEqual({ start: 4, end: 5 })
  expect(overlap({ start: 0, end: 5 }, { start: 5, end: 9 })).toBeUndefined()
})
