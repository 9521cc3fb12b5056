import { describe, expect, it } from 'vitest'
import type { Message, Tool } from '../../shared/generate.ts'
import { encodeDeepseekV31 } from './deepseek-v31-encoder.ts'
import { encodeDeepseekV32 } from './deepseek-v32-encoder.ts'
import { encodeDeepseekV4, encodeDeepseekV41 } from './deepseek-v4-encoder.ts'
import type { EncoderInput } from './encoder-input.ts'
import { pythonJson } from './python-json.ts'

const system = (content: string): Message => ({ role: 'system', content })
const user = (content: string): Message => ({ role: 'user', content })
const developer = (content: string): Message => ({ role: 'developer', content })
const assistant = (content: string, more: Partial<Message> = {}): Message => ({ role: 'assistant', content, ...more })
const result = (toolCallId: string, content: string): Message => ({ role: 'tool', toolCallId, content })

const tools: Tool[] = [
  { name: 'get_weather', description: '天气', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
]
const given = (messages: Message[], more: Partial<EncoderInput> = {}): EncoderInput => ({
  bos: '<BOS>',
  eos: '<EOS>',
  messages,
  tools: [],
  thinking: true,
  effort: '',
  ask: true,
  ...more,
})
const call = (id: string, text: string) => ({ id, name: 'get_weather', arguments: text })
const calls = [call('a', '{"city": "北京", "days": [1, 2]}'), call('b', '{}')]

describe('V4', () => {
  const talk = [system('S'), user('1+1'), assistant('2', { reasoning: 'add' }), developer('be brief'), user('2+2')]

  it('drops earlier thoughts, and developer messages before the last question, when there are no tools', () => {
    expect(encodeDeepseekV4(given(talk))).toBe('<BOS>S<｜User｜>1+1<｜Assistant｜></think>2<EOS><｜User｜>2+2<｜Assistant｜><think>')
  })

  it('closes the thought at once when it is not to think', () => {
    expect(encodeDeepseekV4(given([user('hi'), assistant('yo'), user('q')], { thinking: false, effort: 'never shown' }))).toBe(
      '<BOS><｜User｜>hi<｜Assistant｜></think>yo<EOS><｜User｜>q<｜Assistant｜></think>',
    )
  })

  it('keeps thoughts when there are tools, and puts the results, in the order of the calls, into the next turn of the user', () => {
    const messages = [user('?'), assistant('', { reasoning: 'look', toolCalls: calls }), result('b', 'B'), result('a', 'A'), user('and?')]
    const text = encodeDeepseekV4(given(messages, { tools }))
    expect(text).toContain('<BOS>\n\n## Tools\n\nYou have access to a set of tools')
    expect(text).toContain(
      '{"name": "get_weather", "description": "天气", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}',
    )
    expect(text.slice(text.indexOf('<｜User｜>'))).toBe(
      `<｜User｜>?<｜Assistant｜><think>look</think>

<｜DSML｜tool_calls>
<｜DSML｜invoke name="get_weather">
<｜DSML｜parameter name="city" string="true">北京</｜DSML｜parameter>
<｜DSML｜parameter name="days" string="false">[1, 2]</｜DSML｜parameter>
</｜DSML｜invoke>
<｜DSML｜invoke name="get_weather">

</｜DSML｜invoke>
</｜DSML｜tool_calls><EOS><｜User｜><tool_result>A</tool_result>

<tool_result>B</tool_result>

and?<｜Assistant｜><think>`,
    )
  })

  it('puts the effort in front of everything, and goes on with an unfinished answer', () => {
    expect(encodeDeepseekV4(given([user('q'), assistant('one, ', { reasoning: 'count' })], { effort: 'HARD\n\n', ask: false }))).toBe(
      '<BOS>HARD\n\n<｜User｜>q<｜Assistant｜><think>count</think>one, ',
    )
  })

  it('takes a thought that a client left in the content', () => {
    const messages = [user('a'), assistant('<think>\nhm\n</think>\n\nb'), user('c')]
    expect(encodeDeepseekV4(given(messages, { tools }))).toContain('<｜Assistant｜><think>hm</think>b<EOS>')
    expect(encodeDeepseekV4(given(messages))).toContain('<｜Assistant｜></think>b<EOS>')
  })

  it('shows broken arguments as one', () => {
    const text = encodeDeepseekV4(given([user('?'), assistant('', { toolCalls: [call('a', '{broken')] }), result('a', 'A')]))
    expect(text).toContain('<｜DSML｜parameter name="arguments" string="true">{broken</｜DSML｜parameter>')
  })
})

describe('V4.1', () => {
  it('marks system messages; one in the middle counts as a question', () => {
    expect(encodeDeepseekV41(given([system('S'), user('a'), assistant('b'), system('T')], { effort: 'Effort\n\n' }))).toBe(
      '<BOS><｜System｜>Effort\n\nS<｜User｜>a<｜Assistant｜></think>b<EOS><｜System｜>T<｜Assistant｜><think>',
    )
    expect(encodeDeepseekV41(given([user('a')], { effort: 'Effort\n\n' }))).toBe(
      '<BOS><｜System｜>Effort\n\n<｜User｜>a<｜Assistant｜><think>',
    )
    expect(encodeDeepseekV41(given([user('a')], { thinking: false }))).toBe('<BOS><｜User｜>a<｜Assistant｜></think>')
  })

  it('writes its tags with a space', () => {
    const text = encodeDeepseekV41(given([user('?'), assistant('', { toolCalls: calls.slice(0, 1) }), result('a', 'A')], { tools }))
    expect(text).toContain('a "<｜DSML｜ calls>" block')
    expect(text).toContain(
      '<｜DSML｜ calls>\n<｜DSML｜ invoke name="get_weather">\n<｜DSML｜ parameter name="city" string="true">北京</｜DSML｜ parameter>\n',
    )
  })
})

describe('V3.2', () => {
  it('drops the thoughts before the last question, keeps the ones behind it, and thinks on after results', () => {
    const messages = [
      user('x'),
      assistant('y', { reasoning: 'old' }),
      user('?'),
      assistant('', { reasoning: 'look', toolCalls: calls }),
      result('a', 'A'),
      result('b', 'B'),
    ]
    const text = encodeDeepseekV32(given(messages))
    expect(text).toMatch(
      /^<BOS><｜User｜>x<｜Assistant｜><\/think>y<EOS><｜User｜>\?<｜Assistant｜><think>look<\/think>\n\n<｜DSML｜function_calls>\n/,
    )
    expect(text.slice(text.indexOf('<EOS>\n\n<function'))).toBe(
      '<EOS>\n\n<function_results>\n<result>A</result>\n<result>B</result>\n</function_results>\n\n<think>',
    )
  })

  it('tells the tools behind the system text, or in a system message of its own', () => {
    expect(encodeDeepseekV32(given([system('S'), user('q')], { tools }))).toMatch(/^<BOS>S\n\n## Tools\nYou have access/)
    expect(encodeDeepseekV32(given([user('q')], { tools }))).toMatch(
      /^<BOS>\n\n## Tools\n[^]*<\/functions>\n<｜User｜>q<｜Assistant｜><think>$/,
    )
  })

  it('without thinking, and going on', () => {
    expect(encodeDeepseekV32(given([developer('d'), assistant('one')], { thinking: false, ask: false }))).toBe(
      "<BOS><｜User｜>\n\n# The user's message is: d<｜Assistant｜></think>one",
    )
  })
})

describe('V3.1', () => {
  it('drops thoughts, and goes on behind results without a new turn', () => {
    const messages = [system('S'), user('?'), assistant('', { reasoning: 'look', toolCalls: calls.slice(1) }), result('b', 'B')]
    expect(encodeDeepseekV31(given(messages))).toBe(
      '<BOS>S<｜User｜>?<｜Assistant｜></think><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜><EOS><｜tool▁output▁begin｜>B<｜tool▁output▁end｜>',
    )
    expect(encodeDeepseekV31(given([user('q')], { tools }))).toMatch(/^<BOS>## Tools\n[^]*<｜User｜>q<｜Assistant｜><think>$/)
  })
})

describe('the schema of the answer', () => {
  const schema = { type: 'object', properties: { a: { type: 'integer' } } }
  const told =
    '## Response Format:\n\nYou MUST strictly adhere to the following schema to reply:\n{"type": "object", "properties": {"a": {"type": "integer"}}}'

  it.each([
    ['V3.2', encodeDeepseekV32, '<BOS>'],
    ['V4', encodeDeepseekV4, '<BOS>'],
    ['V4.1', encodeDeepseekV41, '<BOS><｜System｜>'],
  ])('%s: is told behind the system text and the tools', (_, encode, begin) => {
    expect(encode(given([system('S'), user('q')], { responseFormat: schema }))).toContain(`${begin}S\n\n${told}<｜User｜>q`)
    expect(encode(given([user('q')], { responseFormat: schema }))).toContain(`${begin}\n\n${told}<｜User｜>q`)
    const both = encode(given([system('S'), user('q')], { responseFormat: schema, tools }))
    expect(both.indexOf('get_weather')).toBeGreaterThan(0)
    expect(both.indexOf(told)).toBeGreaterThan(both.indexOf('get_weather'))
  })
})

it('JSON is written as Python does', () => {
  expect(pythonJson({ a: [1, 'é"', null, true], b: {}, c: undefined })).toBe('{"a": [1, "é\\"", null, true], "b": {}}')
})
