/** The table of routes for people: as a page without any script, and as Markdown. Pure. */
import type { Language, Localized } from '../shared/language.ts'
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

const HEAD: Localized = {
  en: '# HTTP API\n\nMade from `src/shared/wire-routes.ts` by `npx tsx scripts/write-api-docs.ts`; a running server has it at `/docs/api` and `/openapi.json`.',
  zh: '# HTTP 接口\n\n由 `npx tsx scripts/write-api-docs.ts` 根据 `src/shared/wire-routes.ts` 生成；运行中的服务在 `/docs/api` 和 `/openapi.json` 提供同样的内容。',
}

const WORDS = {
  title: { en: 'HTTP API', zh: 'HTTP 接口' },
  nullable: { en: 'Optional fields may also be null.', zh: '可选字段（带 ?）也可以为 null。' },
  body: { en: 'Body', zh: '请求体' },
  reply: { en: 'Reply', zh: '回复' },
  replies: { en: 'Replies', zh: '回复类型：' },
  parameters: { en: 'Parameters', zh: '参数' },
  required: { en: 'required', zh: '必填' },
} as const satisfies Record<string, Localized>

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

/** `document` in the same language. */
export function apiMarkdown(document: OpenApiDocument, language: Language = 'en'): string {
  const sections = groupsOf(document).map(({ group, endpoints }) =>
    [`## ${group}`, ...endpoints.map((endpoint) => endpointMarkdown(endpoint, language))].join('\n\n'),
  )
  return `${[HEAD[language], document.info.description, WORDS.nullable[language], ...sections].join('\n\n')}\n`
}

function endpointMarkdown(endpoint: Endpoint, language: Language): string {
  const { method, path, operation } = endpoint
  const parts = [`### \`${method} ${path}\``, sentence(operation.summary, replyTypes(endpoint), language)]
  if (operation.description) parts.push(operation.description)
  const parameters = (operation.parameters ?? []).map(
    ({ name, in: place, required }) => `\`${name}\` (${place}${required ? `, ${WORDS.required[language]}` : ''})`,
  )
  if (parameters.length > 0) parts.push(`${WORDS.parameters[language]}: ${parameters.join(', ')}`)
  parts.push(...fieldTable(WORDS.body[language], bodyFields(endpoint)), ...fieldTable(WORDS.reply[language], replyFields(endpoint)))
  return parts.join('\n\n')
}

function sentence(summary: string, types: string, language: Language): string {
  if (types === '') return language === 'en' ? `${summary}. The reply has no body.` : `${summary}。回复没有正文。`
  return language === 'en' ? `${summary}. Replies ${types}.` : `${summary}。回复类型：${types}。`
}

function fieldTable(title: string, fields: readonly Field[]): string[] {
  if (fields.length === 0) return []
  const rows = fields.map(({ name, type, required }) => `| \`${name}\`${required ? '' : '?'} | ${type.replaceAll('|', '\\|')} |`)
  return [[`| ${title} | |`, '|---|---|', ...rows].join('\n')]
}

/** Folds by `<details>`, so that it needs no script; its style is a file of its own, as the page's policy demands. */
export function apiPage(document: OpenApiDocument, language: Language = 'en'): string {
  const groups = groupsOf(document)
    .map(
      ({ group, endpoints }) =>
        `<section><h2>${escapeHtml(group)}</h2>${endpoints.map((endpoint) => endpointHtml(endpoint, language)).join('')}</section>`,
    )
    .join('')
  const { title, version, description } = document.info
  const other =
    language === 'en'
      ? '<a href="?lang=zh" hreflang="zh-CN" lang="zh-CN">中文</a>'
      : '<a href="?lang=en" hreflang="en" lang="en">English</a>'
  return `<!doctype html><html lang="${language === 'en' ? 'en' : 'zh-CN'}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} ${WORDS.title[language]}</title><link rel="stylesheet" href="/docs/api.css"></head><body><h1>${title} ${escapeHtml(version)}: ${WORDS.title[language]}</h1><p>${inline(description)}</p><p><a href="/openapi.json${language === 'en' ? '' : '?lang=zh'}">openapi.json</a> · ${other}</p>${groups}</body></html>\n`
}

function endpointHtml(endpoint: Endpoint, language: Language): string {
  const { method, path, operation } = endpoint
  const heading = `<summary><b class="${method.toLowerCase()}">${method}</b> <code>${escapeHtml(path)}</code> ${inline(operation.summary)}</summary>`
  const notes = operation.description ? `<p>${inline(operation.description)}</p>` : ''
  const parameters = (operation.parameters ?? []).map(({ name, in: place }) => `<code>${escapeHtml(name)}</code> (${place})`).join(', ')
  return `<details>${heading}${notes}${parameters && `<p>${WORDS.parameters[language]}: ${parameters}</p>`}${tableHtml('body', bodyFields(endpoint), language)}${tableHtml('reply', replyFields(endpoint), language)}<p>${WORDS.replies[language]} <code>${escapeHtml(replyTypes(endpoint))}</code></p></details>`
}

function tableHtml(title: 'body' | 'reply', fields: readonly Field[], language: Language): string {
  if (fields.length === 0) return ''
  const rows = fields.map(
    ({ name, type, required }) =>
      `<tr><td><code>${escapeHtml(name)}</code>${required ? ` <em>${WORDS.required[language]}</em>` : ''}</td><td>${escapeHtml(type)}</td></tr>`,
  )
  return `<h3>${WORDS[title][language]}</h3><table>${rows.join('')}</table>`
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
