import fc from 'fast-check'
import { expect, test } from 'vitest'
import { constraintRule, maskLogits } from './constraint-rule.ts'
import type { Matcher } from './constraint-rule.ts'

test('exactly the tokens without a bit lose their logits', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 8 }), (words) => {
      const logits = new Float32Array(words.length * 32 - 5)
      maskLogits(logits, Int32Array.from(words))
      const isAllowed = (token: number): boolean => (((words[token >> 5] ?? 0) >>> (token & 31)) & 1) === 1
      expect([...logits]).toEqual(Array.from(logits, (_, token) => (isAllowed(token) ? 0 : Number.NEGATIVE_INFINITY)))
    }),
  )
})

const TEXTS = ['Ġ', 'ĊĠ', 'a', '}']

function matcherOf(words: number): Matcher {
  return { accept: (token) => ((words >>> token) & 1) === 1, useAllowed: (use) => use(Int32Array.of(words)), close: () => {} }
}

test('white space ends after some tokens, unless nothing else may come', () => {
  const rule = constraintRule(matcherOf(0b1111), { texts: TEXTS, stopTokens: [] }, true)
  const accepted = Array.from({ length: 30 }, () => rule.tryAccept(0)).filter(Boolean)
  expect(accepted).toHaveLength(20)
  const logits = new Float32Array(4)
  rule.mask(logits)
  expect([...logits]).toEqual([-Infinity, -Infinity, 0, 0])
  expect(rule.tryAccept(2)).toBe(true)
  expect(rule.tryAccept(0)).toBe(true)
  const only = constraintRule(matcherOf(0b0011), { texts: TEXTS, stopTokens: [] }, true)
  for (let index = 0; index < 25; index++) {
    if (only.tryAccept(0)) continue
    only.mask(new Float32Array(4))
    expect(only.tryAccept(0)).toBe(true)
  }
})

test('white space that the constraint is about is not cut short', () => {
  const rule = constraintRule(matcherOf(0b1111), { texts: TEXTS, stopTokens: [] }, false)
  expect(Array.from({ length: 30 }, () => rule.tryAccept(0))).not.toContain(false)
})
