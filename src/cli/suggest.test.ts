import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editDistance, nearest } from './suggest.ts'

describe('the nearest word', () => {
  it.each([
    ['lst', 'list'],
    ['sevre', 'serve'],
    ['doc', 'doctor'],
    ['xyzzy', undefined],
    ['q', undefined],
  ])('of %j is %j', (word, expected) => {
    expect(nearest(word, ['list', 'serve', 'doctor', 'show'])).toBe(expected)
  })
})

it('the distance is 0 for equal words, the same both ways, and at most the longer length', () => {
  const word = fc.string({ maxLength: 8 })
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b)
      expect(distance === 0).toBe(a === b)
      expect(editDistance(b, a)).toBe(distance)
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
    }),
  )
})
