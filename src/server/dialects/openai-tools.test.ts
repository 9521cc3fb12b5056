import { describe, expect, test } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { parseChat } from './openai-chat.ts'
import { toolWishesOf, type ToolWishes } from './openai-tools.ts'

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
const tool = (name: string, more: object = {}): { type: string; function: { name: string } } => ({
  type: 'function',
  function: { name, ...more },
})
const tools = [tool('a'), tool('b')]

function wishes(body: object): ToolWishes {
  return toolWishesOf(body as Parameters<typeof toolWishesOf>[0])
}

function refusal(more: object): string {
  try {
    parseChat({ ...CHAT, ...more }, 'id')
  } catch (error) {
    if (error instanceof AppError) return `${error.code} ${error.data['field']}`
    throw error
  }
  return 'accepted'
}

describe('the choice among tools', () => {
  test.each([
    [undefined, undefined],
    ['auto', { type: 'auto' }],
    ['none', { type: 'none' }],
    ['required', { type: 'required' }],
    [tool('b'), { type: 'named', name: 'b' }],
    [
      { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [tool('a')] } },
      { type: 'required', names: ['a'] },
    ],
  ])('%j becomes ours', (choice, expected) => {
    expect(wishes({ tools, tool_choice: choice })).toEqual({
      tools: [{ name: 'a' }, { name: 'b' }],
      ...(expected ? { toolChoice: expected } : {}),
    })
  })

  test('allowed tools that the model may leave alone are the only ones that it hears of', () => {
    const choice = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [tool('b')] } }
    expect(wishes({ tools, tool_choice: choice })).toEqual({ tools: [{ name: 'b' }], toolChoice: { type: 'auto' } })
  })

  test('the old functions become tools, one call at a time', () => {
    expect(wishes({ functions: [{ name: 'a', parameters: { type: 'object' } }], function_call: { name: 'a' } })).toEqual({
      tools: [{ name: 'a', parameters: { type: 'object' } }],
      toolChoice: { type: 'named', name: 'a' },
      parallelToolCalls: false,
    })
  })
})

test.each([
  [{ tools: [{ type: 'custom', custom: { name: 'x' } }] }, 'unsupported-field tools[0]'],
  [{ tools: [{ type: 'web_search' }] }, 'invalid-field tools[0].type'],
  [{ tools: [{ type: 'function' }] }, 'invalid-field tools[0].function'],
  [{ tools: [tool('a b')] }, 'invalid-field tools[0].function.name'],
  [{ tools: [tool('x'.repeat(65))] }, 'invalid-field tools[0].function.name'],
  [{ tools: [tool('a'), tool('a')] }, 'invalid-field tools[1]'],
  [{ tools: [tool('a', { parameters: [] })] }, 'invalid-field tools[0].function.parameters'],
  [{ tools: [tool('a', { parameters: { type: 'thing' } })] }, 'invalid-field tools[0].function.parameters.type'],
  [{ tools, tool_choice: tool('c') }, 'invalid-field tool_choice.function.name'],
  [{ tools, tool_choice: { type: 'custom', custom: { name: 'a' } } }, 'invalid-field tool_choice.type'],
  [{ tools, tool_choice: 'always' }, 'invalid-field tool_choice'],
  [{ tools, tool_choice: { type: 'allowed_tools' } }, 'invalid-field tool_choice.allowed_tools'],
  [{ tools, functions: [{ name: 'a' }] }, 'invalid-field functions'],
  [{ functions: [{ name: 'a' }], function_call: 'required' }, 'invalid-field function_call'],
])('%j is refused by name', (more, expected) => {
  expect(refusal(more)).toBe(expected)
})

test('results find their calls, the old way by name and the new way by id', () => {
  const { prompt } = parseChat(
    {
      model: 'm',
      messages: [
        { role: 'user', content: 'q' },
        { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
        { role: 'function', name: 'f', content: 'one' },
        { role: 'assistant', tool_calls: [{ id: 'x', type: 'function', function: { name: 'g', arguments: '{}' } }] },
        { role: 'tool', tool_call_id: 'x', content: [{ type: 'text', text: 'two' }] },
      ],
    },
    'id',
  ).request
  expect(prompt.type === 'messages' ? prompt.messages.slice(1) : []).toEqual([
    { role: 'assistant', content: '', toolCalls: [{ id: 'call_legacy_0', name: 'f', arguments: '{}' }] },
    { role: 'tool', content: 'one', name: 'f', toolCallId: 'call_legacy_0' },
    { role: 'assistant', content: '', toolCalls: [{ id: 'x', name: 'g', arguments: '{}' }] },
    { role: 'tool', content: 'two', toolCallId: 'x' },
  ])
})
