import { performance } from 'node:perf_hooks'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Tool, ToolChoice } from '../shared/generate.ts'
import type { AnswerDialect } from './answer-dialect.ts'
import { type AnswerParserOptions, type AnswerPiece, createAnswerParser } from './answer-parser.ts'
import { deepseekR1 } from './dialects/deepseek-r1.ts'
import { deepseekV3 } from './dialects/deepseek-v3.ts'
import { deepseekV31 } from './dialects/deepseek-v31.ts'
import { deepseekV32 } from './dialects/deepseek-v32.ts'
import { deepseekV4 } from './dialects/deepseek-v4.ts'
import { deepseekV41 } from './dialects/deepseek-v41.ts'
import { generic } from './dialects/generic.ts'
import { gptOss } from './dialects/gpt-oss.ts'
import { hermes } from './dialects/hermes.ts'
import { llama3 } from './dialects/llama3.ts'
import { mistralList, mistralNamed } from './dialects/mistral.ts'
import { qwen3 } from './dialects/qwen3.ts'

const tools: Tool[] = [
  { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } } },
  { name: 'add' },
]

interface Given extends Partial<AnswerParserOptions> {
  dialect: AnswerDialect
  toolChoice?: ToolChoice
}

interface Answer {
  reasoning: string
  text: string
  calls: { id: string; name: string; arguments: string; repaired: boolean | undefined }[]
}

function pieces(given: Given, parts: readonly string[]): AnswerPiece[] {
  let ids = 0
  const parser = createAnswerParser({ opensThought: false, mayThink: false, tools, split: true, newId: () => `call_${ids++}`, ...given })
  return [...parts.flatMap((part) => parser.push(part)), ...parser.end()]
}

/** Neighbours joined: what must not depend on the cuts. */
function merged(all: readonly AnswerPiece[]): AnswerPiece[] {
  const result: AnswerPiece[] = []
  for (const piece of all) {
    const last = result.at(-1)
    if (last && 'text' in last && 'text' in piece && last.type === piece.type) last.text += piece.text
    else result.push({ ...piece })
  }
  return result
}

function read(given: Given, ...parts: string[]): Answer {
  const answer: Answer = { reasoning: '', text: '', calls: [] }
  for (const piece of pieces(given, parts)) {
    if (piece.type === 'reasoning') answer.reasoning += piece.text
    else if (piece.type === 'text') answer.text += piece.text
    else if (piece.type === 'call-begin') answer.calls.push({ id: piece.id, name: piece.name, arguments: '', repaired: undefined })
    else {
      const call = answer.calls[piece.call]
      if (!call) throw new Error('a piece of a call that has not begun')
      if (piece.type === 'call-arguments') call.arguments += piece.text
      else call.repaired = piece.repaired
    }
  }
  for (const call of answer.calls) {
    expect(JSON.parse(call.arguments)).toBeTypeOf('object')
    expect(call.repaired).toBeTypeOf('boolean')
  }
  return answer
}

const thinking = { opensThought: true, mayThink: true }
const mayThink = { opensThought: false, mayThink: true }
const dsml = (block: string, gap: string, ...calls: string[]): string =>
  `<｜DSML｜${gap}${block}>\n${calls.join('\n')}\n</｜DSML｜${gap}${block}>`
const invoke = (gap: string, name: string, ...parameters: [name: string, isString: boolean, value: string][]): string =>
  `<｜DSML｜${gap}invoke name="${name}">\n${parameters
    .map(([key, isString, value]) => `<｜DSML｜${gap}parameter name="${key}" string="${isString}">${value}</｜DSML｜${gap}parameter>\n`)
    .join('')}</｜DSML｜${gap}invoke>`

const berlin = { name: 'get_weather', arguments: '{"city": "柏林 \\"x\\" 🌧", "days": 3}', repaired: false }
const sum = { name: 'add', arguments: '{"a": [1, {"b": null}]}', repaired: false }
const without = ({ calls, ...rest }: Answer): object => ({
  ...rest,
  calls: calls.map(({ name, arguments: text, repaired }) => ({ name, arguments: text, repaired })),
})

/** For each dialect: two parallel calls as the model writes them. */
const parallel: [string, Given, string][] = [
  [
    'V3',
    { dialect: deepseekV3 },
    `I look.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n\`\`\`json\n${berlin.arguments}\n\`\`\`<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>add\n\`\`\`json\n${sum.arguments}\n\`\`\`<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
  ],
  [
    'R1',
    { dialect: deepseekR1, ...thinking },
    `\nHm.\n</think>\n\nI look.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n\`\`\`json\n${berlin.arguments}\n\`\`\`<｜tool▁call▁end｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>add\n\`\`\`json\n${sum.arguments}\n\`\`\`<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
  ],
  [
    'V3.1',
    { dialect: deepseekV31 },
    `I look.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>${berlin.arguments}<｜tool▁call▁end｜><｜tool▁call▁begin｜>add<｜tool▁sep｜>${sum.arguments}<｜tool▁call▁end｜><｜tool▁calls▁end｜>`,
  ],
  [
    'V3.2',
    { dialect: deepseekV32 },
    `I look.\n\n${dsml('function_calls', '', invoke('', 'get_weather', ['city', true, '柏林 "x" 🌧'], ['days', false, '3']), invoke('', 'add', ['a', false, '[1, {"b": null}]']))}`,
  ],
  [
    'V4',
    { dialect: deepseekV4, ...thinking },
    `Hm.</think>I look.\n\n${dsml('tool_calls', '', invoke('', 'get_weather', ['city', true, '柏林 "x" 🌧'], ['days', false, '3']), invoke('', 'add', ['a', false, '[1, {"b": null}]']))}`,
  ],
  [
    'V4.1',
    { dialect: deepseekV41 },
    `I look.\n\n${dsml('calls', ' ', invoke(' ', 'get_weather', ['city', true, '柏林 "x" 🌧'], ['days', false, '3']), invoke(' ', 'add', ['a', false, '[1, {"b": null}]']))}`,
  ],
  [
    'Qwen 2.5',
    { dialect: hermes },
    `I look.\n<tool_call>\n{"name": "get_weather", "arguments": ${berlin.arguments}}\n</tool_call>\n<tool_call>\n{"name": "add", "arguments": ${sum.arguments}}\n</tool_call>`,
  ],
  [
    'Qwen 3',
    { dialect: qwen3, ...mayThink },
    `<think>\nHm.\n</think>\n\nI look.\n<tool_call>\n{"name": "get_weather", "arguments": ${berlin.arguments}}\n</tool_call>\n<tool_call>\n{"name": "add", "arguments": ${sum.arguments}}\n</tool_call>`,
  ],
  [
    'Mistral, list',
    { dialect: mistralList },
    `I look.[TOOL_CALLS][{"name": "get_weather", "arguments": ${berlin.arguments}}, {"name": "add", "arguments": ${sum.arguments}, "id": "abcdefghi"}]`,
  ],
  [
    'Mistral, names',
    { dialect: mistralNamed },
    `I look.[TOOL_CALLS]get_weather[ARGS]${berlin.arguments}[TOOL_CALLS]add[CALL_ID]abcdefghi[ARGS]${sum.arguments}`,
  ],
  [
    'Llama 3',
    { dialect: llama3 },
    `I look.<|python_tag|>{"name": "get_weather", "parameters": ${berlin.arguments}}; {"name": "add", "parameters": ${sum.arguments}}`,
  ],
  [
    'generic',
    { dialect: generic },
    `I look.\n<tool_call>{"arguments": ${berlin.arguments}, "name": "get_weather"}</tool_call><tool_call>\`\`\`json\n{"name": "add", "arguments": ${JSON.stringify(sum.arguments)}}\n\`\`\`</tool_call>`,
  ],
  [
    'gpt-oss',
    { dialect: gptOss, ...mayThink },
    `<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary<|message|>I look.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>${berlin.arguments}<|call|><|start|>assistant to=functions.add<|channel|>commentary json<|message|>${sum.arguments}<|call|>`,
  ],
]

describe('tool calls', () => {
  it.each(parallel)('%s: text and two parallel calls', (_, given, text) => {
    const thought = text.includes('Hm.') ? 'Hm.' : ''
    const answer = read(given, text)
    expect(without(answer)).toEqual({ reasoning: thought, text: 'I look.', calls: [berlin, sum] })
    expect(new Set(answer.calls.map(({ id }) => id)).size).toBe(2)
  })

  it.each(parallel)('%s: cut off anywhere, each call is still valid JSON and no mark leaks', (_, given, text) => {
    for (let length = 0; length < text.length; length++) {
      const answer = read(given, text.slice(0, length))
      expect(answer.text, text.slice(0, length)).not.toMatch(
        /DSML|tool▁|TOOL_CALLS|<tool_call>|python_tag|<\|(?:channel|start|message|call)/,
      )
      expect(answer.calls.length).toBeLessThanOrEqual(2)
    }
  })

  it.each(parallel)('%s: every cut gives the same pieces', (_, given, text) => {
    const expected = merged(pieces(given, [text]))
    expect(merged(pieces(given, text.split('')))).toEqual(expected)
    for (let cut = 1; cut < text.length; cut++) expect(merged(pieces(given, [text.slice(0, cut), text.slice(cut)]))).toEqual(expected)
  })

  it.each(parallel)('%s: without tools, or with toolChoice none, nothing is a call', (_, given, text) => {
    for (const more of [{ tools: [] }, { toolChoice: { type: 'none' } as const }]) {
      const answer = read({ ...given, ...more }, text)
      expect(answer.calls).toEqual([])
      expect(answer.text).toContain('get_weather'.slice(0, given.dialect === gptOss ? 0 : undefined))
    }
  })
})

describe('arguments while they stream', () => {
  it('come as they are written', () => {
    const parser = createAnswerParser({ dialect: hermes, opensThought: false, mayThink: false, tools, split: true, newId: () => 'a' })
    expect(parser.push('<tool_call>\n{"name": "add", "argu')).toEqual([{ type: 'call-begin', call: 0, id: 'a', name: 'add' }])
    expect(parser.state).toBe('calling')
    expect(parser.push('ments": {"text": "Hel')).toEqual([{ type: 'call-arguments', call: 0, text: '{"text": "Hel' }])
    expect(parser.push('lo')).toEqual([{ type: 'call-arguments', call: 0, text: 'lo' }])
    expect(parser.push('"}}\n</tool_call>')).toEqual([
      { type: 'call-arguments', call: 0, text: '"}' },
      { type: 'call-end', call: 0, repaired: false },
    ])
    expect(parser.state).toBe('answer')
    expect(parser.end()).toEqual([])
  })

  it('of DSML become JSON piece by piece', () => {
    const parser = createAnswerParser({ dialect: deepseekV4, opensThought: false, mayThink: false, tools, split: true, newId: () => 'a' })
    parser.push('<｜DSML｜tool_calls>\n<｜DSML｜invoke name="add">\n')
    expect(parser.push('<｜DSML｜parameter name="t" string="true">say "hi"\n')).toEqual([
      { type: 'call-arguments', call: 0, text: '{"t": "say \\"hi\\"\\n' },
    ])
    expect(parser.push('<b></b><')).toEqual([{ type: 'call-arguments', call: 0, text: '<b></b>' }])
  })

  it.each([
    ['single quotes', `{'city': 'Paris'}`, { city: 'Paris' }],
    ['a trailing comma', '{"city": "Paris",}', { city: 'Paris' }],
    ['Python literals', '{"a": True, "b": None}', { a: true, b: null }],
    ['a raw line break in a text', '{"code": "a\nb"}', { code: 'a\nb' }],
    ['quotes inside of a text', '{"text": "he said "hi" to me"}', { text: 'he said "hi" to me' }],
    ['unquoted keys', '{city: "Paris"}', { city: 'Paris' }],
    ['a missing bracket', '{"a": [1, 2}', { a: [1, 2] }],
    ['a missing comma', '{"a": 1 "b": 2}', { a: 1, b: 2 }],
    ['a comment', '{"a": 1 /* one */}', { a: 1 }],
  ])('with %s are repaired, and that is reported', (_, broken, expected) => {
    for (const [dialect, text] of [
      [hermes, `<tool_call>\n{"name": "add", "arguments": ${broken}}\n</tool_call>`],
      [deepseekV31, `<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>add<｜tool▁sep｜>${broken}<｜tool▁call▁end｜><｜tool▁calls▁end｜>`],
      [mistralNamed, `[TOOL_CALLS]add[ARGS]${broken}`],
      [gptOss, `<|channel|>commentary to=functions.add<|message|>${broken}<|call|>`],
    ] as const) {
      const { calls, text: rest } = read({ dialect }, text)
      expect(calls.map((call) => ({ ...call, arguments: JSON.parse(call.arguments) as unknown }))).toEqual([
        { id: 'call_0', name: 'add', arguments: expected, repaired: true },
      ])
      expect(rest).toBe('')
    }
  })

  it('that are hopeless are closed as they stand', () => {
    expect(read({ dialect: hermes }, '<tool_call>{"name": "add", "arguments": {"a": [1, }{ 2\u0000').calls).toMatchObject([
      { name: 'add', repaired: true },
    ])
  })

  it('that are missing are an empty object', () => {
    expect(read({ dialect: hermes }, '<tool_call>{"name": "add"}</tool_call>').calls).toMatchObject([{ arguments: '{}', repaired: false }])
    const v31 = '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>add<｜tool▁sep｜><｜tool▁call▁end｜><｜tool▁calls▁end｜>'
    expect(read({ dialect: deepseekV31 }, v31).calls).toMatchObject([{ name: 'add', arguments: '{}', repaired: false }])
    expect(read({ dialect: deepseekV32 }, dsml('function_calls', '', invoke('', 'add'))).calls).toMatchObject([
      { arguments: '{}', repaired: false },
    ])
  })

  it('may hold what looks like a mark', () => {
    const code = JSON.stringify({ code: 'x = "</tool_call>" # <tool_call>{"name": "y"}</tool_call>' })
    expect(read({ dialect: hermes }, `<tool_call>\n{"name": "add", "arguments": ${code}}\n</tool_call>`).calls).toMatchObject([
      { arguments: code, repaired: false },
    ])
    const inDsml = dsml('tool_calls', '', invoke('', 'add', ['code', true, '<invoke name="x"></parameter> <tool_call>']))
    expect(JSON.parse(read({ dialect: deepseekV4 }, inDsml).calls[0]?.arguments ?? '')).toEqual({
      code: '<invoke name="x"></parameter> <tool_call>',
    })
  })
})

describe('what models get wrong', () => {
  it.each<[string, Given, string, Partial<Answer> | object]>([
    [
      'calls inside of an unfinished thought',
      { dialect: deepseekV4, ...thinking },
      `Hm.\n\n${dsml('tool_calls', '', invoke('', 'add'))}`,
      { reasoning: 'Hm.', text: '', calls: [{ name: 'add' }] },
    ],
    [
      'Qwen calls inside of a thought and goes on thinking',
      { dialect: qwen3, ...thinking },
      'Hm.<tool_call>{"name": "add", "arguments": {}}</tool_call>\nmore</think>\n\nDone',
      { reasoning: 'Hm.more', text: 'Done', calls: [{ name: 'add' }] },
    ],
    [
      'a thought about the tag',
      { dialect: qwen3, ...thinking },
      'I use <tool_call> now.</think>Yes',
      { reasoning: 'I use <tool_call> now.', text: 'Yes', calls: [] },
    ],
    [
      'a text about the tag',
      { dialect: hermes },
      'Write <tool_call> and </tool_call>.',
      { text: 'Write <tool_call> and </tool_call>.', calls: [] },
    ],
    [
      'a name that is no tool',
      { dialect: hermes },
      '<tool_call>{"name": "nope", "arguments": {}}</tool_call>',
      { text: '', calls: [{ name: 'nope', repaired: false }] },
    ],
    [
      'bare JSON with a tool’s name',
      { dialect: llama3 },
      '{"type": "function", "name": "add", "parameters": {"a": 1}}',
      { text: '', calls: [{ name: 'add', arguments: '{"a": 1}' }] },
    ],
    [
      'bare JSON in a fence',
      { dialect: generic },
      '```json\n{"name": "add", "arguments": {"a": 1}}\n```',
      { text: '', calls: [{ name: 'add', arguments: '{"a": 1}' }] },
    ],
    ['bare JSON that is an answer', { dialect: llama3 }, '{"name": "Alice", "age": 3}', { text: '{"name": "Alice", "age": 3}', calls: [] }],
    [
      'a missing outer block',
      { dialect: deepseekV32 },
      `Yes.\n${invoke('', 'add', ['a', false, '1'])}`,
      { text: 'Yes.', calls: [{ name: 'add', arguments: '{"a": 1}' }] },
    ],
    [
      'a missing outer mark',
      { dialect: deepseekV31 },
      'Yes.<｜tool▁call▁begin｜>add<｜tool▁sep｜>{"a":1}<｜tool▁call▁end｜>',
      { text: 'Yes.', calls: [{ name: 'add', arguments: '{"a":1}' }] },
    ],
    [
      'V3 writes as V3.1 does',
      { dialect: deepseekV3 },
      '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>add<｜tool▁sep｜>{"a":1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
      { text: '', calls: [{ name: 'add', arguments: '{"a":1}', repaired: false }] },
    ],
    [
      'a parameter given twice',
      { dialect: deepseekV4 },
      dsml('tool_calls', '', invoke('', 'add', ['a', false, '1'], ['a', false, '2'])),
      { calls: [{ arguments: '{"a": 1}', repaired: true }] },
    ],
    [
      'a text where JSON was said',
      { dialect: deepseekV4 },
      dsml('tool_calls', '', invoke('', 'add', ['a', false, 'Berlin'])),
      { calls: [{ arguments: '{"a": "Berlin"}', repaired: true }] },
    ],
    [
      'no word on the kind of a parameter',
      { dialect: deepseekV4 },
      '<｜DSML｜tool_calls>\n<｜DSML｜invoke name="get_weather">\n<｜DSML｜parameter name="city">3</｜DSML｜parameter>\n<｜DSML｜parameter name="days">3</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>',
      { calls: [{ arguments: '{"city": "3", "days": 3}', repaired: false }] },
    ],
    [
      'JSON inside of a DSML call',
      { dialect: deepseekV4 },
      '<｜DSML｜tool_calls>\n<｜DSML｜invoke name="add">\n{"a": 1}\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>',
      { calls: [{ arguments: '{"a":1}', repaired: true }] },
    ],
    [
      'a bracket too many',
      { dialect: hermes },
      '<tool_call>\n{"name": "add", "arguments": {"a": 1}}}\n</tool_call>Done',
      { text: 'Done', calls: [{ arguments: '{"a": 1}' }] },
    ],
    ['a block without a name', { dialect: hermes }, '<tool_call>{"x": 1}</tool_call>', { text: '{"x": 1}', calls: [] }],
    [
      'the name deeper',
      { dialect: hermes },
      '<tool_call>{"type": "function", "function": {"name": "add", "arguments": {"a": 1}}}</tool_call>',
      { calls: [{ name: 'add', arguments: '{"a":1}' }] },
    ],
    [
      'a whole call in single quotes',
      { dialect: hermes },
      `<tool_call>{'name': 'add', 'arguments': {'a': 1}}</tool_call>`,
      { text: '', calls: [{ name: 'add', arguments: '{"a":1}', repaired: true }] },
    ],
    [
      'text behind the calls',
      { dialect: hermes },
      '<tool_call>{"name": "add", "arguments": {}}</tool_call>\n\nDone.',
      { text: 'Done.', calls: [{ name: 'add' }] },
    ],
    ['a closing mark alone', { dialect: deepseekV31 }, 'Done.<｜tool▁calls▁end｜>', { text: 'Done.', calls: [] }],
    [
      'spelled-out control tokens',
      { dialect: deepseekR1, ...thinking },
      'a</think><｜tool_calls_begin｜><｜tool_call_begin｜>function<｜tool_sep｜>add\n```json\n{"a":1}\n```<｜tool_call_end｜><｜tool_calls_end｜>',
      { reasoning: 'a', text: '', calls: [{ name: 'add', arguments: '{"a":1}', repaired: false }] },
    ],
  ])('%s', (_, given, text, expected) => {
    expect(read(given, text)).toMatchObject(expected)
    expect(merged(pieces(given, text.split('')))).toEqual(merged(pieces(given, [text])))
  })
})

describe('thoughts', () => {
  it.each<[string, Given, string, string, string]>([
    [
      'R1: the prompt opened the thought',
      { dialect: deepseekR1, ...thinking },
      '\nFirst, add.\n</think>\n\nIt is 2.',
      'First, add.',
      'It is 2.',
    ],
    ['R1 opens it once more', { dialect: deepseekR1, ...thinking }, '<think>\nadd\n</think>2', 'add', '2'],
    ['R1 leaves the opening tag out', { dialect: deepseekR1, ...mayThink }, 'add\n</think>\n\n2', 'add', '2'],
    ['a thought that was cut off stays a thought', { dialect: deepseekR1, ...thinking }, 'hm </thin', 'hm </thin', ''],
    ['an empty thought', { dialect: deepseekR1, ...thinking }, '</think>\n\nYes.', '', 'Yes.'],
    ['both tags and nothing between', { dialect: qwen3, ...mayThink }, '<think>\n\n</think>\n\nYes.', '', 'Yes.'],
    ['the model opens the thought', { dialect: qwen3, ...mayThink }, '\n<think>\na\n</think>\n\nb', 'a', 'b'],
    ['the model never opens one', { dialect: qwen3, ...mayThink }, ' Hello <think> is a tag', '', ' Hello <think> is a tag'],
    ['V4 repeats the tag that switched thinking off', { dialect: deepseekV4 }, '</think>Yes.', '', 'Yes.'],
    ['a second thought is text', { dialect: qwen3, ...mayThink }, '<think>a</think>b<think>c</think>', 'a', 'b<think>c</think>'],
    ['a model without thoughts', { dialect: hermes }, '<think>x</think>y', '', '<think>x</think>y'],
    [
      'gpt-oss',
      { dialect: gptOss, ...mayThink },
      '<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b',
      'a',
      'b',
    ],
    ['gpt-oss without a header', { dialect: gptOss, ...mayThink }, 'Hello', '', 'Hello'],
    ['nothing at all', { dialect: qwen3, ...mayThink }, '', '', ''],
    ['only white space', { dialect: qwen3, ...mayThink }, ' \n', '', ' \n'],
  ])('%s', (_, given, text, reasoning, answer) => {
    expect(read(given, text)).toEqual({ reasoning, text: answer, calls: [] })
    expect(read({ ...given, tools: [] }, ...text.split(''))).toEqual({ reasoning, text: answer, calls: [] })
  })

  it('stay in the text to the letter when asked to', () => {
    const text = '\nFirst,\n</think>\n\nIt is 2.'
    expect(read({ dialect: deepseekR1, ...thinking, split: false }, text)).toEqual({ reasoning: '', text, calls: [] })
    const oss = '<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b'
    expect(read({ dialect: gptOss, ...mayThink, split: false }, oss).text).toBe('<think>a</think>\n\nb')
  })

  it('are told by the state', () => {
    const parser = createAnswerParser({ dialect: deepseekR1, ...thinking, tools: [], split: true, newId: () => 'a' })
    expect(parser.state).toBe('thinking')
    parser.push('a</think>')
    expect(parser.state).toBe('answer')
  })
})

const dialects: [string, AnswerDialect][] = parallel.map(([name, { dialect }]) => [name, dialect])

describe('any text', () => {
  const marks = parallel.flatMap(([, , text]) => text.split(/(?<=[>\]}])|(?=[<[{])/))
  const fragment = fc.oneof(
    fc.constantFrom(
      ...marks,
      '<think>',
      '</think>',
      '\n\n',
      '                    ',
      '{"name": "add"',
      '"arguments": {',
      '\\',
      '"',
      '}',
      '想🤔',
      '<',
      '｜',
      '```json',
    ),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
  )
  const text = fc.array(fragment, { maxLength: 24 }).map((parts) => parts.join(''))

  it.each(dialects)('%s: never throws, keeps arguments valid, and does not depend on the cuts', (_, dialect) => {
    fc.assert(
      fc.property(
        text,
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.array(fc.nat(300), { maxLength: 6 }),
        (whole, opens, may, split, cuts) => {
          const given: Given = { dialect, opensThought: opens, mayThink: may || opens, split }
          const expected = merged(pieces(given, [whole]))
          read(given, whole)
          expect(merged(pieces(given, whole.split('')))).toEqual(expected)
          const points = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].toSorted((a, b) => a - b)
          const parts = points.slice(1).map((point, index) => whole.slice(points[index], point))
          expect(merged(pieces(given, parts))).toEqual(expected)
        },
      ),
      { numRuns: 300 },
    )
  })

  it.each(dialects)('%s: a megabyte takes time in proportion', (_, dialect) => {
    const begin = parallel.find(([, given]) => given.dialect === dialect)?.[2].slice(0, 90) ?? ''
    for (const unit of ['<', '{"a":', '\n', begin, '<tool_call>{"name": "add", "arguments": {', '<｜DSML｜invoke name="a">', 'a "b\\']) {
      const long = begin + unit.repeat(Math.ceil(250_000 / unit.length))
      const started = performance.now()
      read({ dialect, ...mayThink }, long)
      expect(performance.now() - started).toBeLessThan(5000)
    }
  })
})
