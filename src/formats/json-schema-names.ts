/**
 * Rules about properties' names, put into what XGrammar enforces: it takes `patternProperties` or `propertyNames` alone, and with either forgets
 * `properties`, `required` and `additionalProperties`. Where several are given, fewer names are written than the schema allows, and each as it asks. Pure.
 */

type Schema = Readonly<Record<string, unknown>>

/** `required` names that are not among the properties become some, where the schema allows them. */
export function withNameRules(schema: Schema): Record<string, unknown> {
  const named = namedProperties(schema)
  const { propertyNames, patternProperties, ...rest } = schema
  if (Object.keys(named).length === 0)
    return isRecord(propertyNames) && !isRecord(patternProperties) ? byNameRule(schema, propertyNames) : { ...schema }
  if (!isRecord(propertyNames) && !isRecord(patternProperties)) return { ...schema, properties: named }
  const fitting = Object.entries(named).filter(([name]) => requiredNames(schema).includes(name) || mayBeName(name, propertyNames))
  // More names are asked for than are named: then only these are held to.
  if (Number(schema['minProperties'] ?? 0) > fitting.length) return { ...schema, properties: named }
  return { ...rest, properties: Object.fromEntries(fitting), additionalProperties: false }
}

function namedProperties(schema: Schema): Record<string, unknown> {
  const own = isRecord(schema['properties']) ? schema['properties'] : {}
  const missing = requiredNames(schema).filter((name) => !Object.hasOwn(own, name))
  const entries = [...Object.entries(own), ...missing.flatMap((name) => requiredEntry(schema, name))]
  return Object.fromEntries(entries.map(([name, value]) => [name, withPatterns(schema, name, value)]))
}

function requiredEntry(schema: Schema, name: string): [string, unknown][] {
  const { additionalProperties: others } = schema
  if (patternsOf(schema, name).length > 0) return [[name, {}]]
  return others === false ? [] : [[name, isRecord(others) ? others : {}]]
}

/** A named property has to fit the patterns' schemas as well. */
function withPatterns(schema: Schema, name: string, value: unknown): unknown {
  const rules = patternsOf(schema, name)
  if (rules.length === 0) return value
  const all = [...(isRecord(value) && Object.keys(value).length === 0 ? [] : [value]), ...rules]
  return all.length === 1 ? all[0] : { allOf: all }
}

function patternsOf({ patternProperties }: Schema, name: string): unknown[] {
  if (!isRecord(patternProperties)) return []
  return Object.entries(patternProperties).flatMap(([pattern, rule]) => (matches(pattern, name) ? [rule] : []))
}

/** No property is named: the names' rule and the schema of the values are one. */
function byNameRule(schema: Schema, rule: Schema): Record<string, unknown> {
  const { propertyNames: _, ...rest } = schema
  const value = isRecord(schema['additionalProperties']) ? schema['additionalProperties'] : {}
  if (schema['additionalProperties'] === false) return { ...rest }
  const names = rule['enum']
  if (Array.isArray(names)) {
    const listed = names.filter((name) => typeof name === 'string' && mayBeName(name, rule))
    return { ...rest, properties: Object.fromEntries(listed.map((name) => [name, value])), additionalProperties: false }
  }
  const { pattern, minLength, maxLength } = rule
  const isLong = typeof minLength === 'number' || typeof maxLength === 'number'
  const length = isLong ? `^[\\s\\S]{${Number(minLength ?? 0)},${maxLength === undefined ? '' : Number(maxLength)}}$` : undefined
  const known = typeof pattern === 'string' ? pattern : length
  return known === undefined ? { ...schema } : { ...rest, patternProperties: { [known]: value }, additionalProperties: false }
}

function mayBeName(name: string, rule: unknown): boolean {
  if (!isRecord(rule)) return true
  const { enum: names, pattern, minLength, maxLength } = rule
  const count = [...name].length
  if (typeof minLength === 'number' && count < minLength) return false
  if (typeof maxLength === 'number' && count > maxLength) return false
  return (!Array.isArray(names) || names.includes(name)) && (typeof pattern !== 'string' || matches(pattern, name))
}

/** As JSON Schema has it: anywhere in the name. A pattern that is none is told elsewhere. */
function matches(pattern: string, name: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(name)
  } catch {
    return false
  }
}

function requiredNames({ required }: Schema): string[] {
  return Array.isArray(required) ? required.filter((name) => typeof name === 'string') : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
