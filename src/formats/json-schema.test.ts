import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AppError } from '../shared/errors.ts'
import { checkSchema } from './json-schema.ts'

const deep = (levels: number): Record<string, unknown> => (levels === 0 ? {} : { type: 'array', items: deep(levels - 1) })

describe('a schema that nothing can satisfy, or that is too large, is refused with the place', () => {
  it.each<[object, RegExp]>([
    [{ type: 'integer', minimum: 2, maximum: 1 }, /minimum 2 is more than maximum 1/],
    [{ type: 'integer', exclusiveMinimum: 2, exclusiveMaximum: 3 }, /minimum 3 is more than maximum 2/],
    [{ type: 'string', minLength: 2, maxLength: 1 }, /minLength/],
    [{ type: 'array', minItems: 2, maxItems: 1 }, /minItems/],
    [{ type: 'array', minItems: -1 }, /whole number/],
    [{ enum: [] }, /"enum" must list/],
    [{ type: 'string', enum: [1, 2] }, /no value of "enum" is of type string/],
    [{ enum: ['a'], const: 'b' }, /"const" is not in "enum"/],
    [{ type: 'object', properties: { a: {} }, required: ['b'], additionalProperties: false }, /"b" is required/],
    [{ type: 'object', properties: { a: false }, required: ['a'] }, /"a" is required and forbidden/],
    [{ type: 'object', required: ['a', 'b'], maxProperties: 1 }, /2 properties are required/],
    [{ type: 'text' }, /the type "text" is unknown/],
    [{ type: [] }, /"type" is empty/],
    [{ anyOf: [] }, /must be a list that is not empty/],
    [{ anyOf: [false] }, /nothing can satisfy it/],
    [{ allOf: [{ $ref: '#/$defs/a' }, false], $defs: { a: {} } }, /nothing can satisfy it/],
    [{ $ref: '#/$defs/none' }, /leads nowhere/],
    [{ $ref: 'other.json' }, /leads out of the schema/],
    [{ $defs: { a: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }, /leads to itself/],
    [{ type: 'string', pattern: '(' }, /"pattern" cannot be used/],
    [{ properties: { a: { properties: { b: 3 } } } }, /at \/properties\/a\/properties\/b, a schema must be/],
    [deep(60), /nested deeper than 48/],
    [{ description: 'x'.repeat(300_000) }, /larger than 262144/],
    [{ anyOf: Array.from({ length: 6000 }, () => ({ type: 'null' })) }, /more than 5000 parts/],
  ])('%#', (schema, reason) => {
    expect(() => checkSchema({ ...schema }, 'response_format')).toThrow(expect.objectContaining({ code: 'invalid-schema' }))
    expect(() => checkSchema({ ...schema }, 'response_format')).toThrow(reason)
    expect(() => checkSchema({ ...schema }, 'response_format')).toThrow(/response_format: /)
  })

  it('also when it contains itself', () => {
    const schema: Record<string, unknown> = { type: 'object' }
    schema.properties = { self: schema }
    expect(() => checkSchema(schema, 'x')).toThrow(/nested deeper/)
  })
})

describe('a schema that can be used', () => {
  it('is written so that XGrammar enforces more of it', () => {
    expect(checkSchema({ type: 'integer', exclusiveMinimum: 2, exclusiveMaximum: 9.5 }, 'x').schema).toEqual({
      type: 'integer',
      minimum: 3,
      maximum: 9,
    })
    expect(checkSchema({ type: 'object', required: ['a'] }, 'x').schema).toMatchObject({ properties: { a: {} } })
    expect(
      checkSchema(
        {
          allOf: [
            { properties: { a: {} }, required: ['a'] },
            { properties: { b: {} }, required: ['b'] },
          ],
        },
        'x',
      ),
    ).toEqual({
      schema: { properties: { a: {}, b: {} }, required: ['a', 'b'] },
      unenforced: [],
    })
    expect(checkSchema({ anyOf: [false, { type: 'null' }] }, 'x').schema).toEqual({ anyOf: [{ type: 'null' }] })
    expect(checkSchema({ properties: { a: false, b: {} } }, 'x').schema).toEqual({ properties: { b: {} } })
  })

  it('names the keywords that are not enforced', () => {
    const schema = {
      type: 'array',
      uniqueItems: true,
      items: { not: {}, multipleOf: 2 },
      allOf: [{ $ref: '#/$defs/a' }, {}],
      $defs: { a: {} },
    }
    expect(checkSchema(schema, 'x').unenforced).toEqual(['allOf', 'multipleOf', 'not', 'uniqueItems'])
  })

  it('may be recursive', () => {
    const node = { type: 'object', properties: { next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } } }
    expect(checkSchema({ $defs: { node }, $ref: '#/$defs/node' }, 'x').unenforced).toEqual([])
  })

  it('or anything else: only an AppError is ever thrown', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom('type', 'enum', 'required', 'properties', 'items', 'anyOf', '$ref', 'minimum', 'allOf'),
          fc.jsonValue(),
        ),
        (schema) => {
          try {
            checkSchema(schema, 'x')
          } catch (error) {
            expect(error).toBeInstanceOf(AppError)
          }
        },
      ),
    )
  })
})
