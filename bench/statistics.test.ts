import { describe, expect, it } from 'vitest'
import { compareMedians } from './compare.ts'
import { togetherSpeed } from './decode-many.ts'
import { reached } from './report.ts'
import { median, quantile } from './statistics.ts'

describe('the sums of the benchmarks', () => {
  it('take the nearest rank', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2)
    expect(quantile([1, 2, 3, 4], 0.95)).toBe(4)
    expect(median([])).toBeNaN()
  })

  it("compare ours with the better of the peer's settings", () => {
    const medians = [
      ['bendi', 30],
      ['split', 20],
      ['unified', 40],
    ] as const
    const speed = compareMedians({ what: 'speed', unit: 'tokens/s', better: 'higher', target: 1 }, medians)
    expect(speed).toMatchObject({ ratio: 0.75, against: 'unified' })
    expect(reached(speed)).toBe(false)
    const time = compareMedians({ what: 'time', unit: 's', better: 'lower', target: 1.5 }, medians)
    expect(time).toMatchObject({ ratio: 1.5, against: 'split' })
    expect(reached(time)).toBe(true)
  })

  it('count throughput only while everybody decodes', () => {
    const user = (firstMs: number): Parameters<typeof togetherSpeed>[0][number] => {
      const stamps = Array.from({ length: 11 }, (_, index) => firstMs + index * 100)
      return { firstMs, stamps, endMs: firstMs + 1000, tokens: 11 }
    }
    // Both give 10 tokens/s; the second starts 500 ms later, so 500 ms count.
    expect(togetherSpeed([user(0), user(500)])).toBeCloseTo(20, 5)
  })
})
