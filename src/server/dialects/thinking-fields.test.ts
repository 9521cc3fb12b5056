import { describe, expect, test } from 'vitest'
import { reasoningFormatOf, thinkingOf, thinkingTokensOf } from './thinking-fields.ts'

describe('thinking, in the words of many', () => {
  test.each([
    [{}, undefined],
    [{ reasoning_effort: 'high' as const }, { enabled: true, effort: 'high' }],
    [{ reasoning_effort: 'none' as const }, { enabled: false }],
    [{ enable_thinking: false }, { enabled: false }],
    [{ thinking: true }, { enabled: true }],
    [{ thinking: { type: 'disabled' as const } }, { enabled: false }],
    [{ thinking: { type: 'adaptive' as const } }, undefined],
    [{ reasoning: { effort: 'low' as const, enabled: true } }, { enabled: true, effort: 'low' }],
    [{ chat_template_kwargs: { enable_thinking: false } }, { enabled: false }],
    [{ chat_template_kwargs: { thinking: true, other: 1 } }, { enabled: true }],
    // A switch is plainer than an effort.
    [
      { enable_thinking: false, reasoning_effort: 'high' as const },
      { enabled: false, effort: 'high' },
    ],
  ])('%j', (body, expected) => {
    expect(thinkingOf(body)).toEqual(expected)
  })

  test.each([
    [{}, undefined],
    [{ max_thinking_tokens: 0 }, 0],
    [{ thinking_budget: 5 }, 5],
    [{ thinking: { type: 'enabled' as const, budget_tokens: 6 } }, 6],
    [{ reasoning: { max_tokens: 7 } }, 7],
  ])('a budget: %j', (body, expected) => {
    expect(thinkingTokensOf(body)).toBe(expected)
  })

  test.each([
    [{}, undefined, 'reasoning_content'],
    [{ reasoning_format: 'deepseek' as const }, 'hidden', 'reasoning_content'],
    [{ reasoning_format: 'none' as const }, undefined, 'text'],
    [{}, 'think', 'think'],
    [{ include_reasoning: false }, undefined, 'hidden'],
    [{ reasoning: { exclude: true } }, undefined, 'hidden'],
  ])('where the thoughts go: %j with the header %s', (body, header, expected) => {
    expect(reasoningFormatOf(body, header)).toBe(expected)
  })
})
