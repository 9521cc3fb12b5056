/** What a tool's schema says about one parameter, for syntaxes that write values without saying what they are. */
import type { Tool } from '../../shared/generate.ts'
import { isRecord } from './repair-json.ts'

const JSON_TYPES = ['string', 'number', 'integer', 'boolean', 'null', 'array', 'object'] as const
export type JsonType = (typeof JSON_TYPES)[number]

/** Schemas within schemas and references that are followed. */
const MAX_DEPTH = 8

/** The types that the value may have; undefined when the schema does not say. */
export function parameterTypes(tool: Tool | undefined, name: string): ReadonlySet<JsonType> | undefined {
  const root = tool?.parameters
  if (!isRecord(root)) return undefined
  const { properties, additionalProperties } = root
  const own = isRecord(properties) && Object.hasOwn(properties, name) ? properties[name] : additionalProperties
  const types = typesOf(own, root, 0)
  return types && types.size > 0 ? types : undefined
}

function typesOf(schema: unknown, root: unknown, depth: number): Set<JsonType> | undefined {
  if (!isRecord(schema) || depth > MAX_DEPTH) return undefined
  const inner = (one: unknown): Set<JsonType> | undefined => typesOf(one, root, depth + 1)
  if (typeof schema.$ref === 'string') return inner(resolve(schema.$ref, root))
  if (schema.type !== undefined) return new Set([schema.type].flat().filter(isJsonType))
  if (Array.isArray(schema.enum)) return new Set(schema.enum.map(jsonTypeOf))
  if (schema.const !== undefined) return new Set([jsonTypeOf(schema.const)])
  const alternatives = schema.anyOf ?? schema.oneOf
  if (Array.isArray(alternatives)) return unionOf(alternatives.map(inner))
  if (Array.isArray(schema.allOf)) return schema.allOf.map(inner).find((types) => types !== undefined)
  if (schema.properties !== undefined) return new Set(['object'])
  return schema.items === undefined ? undefined : new Set(['array'])
}

/** One alternative that may be anything: so may the value. */
function unionOf(all: (Set<JsonType> | undefined)[]): Set<JsonType> | undefined {
  const union = new Set<JsonType>()
  for (const types of all) {
    if (!types) return undefined
    for (const type of types) union.add(type)
  }
  return union
}

function resolve(reference: string, root: unknown): unknown {
  if (!reference.startsWith('#')) return undefined
  return reference
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((value, step) => (isRecord(value) && Object.hasOwn(value, step) ? value[step] : undefined), root)
}

function isJsonType(value: unknown): value is JsonType {
  return JSON_TYPES.some((type) => type === value)
}

export function jsonTypeOf(value: unknown): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  const type = typeof value
  if (type === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return type === 'string' || type === 'boolean' ? type : 'object'
}

export function allows(types: ReadonlySet<JsonType>, type: JsonType): boolean {
  return types.has(type) || (type === 'integer' && types.has('number'))
}
