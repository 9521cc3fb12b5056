import { describe, expect, it } from 'vitest'
import { infillPrompt, infillTokens } from './infill.ts'

const among =
  (...texts: string[]) =>
  (text: string): boolean =>
    texts.includes(text)

describe('fill in the middle', () => {
  it.each([
    [['<｜fim▁begin｜>', '<｜fim▁hole｜>', '<｜fim▁end｜>'], '<｜fim▁begin｜>a<｜fim▁hole｜>b<｜fim▁end｜>'],
    [['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>'], '<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>'],
    [['<fim_prefix>', '<fim_suffix>', '<fim_middle>'], '<fim_prefix>a<fim_suffix>b<fim_middle>'],
    [['▁<PRE>', '▁<SUF>', '▁<MID>'], '▁<PRE>a▁<SUF>b▁<MID>'],
    [['[PREFIX]', '[SUFFIX]'], '[SUFFIX]b[PREFIX]a'],
  ])('knows the family by its tokens: %j', (texts, expected) => {
    const tokens = infillTokens({}, among(...texts))
    expect(tokens && infillPrompt(tokens, 'a', 'b')).toBe(expected)
  })

  it('prefers the tokens that the file names', () => {
    const tokens = infillTokens({ prefix: '<P>', suffix: '<S>', middle: '<M>' }, among('<fim_prefix>', '<fim_suffix>', '<fim_middle>'))
    expect(tokens && infillPrompt(tokens, 'a', 'b')).toBe('<P>a<S>b<M>')
  })

  it('knows when a model cannot', () => {
    expect(infillTokens({ prefix: '<P>' }, among('<fim_prefix>', '<fim_middle>'))).toBeUndefined()
  })
})
