import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FadingLine } from './fading-line.ts'

const through = (points: readonly (readonly [x: number, y: number])[], memory = 0.97): FadingLine => {
  const line = new FadingLine(memory)
  for (const [x, y] of points) line.observe(x, y)
  return line
}

describe('FadingLine', () => {
  it('knows nothing before it has seen something, and one point wherever it is asked', () => {
    expect(through([]).at(3)).toBeUndefined()
    expect(through([[3, 20]]).at(7)).toBe(20)
  })

  it('finds a line from points on it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 20 }), (base, slope) => {
        const line = through([1, 4, 2, 8, 5, 7].map((x) => [x, base + slope * x]))
        expect(line.at(16)).toBeCloseTo(base + slope * 16, 5)
      }),
    )
  })

  it('is never negative and never falls', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(64), fc.nat(1000)), { minLength: 1, maxLength: 40 }), (points) => {
        const values = [0, 1, 5, 64, 100].map((x) => through(points).at(x) ?? -1)
        expect(values.every((y) => y >= 0)).toBe(true)
        values.forEach((y, i) => expect(y).toBeGreaterThanOrEqual((values[i - 1] ?? 0) - 1e-6))
      }),
    )
  })

  it('stays with what was seen most where a steep line would begin below zero', () => {
    const most = Array.from({ length: 40 }, () => [3, 22] as const)
    expect(through([...most, [4, 60]]).at(3)).toBeLessThan(26)
  })

  it('forgets', () => {
    const line = through([[3, 500], ...Array.from({ length: 200 }, () => [3, 20] as const)])
    expect(line.at(3)).toBeLessThan(22)
  })
})
