import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Tool } from '../../shared/generate.ts'
import { read } from '../../../test/fixtures/answer-samples.ts'
import { deepseekV4 } from '../dialects/deepseek-v4.ts'
import { glm45 } from '../dialects/glm.ts'
import { qwen3Coder } from '../dialects/qwen3-coder.ts'
import { parameterTypes } from './parameter-types.ts'
import { ParameterValue, type ValueHints } from './parameter-value.ts'

const hints = (types: readonly string[] | undefined, saysText?: boolean, python = false): ValueHints => ({
  types: types && parameterTypes({ name: 'f', parameters: { properties: { v: { type: types } } } }, 'v'),
  saysText,
  python,
})

function value(given: ValueHints, parts: readonly string[]): { value: unknown; repaired: boolean } {
  let json = ''
  const reader = new ParameterValue((text) => (json += text), given)
  for (const part of parts) reader.push(part)
  const repaired = reader.end()
  return { value: JSON.parse(json) as unknown, repaired }
}

describe('a value that is said to be JSON (string="false")', () => {
  const ok = false
  const mended = true
  it.each<[string[] | undefined, string, unknown, boolean]>([
    [undefined, '3', 3, ok],
    [undefined, ' -1.5e3 ', -1500, ok],
    [undefined, '3 apples', '3 apples', mended],
    [['integer'], '3 apples', '3 apples', mended],
    [['number'], '1.2.3', '1.2.3', mended],
    [['number'], '+5', 5, mended],
    [['number'], '.5', 0.5, mended],
    [['integer'], '"7"', 7, mended],
    [['boolean'], 'true', true, ok],
    [['boolean'], 'True', true, mended],
    [['boolean'], 'TRUE', true, mended],
    [['boolean'], 'true enough', 'true enough', mended],
    [['null'], 'null', null, ok],
    [['null'], 'None', null, mended],
    [['null'], 'nullable', 'nullable', mended],
    [['integer'], '', null, mended],
    [['array'], '[1, 2]', [1, 2], ok],
    [['array'], '[1, 2] and more', '[1, 2] and more', mended],
    [['array'], "['a', 'b',]", ['a', 'b'], mended],
    [['array'], '[draft] of a letter', '[draft] of a letter', mended],
    [['array'], '[1, 2', [1, 2], mended],
    [['object'], '{"a": 1}', { a: 1 }, ok],
    [['object'], "{'a': None}", { a: null }, mended],
    [['object'], '{name} is here', '{name} is here', mended],
    [['object'], '{"a": 1} trailing', '{"a": 1} trailing', mended],
    [['string'], '"three"', 'three', ok],
    [['string'], '3 apples', '3 apples', mended],
    [['string'], '3', '3', mended],
    [['string'], '"three" apples', '"three" apples', mended],
    [['string'], '{"a": 1}', '{"a": 1}', mended],
    [['string', 'null'], 'null', null, ok],
  ])('%j: %s', (types, text, expected, repaired) => {
    expect(value(hints(types, false), [text])).toEqual({ value: expected, repaired })
    expect(value(hints(types, false), text.split(''))).toEqual({ value: expected, repaired })
  })

  it('is closed as it stands where a part of it is sent already', () => {
    const long = `[${'"0123456789", '.repeat(10)}`
    expect(value(hints(['array'], false), [`${long}1] and more`])).toMatchObject({
      value: [...Array(10).fill('0123456789'), 1],
      repaired: true,
    })
    expect(value(hints(['array'], false), [`${long}oops`])).toMatchObject({ value: expect.arrayContaining(['0123456789']), repaired: true })
  })
})

describe('a value that is said to be a text (string="true")', () => {
  it.each<[string[] | undefined, string, unknown, boolean]>([
    [undefined, '3', '3', false],
    [['string'], '{"a": 1}', '{"a": 1}', false],
    [['integer'], '3', 3, true],
    [['object'], '{"a": 1}', { a: 1 }, true],
    [['integer'], 'three', 'three', false],
  ])('%j: %s', (types, text, expected, repaired) => {
    expect(value(hints(types, true), [text])).toEqual({ value: expected, repaired })
  })
})

describe('a value of which nothing is said', () => {
  it.each<[string[] | undefined, string, unknown]>([
    [undefined, '3', 3],
    [undefined, 'None', null],
    [undefined, '3 apples', '3 apples'],
    [undefined, '"quoted"', '"quoted"'],
    [undefined, '{"a": [1]}', { a: [1] }],
    [undefined, '[x] done', '[x] done'],
    [undefined, '', ''],
    [['string', 'integer'], '3', 3],
    [['string', 'object'], '3', '3'],
    [['string'], '3', '3'],
    [['integer'], '3', 3],
  ])('%j: %s', (types, text, expected) => {
    expect(value(hints(types, undefined, true), [text])).toEqual({ value: expected, repaired: false })
  })

  it('does not depend on the cuts, and is always JSON', () => {
    const types = fc.constantFrom(undefined, ['string'], ['integer'], ['object'], ['array', 'string'], ['boolean', 'null'])
    const part = fc.oneof(
      fc.constantFrom('{', '}', '[', ']', '"', ', ', ': ', '1', 'true', 'None', '\\', '\n', "'a'", '🌧', ' '.repeat(70)),
      fc.string({ maxLength: 12 }),
    )
    fc.assert(
      fc.property(types, fc.option(fc.boolean(), { nil: undefined }), fc.array(part, { maxLength: 20 }), (kinds, says, parts) => {
        const given = hints(kinds, says, true)
        const whole = value(given, [parts.join('')])
        expect(value(given, parts)).toEqual(whole)
        expect(value(given, parts.join('').split(''))).toEqual(whole)
      }),
      { numRuns: 400 },
    )
  })
})

const edit: Tool = {
  name: 'edit',
  parameters: {
    type: 'object',
    properties: {
      path: { type: 'string' },
      line: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
      all: { type: 'boolean' },
      kind: { $ref: '#/$defs/kind' },
      marks: { type: 'array', items: { type: 'string' } },
    },
    $defs: { kind: { enum: ['1', '2'] } },
  },
}

describe('parameters are typed by the schema of their tool', () => {
  const parameters = (...all: [string, string][]): string =>
    all.map(([key, text]) => `<parameter=${key}>\n${text}\n</parameter>\n`).join('')
  const call = (inner: string): string => `<tool_call>\n<function=edit>\n${inner}</function>\n</tool_call>`
  const given = { dialect: qwen3Coder, tools: [edit] }
  const argumentsOf = (text: string): unknown => JSON.parse(read(given, text).calls[0]?.arguments ?? '')

  it('of Qwen3-Coder', () => {
    const inner = parameters(['path', '42'], ['line', '7'], ['all', 'True'], ['kind', '1'], ['marks', '["a", "b"]'])
    expect(argumentsOf(call(inner))).toEqual({ path: '42', line: 7, all: true, kind: '1', marks: ['a', 'b'] })
    expect(argumentsOf(call(parameters(['line', 'None'])))).toEqual({ line: null })
  })

  it('of GLM', () => {
    const text =
      '<tool_call>edit\n<arg_key>path</arg_key>\n<arg_value>42</arg_value>\n<arg_key>line</arg_key>\n<arg_value>7</arg_value>\n</tool_call>'
    expect(read({ ...given, dialect: glm45 }, text).calls).toMatchObject([{ arguments: '{"path": "42", "line": 7}', repaired: false }])
  })

  it('of DeepSeek, against what the model says', () => {
    const text =
      '<｜DSML｜tool_calls>\n<｜DSML｜invoke name="edit">\n<｜DSML｜parameter name="line" string="true">7</｜DSML｜parameter>\n<｜DSML｜parameter name="path" string="false">3 apples</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>'
    expect(read({ ...given, dialect: deepseekV4 }, text).calls).toMatchObject([
      { arguments: '{"line": 7, "path": "3 apples"}', repaired: true },
    ])
  })

  it('keep line breaks, tags and quotes inside of a text', () => {
    const code = '\n\nif (a < b) {\n  say("</div>")\n}\n\n'
    expect(argumentsOf(call(parameters(['path', code])))).toEqual({ path: code })
  })

  it.each([
    ['without the outer tag', `<function=edit>\n${parameters(['path', 'a'])}</function>`],
    ['without line breaks', '<tool_call><function=edit><parameter=path>a</parameter></function></tool_call>'],
    ['without the end of a parameter', '<tool_call>\n<function=edit>\n<parameter=path>\na\n</function>\n</tool_call>'],
    ['without the end of a call', '<tool_call>\n<function=edit>\n<parameter=path>\na\n</parameter>\n</tool_call>'],
    ['with the JSON of older models', '<tool_call>\n{"name": "edit", "arguments": {"path": "a"}}\n</tool_call>'],
    ['with JSON inside', '<tool_call>\n<function=edit>\n{"path": "a"}\n</function>\n</tool_call>'],
  ])('are read %s', (_, text) => {
    expect(argumentsOf(text)).toEqual({ path: 'a' })
    expect(read(given, `${text}\nDone`).text).toBe('Done')
  })

  it('of two calls in one outer tag', () => {
    const both = `<tool_call>\n<function=edit>\n${parameters(['path', 'a'])}</function>\n<function=edit>\n</function>\n</tool_call>`
    expect(read(given, both).calls).toMatchObject([{ arguments: '{"path": "a"}' }, { arguments: '{}' }])
  })

  it('a text about the tags is a text', () => {
    for (const dialect of [qwen3Coder, glm45]) {
      const text = 'Write <tool_call> and </tool_call> around it.'
      expect(read({ ...given, dialect }, text)).toMatchObject({ text, calls: [] })
    }
  })
})
