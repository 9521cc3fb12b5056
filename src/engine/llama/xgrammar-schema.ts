/** A JSON schema with its patterns in the form that XGrammar reads right (xgrammar-mends.ts). Pure. */
import { mendPattern } from './xgrammar-mends.ts'

/** Keywords whose value is a schema or a list of schemas, and those that hold schemas by name. Others may hold any data. */
const SCHEMAS = ['items', 'additionalProperties', 'additionalItems', 'propertyNames', 'unevaluatedItems', 'unevaluatedProperties']
const LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems', 'items']
const BY_NAME = ['properties', 'patternProperties', '$defs', 'definitions']

export function withMendedPatterns(schema: unknown): unknown {
  if (!isRecord(schema)) return schema
  const result: Record<string, unknown> = { ...schema }
  if (typeof schema.pattern === 'string') result.pattern = mendPattern(schema.pattern, 'json')
  for (const key of SCHEMAS) if (isRecord(schema[key])) result[key] = withMendedPatterns(schema[key])
  for (const key of LISTS) if (Array.isArray(schema[key])) result[key] = schema[key].map(withMendedPatterns)
  for (const key of BY_NAME) if (isRecord(schema[key])) result[key] = byName(schema[key], key === 'patternProperties')
  return result
}

function byName(schemas: Record<string, unknown>, areNamesPatterns: boolean): Record<string, unknown> {
  const entries = Object.entries(schemas).map(([name, schema]) => [
    areNamesPatterns ? mendPattern(name, 'json') : name,
    withMendedPatterns(schema),
  ])
  return Object.fromEntries(entries) as Record<string, unknown>
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
