import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { checkJsonSchema } from './json-schema-check.ts'
import { outputOf, type OutputBody } from './output-format.ts'

const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }

describe('every way to ask for a form', () => {
  test.each<[OutputBody, unknown]>([
    [{}, undefined],
    [{ response_format: { type: 'text' }, grammar: '' }, undefined],
    [{ response_format: { type: 'json_object' } }, { type: 'json-object' }],
    [{ response_format: { type: 'json_object', schema } }, { type: 'json-schema', schema }],
    [
      { response_format: { type: 'json_schema', json_schema: { name: 'n', schema, strict: true } } },
      { type: 'json-schema', schema, name: 'n' },
    ],
    [{ response_format: { type: 'json_schema', json_schema: { name: 'n' } } }, { type: 'json-object' }],
    [{ grammar: 'root ::= "a"' }, { type: 'grammar', grammar: 'root ::= "a"' }],
    [{ json_schema: schema }, { type: 'json-schema', schema }],
    [{ guided_json: JSON.stringify(schema) }, { type: 'json-schema', schema }],
    [{ guided_regex: String.raw`\d+` }, { type: 'regex', pattern: String.raw`\d+` }],
    [{ guided_choice: ['yes', 'a"b\\'] }, { type: 'grammar', grammar: 'root ::= "yes" | "a\\"b\\\\"\n' }],
    [{ guided_grammar: 'root ::= "a"' }, { type: 'grammar', grammar: 'root ::= "a"' }],
    [{ structured_outputs: { regex: 'a+' } }, { type: 'regex', pattern: 'a+' }],
    [{ structured_outputs: { json_object: true, json: null } }, { type: 'json-object' }],
  ])('%j', (body, expected) => {
    expect(outputOf(body)).toEqual(expected)
  })

  test.each<[OutputBody, string]>([
    [{ response_format: { type: 'json_object' }, guided_regex: 'a' }, 'guided_regex'],
    [{ guided_json: schema, structured_outputs: { choice: ['a'] } }, 'structured_outputs.choice'],
    [{ response_format: { type: 'xml' } }, 'response_format.type'],
    [{ response_format: { type: 'json_schema' } }, 'response_format.json_schema'],
    [{ guided_json: '{' }, 'guided_json'],
    [{ guided_regex: '(' }, 'guided_regex'],
    [{ guided_choice: ['a\nb'] }, 'guided_choice'],
  ])('%j is refused by name', (body, field) => {
    expect(() => outputOf(body)).toThrow(expect.objectContaining({ code: 'invalid-field', data: expect.objectContaining({ field }) }))
  })
})

describe('a schema', () => {
  test.each<[unknown, string]>([
    [{ type: 'thing' }, 's.type'],
    [{ type: [] }, 's.type'],
    [{ properties: [] }, 's.properties'],
    [{ properties: { a: 1 } }, 's.properties.a'],
    [{ required: 'a' }, 's.required'],
    [{ enum: [] }, 's.enum'],
    [{ anyOf: [] }, 's.anyOf'],
    [{ anyOf: [{ type: 'x' }] }, 's.anyOf[0].type'],
    [{ items: 'a' }, 's.items'],
    [{ $ref: 'http://example.com' }, 's.$ref'],
    [{ $ref: '#/$defs/nothing' }, 's.$ref'],
    [JSON.parse('{"items":'.repeat(200) + '{}' + '}'.repeat(200)), 's'],
  ])('%j is none', (bad, field) => {
    expect(() => checkJsonSchema(bad, 's')).toThrow(expect.objectContaining({ data: expect.objectContaining({ field }) }))
  })

  test('may be recursive, have lists of types, booleans and keywords that nobody knows', () => {
    const tree = {
      $defs: { node: { type: ['object', 'null'], properties: { next: { $ref: '#/$defs/node' } }, additionalProperties: false } },
      $ref: '#/$defs/node',
      'x-mine': { anything: [1] },
      not: true,
    }
    expect(() => checkJsonSchema(tree, 's')).not.toThrow()
  })

  test('of anything is accepted or refused, never a crash', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 4 }),
        fc.constantFrom('properties', 'items', 'anyOf', '$ref', 'type', 'enum', 'required'),
        (value, key) => {
          try {
            checkJsonSchema({ [key]: value }, 's')
          } catch (error) {
            expect(error).toBeInstanceOf(AppError)
          }
        },
      ),
    )
  })
})
