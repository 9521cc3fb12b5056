import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutToWidth, padToWidth, textWidth } from './text-width.ts'

describe('the width of a text', () => {
  it.each([
    ['abc', 3],
    ['模型', 4],
    ['模型 a', 6],
    ['ｶﾅ', 2],
    ['カナ', 4],
    ['한글', 4],
    ['（）', 4],
    ['é', 1],
    ['e\u0301', 1],
    ['👍', 2],
    ['👩‍👩‍👧', 2],
    ['✓ –', 3],
    ['\u001b[1mab\u001b[0m', 2],
    ['', 0],
  ])('of %j is %d columns', (text, width) => {
    expect(textWidth(text)).toBe(width)
  })

  const text = fc.array(fc.constantFrom('a', '模', '，', 'é', '👍', ' ', 'ｶ')).map((parts) => parts.join(''))

  it('is what padding fills up to, and never less than the text', () => {
    fc.assert(
      fc.property(text, fc.nat(40), (value, width) => {
        expect(textWidth(padToWidth(value, width))).toBe(Math.max(width, textWidth(value)))
      }),
    )
  })

  it('is never more than asked after cutting, and what fits stays whole', () => {
    fc.assert(
      fc.property(text, fc.nat(40), (value, width) => {
        const cut = cutToWidth(value, width)
        expect(textWidth(cut)).toBeLessThanOrEqual(width)
        if (textWidth(value) <= width) expect(cut).toBe(value)
      }),
    )
  })
})
