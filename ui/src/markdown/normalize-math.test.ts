import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasMath, normalizeMath } from './normalize-math.ts'

describe('normalizeMath', () => {
  it('turns inline formulas into $$', () => {
    expect(normalizeMath('so \\(a + b\\) and \\( c \\)')).toBe('so $$a + b$$ and $$c$$')
  })

  it('puts block formulas on lines of their own', () => {
    expect(normalizeMath('so\n\\[ a = b \\]\nthen')).toBe('so\n$$\na = b\n$$\nthen')
    expect(normalizeMath('so \\[ a \\] then')).toBe('so \n$$\na\n$$\n then')
  })

  it('keeps the indentation of lists and the signs of quotes', () => {
    expect(normalizeMath('- x\n  \\[ a \\]\n- y')).toBe('- x\n  $$\n  a\n  $$\n- y')
    expect(normalizeMath('> \\[\n> a\n> \\]')).toContain('> $$')
  })

  it('leaves code alone', () => {
    const texts = [
      '`\\(a\\)`',
      '```\n\\(a\\)\n```',
      '~~~tex\n\\[a\\]\n~~~',
      '``a ` \\(b\\)``',
      '- ```\n  \\(a\\)\n  ```',
      '```\nstill open \\(a\\)',
    ]
    for (const text of texts) expect(normalizeMath(text)).toBe(text)
  })

  it('leaves money, escaped backslashes and existing formulas alone', () => {
    for (const text of ['$5 and $10', 'a \\\\(b\\\\)', '$$ \\text{if \\(x\\)} $$']) expect(normalizeMath(text)).toBe(text)
  })

  it('shows a formula while it is being written, but takes signs without an end literally when the text has ended', () => {
    expect(normalizeMath('so \\(a + b', true)).toBe('so $$a + b$$')
    expect(normalizeMath('so \\(a + b')).toBe('so \\(a + b')
    expect(normalizeMath('so \\(a\n\nnew paragraph', true)).toBe('so \\(a\n\nnew paragraph')
  })

  it('keeps a formula inside a table cell on its line', () => {
    expect(normalizeMath('| \\[a\\] | b |')).toBe('| $$a$$ | b |')
  })

  it('never changes a text without the two signs, and ends for every text', () => {
    const piece = fc.constantFrom('\\(', '\\)', '\\[', '\\]', '$$', '`', '```', '\n', '\n\n', 'a', ' ', '\\\\', '- ', '> ', '|')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.boolean(), (pieces, open) => {
        const text = pieces.join('')
        const result = normalizeMath(text, open)
        if (!/\\[([]/.test(text)) expect(result).toBe(text)
        expect(result.length).toBeLessThan(text.length * 4 + 10)
      }),
    )
  })

  it('knows whether formulas are needed', () => {
    expect([hasMath('$5'), hasMath('$$x$$'), hasMath('\\(x\\)'), hasMath('a [link](x)')]).toEqual([false, true, true, false])
  })
})
