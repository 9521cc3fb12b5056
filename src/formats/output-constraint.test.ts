import { createRequire } from 'node:module'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AppError } from '../shared/errors.ts'
import type { Tool } from '../shared/generate.ts'
import type { AnswerDialect } from './answer-dialect.ts'
import { createAnswerParser } from './answer-parser.ts'
import type { Constraint, ConstraintRoot } from './constraint.ts'
import { deepseekR1 } from './dialects/deepseek-r1.ts'
import { deepseekV3 } from './dialects/deepseek-v3.ts'
import { deepseekV31 } from './dialects/deepseek-v31.ts'
import { deepseekV32 } from './dialects/deepseek-v32.ts'
import { deepseekV4 } from './dialects/deepseek-v4.ts'
import { deepseekV41 } from './dialects/deepseek-v41.ts'
import { glm45, glm47 } from './dialects/glm.ts'
import { gptOss } from './dialects/gpt-oss.ts'
import { hermes } from './dialects/hermes.ts'
import { kimiK2 } from './dialects/kimi-k2.ts'
import { llama3 } from './dialects/llama3.ts'
import { mistralList, mistralNamed } from './dialects/mistral.ts'
import { qwen3Coder } from './dialects/qwen3-coder.ts'
import { qwen3 } from './dialects/qwen3.ts'
import { allowedTools, type ConstraintWishes, outputConstraint } from './output-constraint.ts'

interface Disposable {
  dispose(): void
}
interface XGrammar {
  Grammar: { fromStructuralTag(tag: unknown): Promise<Disposable>; fromJSONSchema(schema: string): Promise<Disposable> }
  Testings: { isGrammarAcceptString(grammar: Disposable, text: string): Promise<boolean> }
}

/** The package says that it is an ES module, but its file is UMD: a copy with the other name is run as CommonJS. */
function loadXGrammar(): XGrammar {
  const require = createRequire(import.meta.url)
  const folder = mkdtempSync(join(tmpdir(), 'bendi-xgrammar-'))
  try {
    const copy = join(folder, 'xgrammar.cjs')
    copyFileSync(require.resolve('@mlc-ai/web-xgrammar'), copy)
    return require(copy) as XGrammar
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const { Grammar, Testings } = loadXGrammar()

async function accepts(root: ConstraintRoot | undefined, text: string): Promise<boolean> {
  if (root?.type !== 'structural' && root?.type !== 'json-schema') throw new Error('there is no grammar')
  const grammar =
    root.type === 'structural'
      ? await Grammar.fromStructuralTag({ type: 'structural_tag', format: root.format })
      : await Grammar.fromJSONSchema(JSON.stringify(root.schema))
  try {
    return await Testings.isGrammarAcceptString(grammar, text)
  } finally {
    grammar.dispose()
  }
}

const tools: Tool[] = [
  {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer' }, unit: { enum: ['C', 'F'] } },
      required: ['city'],
      additionalProperties: false,
    },
  },
  { name: 'now' },
]
const wish = (dialect: AnswerDialect, more: Partial<ConstraintWishes> = {}): Constraint | undefined =>
  outputConstraint({ dialect, opensThought: false, mayThink: false, tools, ...more })
const required = { type: 'required' } as const

const city = '{"city": "柏林 \\"x\\"", "days": 3}'
const dsml = (block: string, gap: string): { one: string; two: string; wrong: string } => {
  const open = `\n\n<｜DSML｜${gap}${block}>\n`
  const close = `\n</｜DSML｜${gap}${block}>`
  const parameter = (name: string, isString: boolean, value: string): string =>
    `<｜DSML｜${gap}parameter name="${name}" string="${isString}">${value}</｜DSML｜${gap}parameter>\n`
  const weather = (inner: string): string => `<｜DSML｜${gap}invoke name="get_weather">\n${inner}</｜DSML｜${gap}invoke>`
  const first = weather(parameter('city', true, '柏林 "x"') + parameter('days', false, '3'))
  return {
    one: open + first + close,
    two: `${open}${first}\n<｜DSML｜${gap}invoke name="now">\n</｜DSML｜${gap}invoke>${close}`,
    wrong: open + weather(parameter('days', false, '3')) + close,
  }
}
const v3 = (name: string, text: string): string =>
  `<｜tool▁call▁begin｜>function<｜tool▁sep｜>${name}\n\`\`\`json\n${text}\n\`\`\`<｜tool▁call▁end｜>`
const block = (...calls: string[]): string => `<｜tool▁calls▁begin｜>${calls.join('\n')}<｜tool▁calls▁end｜>`
const v31 = (name: string, text: string): string => `<｜tool▁call▁begin｜>${name}<｜tool▁sep｜>${text}<｜tool▁call▁end｜>`
const tagged = (name: string, text: string): string => `<tool_call>\n{"name": "${name}", "arguments": ${text}}\n</tool_call>`
const bad = '{"days": 3}'
const element = (name: string, ...parameters: string[]): string =>
  `<tool_call>\n<function=${name}>\n${parameters.join('')}</function>\n</tool_call>`
const parameter = (key: string, value: string): string => `<parameter=${key}>\n${value}\n</parameter>\n`
const keyed = (lineBreak: string, name: string, ...parameters: [key: string, value: string][]): string =>
  `<tool_call>${[name, ...parameters.flatMap(([key, value]) => [`<arg_key>${key}</arg_key>`, `<arg_value>${value}</arg_value>`]), '</tool_call>'].join(lineBreak)}`
const glm = (lineBreak: string): { one: string; two: string; wrong: string } => {
  const one = keyed(lineBreak, 'get_weather', ['city', '柏林 "x"'], ['days', '3'], ['unit', 'C'])
  return {
    one,
    two: `${one}${lineBreak}${keyed(lineBreak, 'now')}`,
    wrong: keyed(lineBreak, 'get_weather', ['city', 'x'], ['days', 'three']),
  }
}
const kimi = (...calls: [name: string, text: string][]): string =>
  `<|tool_calls_section_begin|>${calls.map(([name, text], index) => `<|tool_call_begin|>functions.${name}:${index + 9}<|tool_call_argument_begin|>${text}<|tool_call_end|>`).join('')}<|tool_calls_section_end|>`

const written: [string, AnswerDialect, { one: string; two?: string; wrong: string }][] = [
  [
    'V3',
    deepseekV3,
    { one: block(v3('get_weather', city)), two: block(v3('get_weather', city), v3('now', '{}')), wrong: block(v3('get_weather', bad)) },
  ],
  [
    'V3.1',
    deepseekV31,
    {
      one: `<｜tool▁calls▁begin｜>${v31('get_weather', city)}<｜tool▁calls▁end｜>`,
      two: `<｜tool▁calls▁begin｜>${v31('get_weather', city)}${v31('now', '{}')}<｜tool▁calls▁end｜>`,
      wrong: `<｜tool▁calls▁begin｜>${v31('get_weather', bad)}<｜tool▁calls▁end｜>`,
    },
  ],
  ['V3.2', deepseekV32, dsml('function_calls', '')],
  ['V4', deepseekV4, dsml('tool_calls', '')],
  ['V4.1', deepseekV41, dsml('calls', ' ')],
  [
    'Hermes',
    hermes,
    { one: tagged('get_weather', city), two: `${tagged('get_weather', city)}\n${tagged('now', '{}')}`, wrong: tagged('get_weather', bad) },
  ],
  [
    'Qwen3-Coder',
    qwen3Coder,
    {
      one: element('get_weather', parameter('city', '柏林 "x"'), parameter('days', '3')),
      two: `${element('get_weather', parameter('city', '柏林 "x"'))}\n${element('now')}`,
      wrong: element('get_weather', parameter('days', '3')),
    },
  ],
  ['GLM 4.5', glm45, glm('\n')],
  ['GLM 4.7', glm47, glm('')],
  [
    'Kimi K2',
    kimiK2,
    { one: kimi(['get_weather', city]), two: kimi(['get_weather', city], ['now', '{}']), wrong: kimi(['get_weather', bad]) },
  ],
  [
    'Mistral list',
    mistralList,
    {
      one: `[TOOL_CALLS][{"name": "get_weather", "arguments": ${city}}]`,
      two: `[TOOL_CALLS][{"name": "get_weather", "arguments": ${city}}, {"name": "now", "arguments": {}}]`,
      wrong: `[TOOL_CALLS][{"name": "get_weather", "arguments": ${bad}}]`,
    },
  ],
  [
    'Mistral names',
    mistralNamed,
    {
      one: `[TOOL_CALLS]get_weather[ARGS]${city}`,
      two: `[TOOL_CALLS]get_weather[ARGS]${city}[TOOL_CALLS]now[ARGS]{}`,
      wrong: `[TOOL_CALLS]get_weather[ARGS]${bad}`,
    },
  ],
  [
    'Llama 3',
    llama3,
    {
      one: `{"name": "get_weather", "parameters": ${city}}`,
      two: `{"name": "get_weather", "parameters": ${city}}; {"name": "now", "parameters": {}}`,
      wrong: `{"name": "get_weather", "parameters": ${bad}}`,
    },
  ],
  [
    'gpt-oss',
    gptOss,
    {
      one: `<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>${city}`,
      wrong: `<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>${bad}`,
    },
  ],
]

describe('required calls', () => {
  it.each(written)('%s: the grammar wants calls by the schema and nothing else', async (_, dialect, { one, two, wrong }) => {
    const root = wish(dialect, { toolChoice: required })?.root
    expect(await accepts(root, one)).toBe(true)
    if (two !== undefined) expect(await accepts(root, two)).toBe(true)
    for (const text of [wrong, 'Hello', `${one} and`, '', one.replace('get_weather', 'nope')])
      expect(await accepts(root, text), text).toBe(false)
  })

  it.each(written)('%s: what the grammar accepts is read back unrepaired', (_, dialect, { one, two = one }) => {
    for (const text of [one, two]) {
      const parser = createAnswerParser({ dialect, opensThought: false, mayThink: false, tools, split: true, newId: () => 'a' })
      const pieces = [...parser.push(text), ...parser.end()]
      expect(pieces.filter((piece) => piece.type === 'text')).toEqual([])
      expect(pieces.filter((piece) => piece.type === 'call-end').map((piece) => piece.repaired)).toEqual(
        text === one ? [false] : [false, false],
      )
    }
  })

  it.each(written)('%s: one call only when named, or when parallel calls are off', async (_, dialect, { one, two }) => {
    const named = wish(dialect, { toolChoice: { type: 'named', name: 'get_weather' } })?.root
    const single = wish(dialect, { toolChoice: required, parallelToolCalls: false })?.root
    for (const root of [named, single]) {
      expect(await accepts(root, one)).toBe(true)
      if (two !== undefined) expect(await accepts(root, two)).toBe(false)
    }
  })

  it('of DSML may leave optional parameters out, and keep lists of values', async () => {
    const root = wish(deepseekV4, { toolChoice: required })?.root
    const call = (inner: string): string =>
      `\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name="get_weather">\n${inner}</｜DSML｜invoke>\n</｜DSML｜tool_calls>`
    const name = '<｜DSML｜parameter name="city" string="true">x</｜DSML｜parameter>\n'
    const unit = (value: string): string => `<｜DSML｜parameter name="unit" string="true">${value}</｜DSML｜parameter>\n`
    expect(await accepts(root, call(name))).toBe(true)
    expect(await accepts(root, call(name + unit('C')))).toBe(true)
    expect(await accepts(root, call(name + unit('K')))).toBe(false)
  })

  it('come after the thought', async () => {
    expect(wish(deepseekR1, { opensThought: true, mayThink: true, toolChoice: required })?.afterThought).toBe('</think>')
    const optional = wish(qwen3, { mayThink: true, toolChoice: required })
    expect(optional?.afterThought).toBeUndefined()
    expect(await accepts(optional?.root, `<think>\nhm\n</think>\n\n${tagged('now', '{}')}`)).toBe(true)
    expect(await accepts(optional?.root, tagged('now', '{}'))).toBe(true)
    expect(await accepts(optional?.root, 'hm')).toBe(false)
  })
})

describe('strict tools that need not be called', () => {
  const strict = tools.map((tool) => ({ ...tool, strict: true }))

  it.each(written.filter(([, dialect]) => dialect !== llama3 && dialect !== gptOss))(
    '%s: text is free, calls keep to the schema',
    async (_, dialect, { one, two = one, wrong }) => {
      const root = wish(dialect, { tools: strict })?.root
      for (const text of ['Hello, {"a"} world', `I look.${one}`, `I look.${two}`]) expect(await accepts(root, text), text).toBe(true)
      expect(await accepts(root, `I look.${wrong}`)).toBe(false)
    },
  )

  it('hold nothing when no tool is strict, or none may be called', () => {
    expect(wish(hermes)).toBeUndefined()
    expect(wish(hermes, { tools: strict, toolChoice: { type: 'none' } })).toBeUndefined()
  })
})

describe('the form of the answer', () => {
  const schema = { type: 'object', properties: { a: { type: 'integer', exclusiveMinimum: 2 } }, required: ['a', 'b'] }

  it('is the schema, written so that more of it is enforced', async () => {
    const root = wish(hermes, { tools: [], output: { type: 'json-schema', schema } })?.root
    expect(root?.type).toBe('json-schema')
    expect(await accepts(root, '{"a": 3, "b": [1]}')).toBe(true)
    expect(await accepts(root, '{"a": 2, "b": 1}')).toBe(false)
    expect(await accepts(root, '{"a": 3}')).toBe(false)
  })

  it('is in the final message of gpt-oss', async () => {
    const root = wish(gptOss, { mayThink: true, output: { type: 'json-object' } })?.root
    expect(await accepts(root, '<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>{"a": 1}')).toBe(true)
    expect(await accepts(root, '<|channel|>final<|message|>{"a": 1}')).toBe(true)
    expect(await accepts(root, '<|channel|>final<|message|>Hello')).toBe(false)
  })

  it('passes a pattern and a grammar on', () => {
    expect(wish(hermes, { output: { type: 'regex', pattern: '\\d+' } })).toEqual({ root: { type: 'regex', pattern: '\\d+' } })
    expect(wish(hermes, { output: { type: 'grammar', grammar: 'root ::= "a"' } })).toEqual({
      root: { type: 'grammar', grammar: 'root ::= "a"' },
    })
  })

  it('gives way to a call that is required', () => {
    expect(wish(hermes, { toolChoice: required, output: { type: 'json-object' } })?.root.type).toBe('structural')
  })

  it('is refused when nothing can satisfy it', () => {
    const impossible = { type: 'integer', minimum: 5, maximum: 3 }
    expect(() => wish(hermes, { output: { type: 'json-schema', schema: impossible } })).toThrow(AppError)
    const tool = { name: 'x', parameters: { type: 'object', properties: { a: impossible } } }
    expect(() => wish(hermes, { tools: [tool], toolChoice: required })).toThrow(
      'tools: x: at /properties/a, minimum 5 is more than maximum 3',
    )
  })
})

it('knows which tools may be called', () => {
  expect(allowedTools(tools, { type: 'required', names: ['now'] })).toEqual([tools[1]])
  expect(allowedTools(tools, { type: 'none' })).toEqual([])
  expect(allowedTools(tools)).toBe(tools)
})
