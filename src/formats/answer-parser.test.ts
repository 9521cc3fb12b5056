import { describe, expect, it } from 'vitest'
import {
  type Answer,
  type Given,
  berlin,
  dsml,
  invoke,
  mayThink,
  merged,
  parallel,
  pieces,
  read,
  sum,
  thinking,
  tools,
  without,
} from '../../test/fixtures/answer-samples.ts'
import { createAnswerParser } from './answer-parser.ts'
import { deepseekR1 } from './dialects/deepseek-r1.ts'
import { deepseekV3 } from './dialects/deepseek-v3.ts'
import { deepseekV31 } from './dialects/deepseek-v31.ts'
import { deepseekV32 } from './dialects/deepseek-v32.ts'
import { deepseekV4 } from './dialects/deepseek-v4.ts'
import { generic } from './dialects/generic.ts'
import { gptOss } from './dialects/gpt-oss.ts'
import { hermes } from './dialects/hermes.ts'
import { llama3 } from './dialects/llama3.ts'
import { mistralNamed } from './dialects/mistral.ts'
import { qwen3 } from './dialects/qwen3.ts'

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
        /DSML|tool▁|TOOL_CALLS|<tool_call>|python_tag|<function=|<parameter=|<arg_|<\|tool_call|<\|(?:channel|start|message|call)/,
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

it.each(parallel)('%s: without parallel calls the answer is over with the first', (_, given, text) => {
  const whole = `${text}\nDone`
  const expected = merged(pieces({ ...given, parallelToolCalls: false }, [whole]))
  expect(expected.filter(({ type }) => type === 'call-begin')).toHaveLength(1)
  expect(expected.at(-1)).toMatchObject({ type: 'call-end', call: 0 })
  expect(merged(pieces({ ...given, parallelToolCalls: false }, whole.split('')))).toEqual(expected)
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
    ['a path', '{"path": "C:\\Users\\x"}', { path: 'C:\\Users\\x' }],
    ['Chinese punctuation', '{"城市"："北京"，"a"：1}', { 城市: '北京', a: 1 }],
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
    [
      'two bare calls on lines of their own',
      { dialect: llama3 },
      '{"name": "add", "parameters": {"a": 1}}\n{"name": "add", "parameters": {"a": 2}}\n{"name": "Alice"}',
      { text: '{"name": "Alice"}', calls: [{ arguments: '{"a": 1}' }, { arguments: '{"a": 2}' }] },
    ],
    ['a name that was cut off', { dialect: hermes }, '<tool_call>\n{"name": "get_wea', { text: '', calls: [] }],
    [
      'a list for arguments',
      { dialect: hermes },
      '<tool_call>{"name": "add", "arguments": [1]}</tool_call>',
      { calls: [{ arguments: '{}', repaired: true }] },
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
