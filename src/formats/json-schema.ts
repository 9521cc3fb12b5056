/**
 * A caller's JSON Schema, checked and put into the form that XGrammar honours (docs/structured-output.md lists the keywords).
 * XGrammar aborts its whole WebAssembly module on some schemas, so what nothing can satisfy is refused here, before it is compiled.
 */
import { AppError } from '../shared/errors.ts'
import { withNameRules } from './json-schema-names.ts'

export type Schema = Record<string, unknown>

export interface CheckedSchema {
  /** The same meaning, written so that XGrammar enforces more of it. */
  schema: Schema
  /** Keywords in it that are not enforced, sorted, each once. */
  unenforced: string[]
}

/** Bytes of JSON, nesting, and subschemas. */
const MAX_LENGTH = 256 * 1024
const MAX_DEPTH = 48
const MAX_NODES = 5000

/** Stands for "no upper bound". */
const LARGEST = 1_000_000_000_000_000

const UNENFORCED = new Set([
  'not',
  'if',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
  'contains',
  'minContains',
  'maxContains',
  'uniqueItems',
  'multipleOf',
  'unevaluatedProperties',
  'unevaluatedItems',
  'contentSchema',
])
const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'null', 'array', 'object'])
/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const SINGLE = ['items', 'additionalProperties', 'additionalItems', 'propertyNames', 'unevaluatedItems', 'unevaluatedProperties']
const LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems']
const BY_NAME = ['properties', 'patternProperties', '$defs', 'definitions']

const RANGES = [
  ['minimum', 'maximum'],
  ['minLength', 'maxLength'],
  ['minItems', 'maxItems'],
  ['minProperties', 'maxProperties'],
] as const

interface Walk {
  root: Schema
  where: string
  nodes: number
  unenforced: Set<string>
}

/** Throws AppError `invalid-schema`; `where` names the field for the message. */
export function checkSchema(schema: Schema, where: string): CheckedSchema {
  const walk: Walk = { root: schema, where, nodes: 0, unenforced: new Set() }
  const checked = prepare(schema, '', 0, walk)
  // Measured after the walk, which has bounded the nesting: a cyclic or endless value never gets here.
  if (JSON.stringify(schema).length > MAX_LENGTH) refuse(walk, '', `it is larger than ${MAX_LENGTH} characters`)
  if (checked === false) refuse(walk, '', 'nothing can satisfy it')
  return { schema: isRecord(checked) ? checked : {}, unenforced: [...walk.unenforced].toSorted() }
}

/** `true` and `false` are schemas too. */
function prepare(schema: unknown, path: string, depth: number, walk: Walk): Schema | boolean {
  if (typeof schema === 'boolean') return schema
  if (!isRecord(schema)) return refuse(walk, path, 'a schema must be an object or a boolean')
  walk.nodes++
  if (depth > MAX_DEPTH) refuse(walk, path, `it is nested deeper than ${MAX_DEPTH} levels`)
  if (walk.nodes > MAX_NODES) refuse(walk, path, `it has more than ${MAX_NODES} parts`)
  const own = tighten(mergeAllOf(schema))
  checkOwn(own, path, walk)
  for (const key of Object.keys(own)) if (UNENFORCED.has(key)) walk.unenforced.add(key)
  if (Array.isArray(own.allOf) && own.allOf.length > 1) walk.unenforced.add('allOf')
  return children(own, path, depth, walk)
}

function children(own: Schema, path: string, depth: number, walk: Walk): Schema {
  const result: Schema = { ...own }
  for (const key of SINGLE) if (own[key] !== undefined) result[key] = prepareSingle(own, key, path, depth, walk)
  for (const key of LISTS) if (own[key] !== undefined) result[key] = prepareList(own, key, path, depth, walk)
  for (const key of BY_NAME) if (own[key] !== undefined) result[key] = prepareNamed(own, key, path, depth, walk)
  return result
}

/** draft-07 writes tuples as a list in `items`. */
function prepareSingle(own: Schema, key: string, path: string, depth: number, walk: Walk): unknown {
  const value = own[key]
  if (!Array.isArray(value)) return prepare(value, `${path}/${key}`, depth + 1, walk)
  return value.map((item, index) => prepare(item, `${path}/${key}/${index}`, depth + 1, walk))
}

function prepareList(own: Schema, key: string, path: string, depth: number, walk: Walk): unknown[] {
  const value = own[key]
  if (!Array.isArray(value) || value.length === 0) return refuse(walk, path, `"${key}" must be a list that is not empty`)
  const items = value.map((item, index) => prepare(item, `${path}/${key}/${index}`, depth + 1, walk))
  const alternatives = key === 'anyOf' || key === 'oneOf'
  const possible = alternatives ? items.filter((item) => item !== false) : items
  if (possible.length === 0 || possible.includes(false)) refuse(walk, `${path}/${key}`, 'nothing can satisfy it')
  return possible
}

/** A property that nothing can satisfy is never written: it is left out, unless it is required. */
function prepareNamed(own: Schema, key: string, path: string, depth: number, walk: Walk): Schema {
  const value = own[key]
  if (!isRecord(value)) return refuse(walk, path, `"${key}" must be an object`)
  const required = Array.isArray(own.required) ? own.required : []
  const entries = Object.entries(value).map(([name, schema]) => [name, prepare(schema, `${path}/${key}/${name}`, depth + 1, walk)] as const)
  for (const [name, schema] of entries) {
    if (schema === false && key === 'properties' && required.includes(name)) refuse(walk, path, `"${name}" is required and forbidden`)
  }
  return Object.fromEntries(entries.filter(([, schema]) => schema !== false))
}

/** XGrammar takes one schema in `allOf`; several objects that do not contradict each other are one object. */
function mergeAllOf(schema: Schema): Schema {
  const { allOf, ...rest } = schema
  if (!Array.isArray(allOf) || allOf.length < 2) return schema
  let merged: Schema | undefined = rest
  for (const part of allOf) merged = merged && isRecord(part) ? mergeTwo(merged, part) : undefined
  return merged ?? schema
}

function mergeTwo(left: Schema, right: Schema): Schema | undefined {
  const result: Schema = { ...left }
  for (const [key, value] of Object.entries(right)) {
    const known = left[key]
    if (key === 'properties' && isRecord(known) && isRecord(value)) {
      if (Object.keys(value).some((name) => Object.hasOwn(known, name))) return undefined
      result[key] = { ...known, ...value }
    } else if (key === 'required' && Array.isArray(known) && Array.isArray(value)) result[key] = [...new Set([...known, ...value])]
    else if (known === undefined) result[key] = value
    else if (JSON.stringify(known) !== JSON.stringify(value) && key !== 'description' && key !== 'title') return undefined
  }
  return Object.hasOwn(result, '$ref') ? undefined : result
}

/** What XGrammar overlooks but would enforce in another spelling: exclusive bounds of integers, required properties without a schema. */
function tighten(schema: Schema): Schema {
  const result: Schema = { ...schema }
  if (schema.type === 'integer') {
    const low = bound(schema.exclusiveMinimum, (value) => Math.floor(value) + 1)
    const high = bound(schema.exclusiveMaximum, (value) => Math.ceil(value) - 1)
    // XGrammar reads the exclusive ones last, and as if they were not exclusive.
    delete result.exclusiveMinimum
    delete result.exclusiveMaximum
    if (low !== undefined) result.minimum = Math.max(low, numberOr(schema.minimum, low))
    if (high !== undefined) result.maximum = Math.min(high, numberOr(schema.maximum, high))
  }
  // XGrammar's grammar for a lower bound alone lets smaller numbers through; with both bounds it is right.
  if ((schema.type === 'integer' || schema.type === 'number') && typeof result.minimum === 'number' && result.maximum === undefined) {
    result.maximum = Math.max(result.minimum, LARGEST)
  }
  if (schema.type === 'number' && typeof result.maximum === 'number' && result.minimum === undefined) {
    result.minimum = Math.min(result.maximum, -LARGEST)
  }
  return withNameRules(result)
}

function checkOwn(schema: Schema, path: string, walk: Walk): void {
  checkTypes(schema, path, walk)
  checkValues(schema, path, walk)
  for (const [low, high] of RANGES) {
    const [from, to] = [schema[low], schema[high]]
    if (typeof from === 'number' && typeof to === 'number' && from > to) refuse(walk, path, `${low} ${from} is more than ${high} ${to}`)
  }
  for (const name of ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties']) {
    const value = schema[name]
    if (value !== undefined && (!Number.isSafeInteger(value) || Number(value) < 0))
      refuse(walk, path, `"${name}" must be a whole number ≥ 0`)
  }
  checkRequired(schema, path, walk)
  if (schema.$ref !== undefined) checkReference(schema.$ref, path, walk)
  if (schema.pattern !== undefined) checkPattern(schema.pattern, path, walk)
}

function checkTypes({ type }: Schema, path: string, walk: Walk): void {
  if (type === undefined) return
  const names: unknown[] = Array.isArray(type) ? type : [type]
  if (names.length === 0) refuse(walk, path, '"type" is empty')
  for (const name of names)
    if (typeof name !== 'string' || !TYPES.has(name)) refuse(walk, path, `the type ${JSON.stringify(name)} is unknown`)
}

function checkValues(schema: Schema, path: string, walk: Walk): void {
  const values = schema.enum
  if (values === undefined) return
  if (!Array.isArray(values) || values.length === 0) return refuse(walk, path, '"enum" must list at least one value')
  const { type } = schema
  if (typeof type === 'string' && !values.some((value) => hasType(value, type))) refuse(walk, path, `no value of "enum" is of type ${type}`)
  const constant = schema.const
  if (constant !== undefined && !values.some((value) => JSON.stringify(value) === JSON.stringify(constant))) {
    refuse(walk, path, '"const" is not in "enum"')
  }
}

function checkRequired(schema: Schema, path: string, walk: Walk): void {
  if (schema.required !== undefined && !Array.isArray(schema.required)) refuse(walk, path, '"required" must be a list')
  const names = requiredNames(schema)
  const properties = isRecord(schema.properties) ? schema.properties : {}
  if (schema.additionalProperties === false && !isRecord(schema.patternProperties)) {
    const forbidden = names.find((name) => !Object.hasOwn(properties, name))
    if (forbidden !== undefined) refuse(walk, path, `"${forbidden}" is required, but additionalProperties is false and it is no property`)
  }
  if (typeof schema.maxProperties === 'number' && names.length > schema.maxProperties) {
    refuse(walk, path, `${names.length} properties are required, but maxProperties is ${schema.maxProperties}`)
  }
}

function checkReference(reference: unknown, path: string, walk: Walk): void {
  if (typeof reference !== 'string' || !reference.startsWith('#')) {
    return refuse(walk, path, `$ref ${JSON.stringify(reference)} leads out of the schema; put the definition under $defs`)
  }
  let target: unknown = walk.root
  for (const step of reference.slice(1).split('/').slice(1)) {
    const name = decodeURIComponentSafely(step).replaceAll('~1', '/').replaceAll('~0', '~')
    target = isRecord(target) && Object.hasOwn(target, name) ? target[name] : Array.isArray(target) ? target[Number(name)] : undefined
  }
  if (target === undefined) refuse(walk, path, `$ref ${reference} leads nowhere`)
  if (isRecord(target) && target.$ref === reference) refuse(walk, path, `$ref ${reference} leads to itself`)
}

function checkPattern(pattern: unknown, path: string, walk: Walk): void {
  try {
    if (typeof pattern !== 'string') throw new Error('it must be a text')
    RegExp(pattern)
  } catch (error) {
    refuse(walk, path, `"pattern" cannot be used: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function hasType(value: unknown, type: string): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isRecord(value)
  return type === 'integer' ? Number.isInteger(value) : typeof value === type
}

function requiredNames(schema: Schema): string[] {
  return Array.isArray(schema.required) ? schema.required.filter((name) => typeof name === 'string') : []
}

function bound(value: unknown, next: (value: number) => number): number | undefined {
  return typeof value === 'number' ? next(value) : undefined
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function refuse(walk: Walk, path: string, reason: string): never {
  throw new AppError('invalid-schema', { reason: `${walk.where}: ${path === '' ? '' : `at ${path}, `}${reason}` })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
