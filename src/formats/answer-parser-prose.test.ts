import { describe, expect, it } from 'vitest'
import { berlin, merged, parallel, pieces, read, sum, without } from '../../test/fixtures/answer-samples.ts'
import { hermes } from './dialects/hermes.ts'
import { kimiK2 } from './dialects/kimi-k2.ts'
import { mistralNamed } from './dialects/mistral.ts'
import { qwen3Coder } from './dialects/qwen3-coder.ts'

/** Answers that speak of markup, and call nothing. gpt-oss is left out: its marks are tokens that it cannot write otherwise. */
const PROSE = [
  'The token [TOOL_CALLS] marks a call in Mistral.',
  'The token `[TOOL_CALLS]` marks a call, see [ARGS] too.\n\nMore text {and braces}.',
  'See [TOOL_CALLS] [below] or [TOOL_CALLS]: both.',
  'DeepSeek writes <｜tool▁calls▁begin｜> before calls and <｜tool▁calls▁end｜> after.',
  'Mit `<｜tool▁calls▁begin｜>` und `<｜tool▁call▁begin｜>` beginnt es, mit `<｜tool▁calls▁end｜>` endet es.',
  'Only `<｜tool▁calls▁end｜>` is named here.',
  '标记 <｜tool▁calls▁begin｜>，以及“<｜tool▁call▁begin｜>”表示调用。',
  'The tag `<｜DSML｜invoke name="x">` begins a call; `</｜DSML｜invoke>` ends it. Done.',
  'In V4 <｜DSML｜tool_calls> is a block, <｜DSML｜ calls> in V4.1. Done.',
  'Kimi uses <|tool_calls_section_begin|> and <|tool_call_begin|> tokens. Ok.',
  'Qwen wraps <tool_call> JSON </tool_call> around. <function=…> too.',
  'Example:\n```xml\n<tool_call>\n{"name": "my_function", "arguments": {"x": 1}}\n</tool_call>\n```\nThat is it.',
  'Example:\n```xml\n<tool_call>\n<function=my_function>\n<parameter=x>\n1\n</parameter>\n</function>\n</tool_call>\n```\nThat is it.',
  'Example:\n```\n<tool_call>my_function\n<arg_key>x</arg_key>\n<arg_value>1</arg_value>\n</tool_call>\n```\nThat is it.',
  'Example:\n```\n[TOOL_CALLS]my_function[ARGS]{"x": 1}\n```\nThat is it.',
  'Example:\n```\n[TOOL_CALLS][{"name": "my_function", "arguments": {"x": 1}}]\n```\nThat is it.',
  'Example:\n```\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name="my_function">\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>\n```\nThat is it.',
  'C++: `vector<function<int()>> f;` x<function=1; a <arg_key> b, array[TOOL_CALLS]!',
  'if (a < b && c > d) { return "<tool" + "_call>" }',
  '你好，<工具> 《书名》「引号」 <tool_call> 是标签。',
  '{"name": "Alice", "parameters": {"age": 3}}',
]

describe('what is only spoken about stays in the text', () => {
  const others = parallel.filter(([name]) => !/oss/i.test(name))

  it.each(PROSE)('%j', (text) => {
    for (const [name, given] of others) {
      const { dialect } = given
      expect(read({ dialect }, text), name).toEqual({ reasoning: '', text, calls: [] })
      expect(merged(pieces({ dialect }, text.split('')))).toEqual([{ type: 'text', text }])
    }
  })

  it.each(others)('%s: and calls after it are calls', (_, { dialect }, text) => {
    const spoken = 'The mark `<tool_call>`, or `[TOOL_CALLS]`, or <｜tool▁calls▁begin｜> in text.\n\n'
    const calls = text.slice(text.indexOf('I look.'))
    const answer = without(read({ dialect }, spoken + calls))
    expect(answer).toEqual({ reasoning: '', text: `${spoken}I look.`, calls: [berlin, sum] })
  })
})

describe('in a fence', () => {
  it.each([
    ['an object', hermes, '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>'],
    ['elements', qwen3Coder, '<tool_call>\n<function=add>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>'],
    ['a name before the arguments', mistralNamed, '[TOOL_CALLS]add[ARGS]{"a": 1}'],
    [
      'a section',
      kimiK2,
      '<|tool_calls_section_begin|><|tool_call_begin|>functions.add:0<|tool_call_argument_begin|>{"a": 1}<|tool_call_end|><|tool_calls_section_end|>',
    ],
  ] as const)('%s is a call when there is such a tool: small models write so', (_, dialect, call) => {
    expect(read({ dialect }, `\`\`\`xml\n${call}`).calls).toMatchObject([{ name: 'add', arguments: '{"a": 1}', repaired: false }])
    expect(read({ dialect }, `\`\`\`xml\n${call.replaceAll('add', 'sub')}`).calls).toEqual([])
    expect(read({ dialect }, `\`\`\`xml\n\`\`\`\n${call.replaceAll('add', 'sub')}`).calls).toMatchObject([{ name: 'sub' }])
  })
})
