import { expect, test } from 'vitest'
import { languageRule } from './language-rule.ts'
import { joinRules } from './token-rule.ts'
import type { TokenRule } from './token-rule.ts'

const BANNED = Uint8Array.of(0, 1, 0, 1)

test('a banned token is refused, and falls behind all others', () => {
  const rule = languageRule(BANNED)
  expect(rule.tryAccept(1)).toBe(false)
  const logits = Float32Array.of(-30, 20, -40, 10)
  rule.mask(logits)
  expect([...logits.keys()].toSorted((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0))).toEqual([0, 2, 1, 3])
  expect(rule.tryAccept(0)).toBe(true)
  expect(rule.tryAccept(3)).toBe(false)
})

test('where a grammar leaves nothing else, it gives way', () => {
  const only = (token: number): TokenRule => ({
    forced: () => undefined,
    tryAccept: (each) => each === token,
    mask: (logits) => logits.forEach((_, each) => each !== token && (logits[each] = Number.NEGATIVE_INFINITY)),
    close: () => {},
  })
  const rule = joinRules([languageRule(BANNED), only(3)])
  expect(rule?.tryAccept(3)).toBe(false)
  const logits = new Float32Array(4)
  rule?.mask(logits)
  expect(logits.findIndex((logit) => logit > Number.NEGATIVE_INFINITY)).toBe(3)
  expect(rule?.tryAccept(3)).toBe(true)
})
