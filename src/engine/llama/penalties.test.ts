import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Penalties } from './penalties.ts'

function applied(settings: Partial<ConstructorParameters<typeof Penalties>[0]>, history: number[], logits: number[]): number[] {
  const penalties = new Penalties({ repetition: 1, frequency: 0, presence: 0, lastN: -1, ...settings })
  for (const token of history) penalties.accept(token)
  const row = Float32Array.from(logits)
  penalties.apply(row)
  return [...row]
}

describe('Penalties', () => {
  test('repetition divides what is above 0 and multiplies what is below', () => {
    expect(applied({ repetition: 2 }, [0, 1], [4, -4, 4])).toEqual([2, -8, 4])
  })

  test('frequency counts, presence does not', () => {
    expect(applied({ frequency: 1, presence: 0.5 }, [0, 0, 1], [10, 10, 10])).toEqual([7.5, 8.5, 10])
  })

  test('only the last n tokens count', () => {
    expect(applied({ frequency: 1, lastN: 2 }, [0, 1, 1], [10, 10, 10])).toEqual([10, 8, 10])
  })

  test('−∞ stays, and tokens outside the vocabulary do not matter', () => {
    expect(applied({ repetition: 2, presence: 1 }, [0, 99], [Number.NEGATIVE_INFINITY, 1])).toEqual([Number.NEGATIVE_INFINITY, 1])
  })

  test('a window of any size counts exactly the tokens in it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (history, lastN) => {
        const window = history.slice(-lastN)
        const counts = Array.from({ length: 6 }, (_, token) => -window.filter((other) => other === token).length + 0)
        expect(applied({ frequency: 1, lastN }, history, [0, 0, 0, 0, 0, 0]).map((value) => value + 0)).toEqual(counts)
      }),
    )
  })

  test('penalties that change nothing are not needed', () => {
    expect(Penalties.areNeeded({ repetition: 1, frequency: 0, presence: 0, lastN: 64 })).toBe(false)
    expect(Penalties.areNeeded({ repetition: 2, frequency: 0, presence: 0, lastN: 0 })).toBe(false)
    expect(Penalties.areNeeded({ repetition: 1, frequency: 0.1, presence: 0, lastN: -1 })).toBe(true)
  })
})
