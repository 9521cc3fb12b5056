import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type GuardedLanguage, isTokenAllowed, scriptMask } from './script-guard.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const allows = (text: string, language: GuardedLanguage): boolean => isTokenAllowed(bytes(text), language)

describe('the language guard', () => {
  it.each([
    'const x = 1; // ok',
    ' Müller',
    'π ≈ 3.14',
    '€ £ № ™ → ✓',
    '🤔👍🏽',
    'ﬁ',
    '「」。，',
    '½',
    '\n\t',
    '<｜tool▁sep｜>',
    'ＡＢＣ',
    'e\u0301',
  ])('never harms code, names, digits, punctuation and emoji: %j', (text) => {
    expect(allows(text, 'zh')).toBe(true)
    expect(allows(text, 'en')).toBe(true)
  })

  it.each(['汉字', '漢字', '々', '㐀', '𠮷', 'ㄅ'])('lets Chinese through in zh only: %s', (text) => {
    expect(allows(text, 'zh')).toBe(true)
    expect(allows(text, 'en')).toBe(false)
  })

  it.each(['привет', 'ひらがな', 'カタカナ', 'ｶﾅ', 'ー', '한국어', 'عربي', 'עברית', 'ไทย', 'हिन्दी', 'հայ', ' и'])(
    'masks in both: %s',
    (text) => {
      expect(allows(text, 'zh')).toBe(false)
      expect(allows(text, 'en')).toBe(false)
    },
  )

  it('judges a character that is begun by what it may become', () => {
    const begun = (text: string, count: number): Uint8Array => bytes(text).subarray(0, count)
    expect(isTokenAllowed(begun('汉', 1), 'en')).toBe(false)
    expect(isTokenAllowed(begun('汉', 2), 'zh')).toBe(true)
    expect(isTokenAllowed(begun('и', 1), 'zh')).toBe(false)
    expect(isTokenAllowed(begun('か', 2), 'zh')).toBe(false)
    expect(isTokenAllowed(begun('한', 1), 'en')).toBe(false)
    for (const count of [1, 2, 3]) expect(isTokenAllowed(begun('🤔', count), 'en')).toBe(true)
    for (const count of [1, 2]) expect(isTokenAllowed(begun('…', count), 'en')).toBe(true)
    expect(isTokenAllowed(begun('é', 1), 'en')).toBe(true)
    expect(isTokenAllowed(bytes('汉').subarray(1), 'en')).toBe(true)
  })

  it('leaves every text that it allows possible to write byte by byte', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 8 }),
        fc.constantFrom<GuardedLanguage>('zh', 'en'),
        fc.nat(32),
        (text, language, cut) => {
          const whole = bytes(text)
          if (!isTokenAllowed(whole, language)) return
          expect(isTokenAllowed(whole.subarray(cut), language)).toBe(true)
          // An emoji's parts and letters are allowed as beginnings; symbols that share their first byte only with other scripts may need a whole token.
          if (/^[\p{L}0-9\p{Emoji_Presentation}\s]*$/u.test(text)) expect(isTokenAllowed(whole.subarray(0, cut), language)).toBe(true)
        },
      ),
    )
  })

  it('never throws on bytes that are no UTF-8, and makes a mask', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), (any) => void isTokenAllowed(any, 'zh')))
    expect([...scriptMask([bytes('a'), bytes('и'), bytes('汉')], 'zh')]).toEqual([0, 1, 0])
  })
})
