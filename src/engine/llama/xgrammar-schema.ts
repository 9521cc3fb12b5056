/** A JSON schema with its patterns (xgrammar-mends.ts) and its properties' names in the form that XGrammar reads right. Pure. */
import { numberRange } from './number-range.ts'
import { mendPattern } from './xgrammar-mends.ts'

/** Keywords whose value is a schema or a list of schemas, and those that hold schemas by name. Others may hold any data. */
const SCHEMAS = ['items', 'additionalProperties', 'additionalItems', 'propertyNames', 'unevaluatedItems', 'unevaluatedProperties']
const LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems', 'items']
const BY_NAME = ['properties', 'patternProperties', '$defs', 'definitions']

export function withMendedPatterns(schema: unknown): unknown {
  if (!isRecord(schema)) return schema
  const range = rangeOf(schema)
  if (range !== undefined) return { const: range }
  const result: Record<string, unknown> = { ...schema }
  if (typeof schema.pattern === 'string') result.pattern = mendPattern(schema.pattern, 'json')
  for (const key of SCHEMAS) if (isRecord(schema[key])) result[key] = withMendedPatterns(schema[key])
  for (const key of LISTS) if (Array.isArray(schema[key])) result[key] = schema[key].map(withMendedPatterns)
  for (const key of BY_NAME) if (isRecord(schema[key])) result[key] = byName(schema[key], NAMES[key])
  if (Array.isArray(schema.required)) result.required = schema.required.map((name) => (typeof name === 'string' ? mendName(name) : name))
  return result
}

/** A text in the place of a number between bounds: `withRanges` puts the grammar there that XGrammar cannot make. */
function rangeOf({ type, minimum, maximum, enum: values, const: value }: Record<string, unknown>): string | undefined {
  if (type !== 'number' || typeof minimum !== 'number' || typeof maximum !== 'number') return undefined
  if (values !== undefined || value !== undefined || numberRange(minimum, maximum) === undefined) return undefined
  return `${RANGE} ${minimum} ${maximum}`
}

const RANGE = 'number between the bounds'

/** The grammar of a schema that was mended, with the ranges of its numbers. */
export function withRanges(ebnf: string): string {
  return ebnf.replace(
    /"\\"number between the bounds (\S+) (\S+)\\""/g,
    (text, from: string, to: string) => numberRange(Number(from), Number(to)) ?? text,
  )
}

/** What names are beside names. */
const NAMES: Readonly<Record<string, (name: string) => string>> = {
  properties: mendName,
  patternProperties: (pattern) => mendPattern(pattern, 'json'),
}

/** It puts a property's name between quotes as it is: a quote or a backslash has to come as JSON has it, escaped once more. */
function mendName(name: string): string {
  return JSON.stringify(name).slice(1, -1).replace(/["\\]/g, '\\$&')
}

function byName(schemas: Record<string, unknown>, mend: (name: string) => string = (name) => name): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [mend(name), withMendedPatterns(schema)]))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
