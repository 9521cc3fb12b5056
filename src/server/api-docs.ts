/** The table of routes for people: as a page without any script, and as Markdown. Pure. */
import type { OpenApiDocument, Operation } from './openapi.ts'

type Schema = Readonly<Record<string, unknown>>

export interface Field {
  /** `messages[].content` */
  name: string
  type: string
  required: boolean
}

interface Endpoint {
  method: string
  path: string
  operation: Operation
}

/** By the document's tags, in their order. */
function groupsOf({ tags, paths }: OpenApiDocument): { group: string; endpoints: Endpoint[] }[] {
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Endpoint => ({ method: method.toUpperCase(), path, operation })),
  )
  return tags.map(({ name }) => ({ group: name, endpoints: all.filter(({ operation }) => operation.tags.includes(name)) }))
}

/** The fields of a body, two levels deep: enough to see what there is. */
export function fieldsOf(schema: Schema, prefix = '', depth = 2): Field[] {
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  return Object.entries((schema['properties'] ?? {}) as Record<string, Schema>).flatMap(([name, inner]) => {
    const field: Field = { name: prefix + name, type: typeOf(inner), required: required.includes(name) }
    const { at, suffix } = innerObject(inner)
    return depth > 1 && at ? [field, ...fieldsOf(at, `${prefix}${name}${suffix}.`, depth - 1)] : [field]
  })
}

function innerObject(schema: Schema): { at?: Schema; suffix: string } {
  const plain = withoutNull(schema)
  if (plain['properties']) return { at: plain, suffix: '' }
  const items = plain['items'] as Schema | undefined
  return items?.['properties'] ? { at: items, suffix: '[]' } : { suffix: '' }
}

/** Every optional field may be null; that is said once, not in each row. */
function withoutNull(schema: Schema): Schema {
  const branches = alternatives(schema)?.filter((branch) => branch['type'] !== 'null')
  return branches?.length === 1 && branches[0] ? branches[0] : schema
}

function alternatives(schema: Schema): Schema[] | undefined {
  return (schema['anyOf'] ?? schema['oneOf']) as Schema[] | undefined
}

function typeOf(schema: Schema): string {
  const plain = withoutNull(schema)
  const several = alternatives(plain)?.filter((branch) => branch['type'] !== 'null')
  if (several) return [...new Set(several.map(typeOf))].join(' | ')
  if (plain['const'] !== undefined) return JSON.stringify(plain['const'])
  if (Array.isArray(plain['enum'])) return plain['enum'].map((value) => JSON.stringify(value)).join(' | ')
  if (plain['type'] === 'array') return `${wrapped(typeOf((plain['items'] ?? {}) as Schema))}[]`
  const range = rangeOf(plain)
  const types = [plain['type']].flat().filter((type) => typeof type === 'string' && type !== 'null')
  return `${types.join(' | ') || 'any'}${range}`
}

function wrapped(type: string): string {
  return type.includes(' | ') ? `(${type})` : type
}

/** The limits of whole numbers in JavaScript are no limits worth telling. */
function rangeOf({ minimum, maximum }: Schema): string {
  const least = typeof minimum === 'number' && minimum > Number.MIN_SAFE_INTEGER ? String(minimum) : ''
  const most = typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER ? String(maximum) : ''
  return least || most ? ` ${least}…${most}` : ''
}

function bodyFields({ operation }: Endpoint): Field[] {
  const [content] = Object.values(operation.requestBody?.content ?? {})
  return content ? fieldsOf(content.schema) : []
}

function replyTypes({ operation }: Endpoint): string {
  const reply = operation.responses['200']
  return reply && 'content' in reply ? Object.keys(reply.content ?? {}).join(', ') : ''
}

function replyFields({ operation }: Endpoint): Field[] {
  const reply = operation.responses['200']
  const json = reply && 'content' in reply ? reply.content?.['application/json'] : undefined
  return json ? fieldsOf(json.schema) : []
}

export function apiMarkdown(document: OpenApiDocument): string {
  const sections = groupsOf(document).map(({ group, endpoints }) => [`## ${group}`, ...endpoints.map(endpointMarkdown)].join('\n\n'))
  const head = `# HTTP API\n\nMade from \`src/shared/wire-routes.ts\` by \`npx tsx scripts/write-api-docs.ts\`; a running server has it at \`/docs/api\` and \`/openapi.json\`.`
  return `${[head, document.info.description, 'Optional fields may also be null.', ...sections].join('\n\n')}\n`
}

function endpointMarkdown(endpoint: Endpoint): string {
  const { method, path, operation } = endpoint
  const parts = [`### \`${method} ${path}\``, `${operation.summary}. Replies ${replyTypes(endpoint)}.`]
  if (operation.description) parts.push(operation.description)
  const parameters = (operation.parameters ?? []).map(
    ({ name, in: place, required }) => `\`${name}\` (${place}${required ? ', required' : ''})`,
  )
  if (parameters.length > 0) parts.push(`Parameters: ${parameters.join(', ')}`)
  parts.push(...fieldTable('Body', bodyFields(endpoint)), ...fieldTable('Reply', replyFields(endpoint)))
  return parts.join('\n\n')
}

function fieldTable(title: string, fields: readonly Field[]): string[] {
  if (fields.length === 0) return []
  const rows = fields.map(({ name, type, required }) => `| \`${name}\`${required ? '' : '?'} | ${type.replaceAll('|', '\\|')} |`)
  return [[`| ${title} | |`, '|---|---|', ...rows].join('\n')]
}

/** Folds by `<details>`, so that it needs no script; its style is a file of its own, as the page's policy demands. */
export function apiPage(document: OpenApiDocument): string {
  const groups = groupsOf(document)
    .map(({ group, endpoints }) => `<section><h2>${escapeHtml(group)}</h2>${endpoints.map(endpointHtml).join('')}</section>`)
    .join('')
  const { title, version, description } = document.info
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} API</title><link rel="stylesheet" href="/docs/api.css"></head><body><h1>${title} ${escapeHtml(version)}: HTTP API</h1><p>${inline(description)}</p><p><a href="/openapi.json">openapi.json</a></p>${groups}</body></html>\n`
}

function endpointHtml(endpoint: Endpoint): string {
  const { method, path, operation } = endpoint
  const heading = `<summary><b class="${method.toLowerCase()}">${method}</b> <code>${escapeHtml(path)}</code> ${inline(operation.summary)}</summary>`
  const notes = operation.description ? `<p>${inline(operation.description)}</p>` : ''
  const parameters = (operation.parameters ?? []).map(({ name, in: place }) => `<code>${escapeHtml(name)}</code> (${place})`).join(', ')
  return `<details>${heading}${notes}${parameters && `<p>Parameters: ${parameters}</p>`}${tableHtml('Body', bodyFields(endpoint))}${tableHtml('Reply', replyFields(endpoint))}<p>Replies <code>${escapeHtml(replyTypes(endpoint))}</code></p></details>`
}

function tableHtml(title: string, fields: readonly Field[]): string {
  if (fields.length === 0) return ''
  const rows = fields.map(
    ({ name, type, required }) =>
      `<tr><td><code>${escapeHtml(name)}</code>${required ? ' <em>required</em>' : ''}</td><td>${escapeHtml(type)}</td></tr>`,
  )
  return `<h3>${title}</h3><table>${rows.join('')}</table>`
}

/** Code between backticks; everything else as it is. */
function inline(text: string): string {
  return escapeHtml(text).replace(/`([^`]*)`/g, '<code>$1</code>')
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

export const API_STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
code { font-family: ui-monospace, monospace; font-size: 0.9em }
details { border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: 0.4rem 0 }
summary { cursor: pointer }
summary b { display: inline-block; min-width: 4.2rem }
table { border-collapse: collapse; width: 100% }
td { border-top: 1px solid color-mix(in srgb, currentColor 12%, transparent); padding: 0.2rem 0.6rem 0.2rem 0; vertical-align: top }
td:first-child { white-space: nowrap }
td:last-child { overflow-wrap: anywhere }
em { color: #b45309; font-size: 0.85em }
`
