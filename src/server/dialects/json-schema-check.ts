/** Whether a JSON Schema is one at all, told before anything is generated. What it may say beyond that is the engine's to judge. Pure. */
import { AppError } from '../../shared/errors.ts'
import { isShallow } from './request-fields.ts'

const TYPES: ReadonlySet<unknown> = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'])
const MAX_DEPTH = 64

type Schema = Readonly<Record<string, unknown>>

/** Throws `invalid-field`, naming the place: `response_format.json_schema.schema.properties.age.type`. */
export function checkJsonSchema(schema: unknown, field: string): void {
  if (!isShallow(schema, MAX_DEPTH)) throw invalid(field, `nested more than ${MAX_DEPTH} deep`)
  walk(schema, field, isObject(schema) ? schema : {})
}

function walk(schema: unknown, field: string, root: Schema): void {
  if (typeof schema === 'boolean') return
  if (!isObject(schema)) throw invalid(field, 'expected a JSON Schema')
  checkType(schema, field)
  checkLists(schema, field)
  checkReference(schema, field, root)
  for (const key of ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']) {
    for (const [name, inner] of Object.entries(mapAt(schema, key, field))) walk(inner, `${field}.${key}.${name}`, root)
  }
  for (const key of ['anyOf', 'oneOf', 'allOf', 'prefixItems']) {
    listAt(schema, key, field).forEach((inner, index) => walk(inner, `${field}.${key}[${index}]`, root))
  }
  for (const key of ['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'contains', 'propertyNames']) {
    // Before 2020, `items` could be a list.
    if (schema[key] !== undefined && !(key === 'items' && Array.isArray(schema[key]))) walk(schema[key], `${field}.${key}`, root)
  }
}

function checkType({ type }: Schema, field: string): void {
  if (type === undefined) return
  const all: readonly unknown[] = Array.isArray(type) ? type : [type]
  if (all.length === 0 || !all.every((one) => TYPES.has(one))) throw invalid(`${field}.type`, `expected one of ${[...TYPES].join(', ')}`)
}

function checkLists({ required, enum: values }: Schema, field: string): void {
  if (required !== undefined && !(Array.isArray(required) && required.every((name) => typeof name === 'string'))) {
    throw invalid(`${field}.required`, 'expected a list of names')
  }
  if (values !== undefined && !(Array.isArray(values) && values.length > 0))
    throw invalid(`${field}.enum`, 'expected a list with at least one value')
}

/** Only references inside the schema: nothing is fetched. */
function checkReference({ $ref: reference }: Schema, field: string, root: Schema): void {
  if (reference === undefined) return
  if (typeof reference !== 'string' || !reference.startsWith('#'))
    throw invalid(`${field}.$ref`, 'expected a reference inside the schema, such as #/$defs/name')
  const parts = reference
    .slice(1)
    .split('/')
    .filter(Boolean)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const target = parts.reduce<unknown>((at, part) => (isObject(at) || Array.isArray(at) ? (at as Schema)[part] : undefined), root)
  if (target === undefined) throw invalid(`${field}.$ref`, `there is nothing at ${reference.slice(0, 200)}`)
}

function mapAt(schema: Schema, key: string, field: string): Schema {
  const value = schema[key]
  if (value === undefined) return {}
  if (!isObject(value)) throw invalid(`${field}.${key}`, 'expected an object')
  return value
}

function listAt(schema: Schema, key: string, field: string): readonly unknown[] {
  const value = schema[key]
  if (value === undefined) return []
  if (!Array.isArray(value) || value.length === 0) throw invalid(`${field}.${key}`, 'expected a list with at least one schema')
  return value
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(field: string, reason: string): AppError {
  return new AppError('invalid-field', { field, reason })
}
