import { expect, it } from 'vitest'
import { withNameRules } from './json-schema-names.ts'

const FLAG = { type: 'boolean' }
const COUNT = { type: 'integer' }

it.each<[string, object, object]>([
  ['a required name without a schema', { required: ['a'] }, { required: ['a'], properties: { a: {} } }],
  [
    'a required name, as the others are',
    { required: ['a'], additionalProperties: COUNT },
    { required: ['a'], additionalProperties: COUNT, properties: { a: COUNT } },
  ],
  [
    'a required name, as its pattern says',
    { required: ['x1'], patternProperties: { '^x': FLAG }, additionalProperties: false },
    { required: ['x1'], properties: { x1: FLAG }, additionalProperties: false },
  ],
  [
    'properties beside patterns',
    { properties: { q: FLAG, x: COUNT }, patternProperties: { '^x': { minimum: 3 } } },
    { properties: { q: FLAG, x: { allOf: [COUNT, { minimum: 3 }] } }, additionalProperties: false },
  ],
  [
    'properties beside a rule of names, which one breaks',
    { properties: { ab: FLAG, abc: FLAG }, propertyNames: { maxLength: 2 }, additionalProperties: COUNT },
    { properties: { ab: FLAG }, additionalProperties: false },
  ],
  [
    'a pattern of names, and what the values are',
    { propertyNames: { pattern: '^[a-c]$' }, additionalProperties: COUNT },
    { patternProperties: { '^[a-c]$': COUNT }, additionalProperties: false },
  ],
  [
    'a length of names',
    { propertyNames: { minLength: 1, maxLength: 3 } },
    { patternProperties: { '^[\\s\\S]{1,3}$': {} }, additionalProperties: false },
  ],
  [
    'a list of names',
    { propertyNames: { enum: ['a', 'b'] }, additionalProperties: FLAG },
    { properties: { a: FLAG, b: FLAG }, additionalProperties: false },
  ],
  ['no name at all', { propertyNames: { maxLength: 2 }, additionalProperties: false }, { additionalProperties: false }],
  ['patterns alone', { patternProperties: { '^x': FLAG } }, { patternProperties: { '^x': FLAG } }],
])('%s', (_, schema, expected) => {
  expect(withNameRules({ ...schema })).toEqual(expected)
})

it('more properties than are named can still be written', () => {
  const schema = { properties: { a: FLAG }, patternProperties: { '^x': FLAG }, minProperties: 2 }
  expect(withNameRules(schema)).toEqual(schema)
})
