/** The OpenAPI 3.1 document of every surface, made from the table of routes. Pure. */
import { z } from 'zod'
import type { Language, Localized } from '../shared/language.ts'
import type { WireDialect, WireRoute } from '../shared/wire-route.ts'
import { errorSchemas, groupTitles, wireRoutes } from '../shared/wire-routes.ts'

type JsonSchema = Record<string, unknown>

export interface Operation {
  operationId: string
  tags: string[]
  summary: string
  description?: string
  parameters?: { name: string; in: 'path' | 'query'; required: boolean; schema: JsonSchema }[]
  requestBody?: { required: true; content: Record<string, { schema: JsonSchema }> }
  responses: Record<
    string,
    { description: string; content?: Record<string, { schema: JsonSchema }>; headers?: Record<string, unknown> } | { $ref: string }
  >
}

export interface OpenApiDocument {
  openapi: '3.1.0'
  info: { title: string; version: string; description: string; license: { name: string; identifier: string } }
  servers: { url: string }[]
  tags: { name: string }[]
  paths: Record<string, Partial<Record<'get' | 'post' | 'delete', Operation>>>
  components: { schemas: Record<string, JsonSchema>; responses: Record<string, object> }
}

const DESCRIPTION: Localized = {
  en:
    'Every reply has `x-request-id`; a caller’s own id (letters, digits, `_.:-`) is kept. Errors have the form of the surface that was asked, in English or Chinese by `Accept-Language`. ' +
    '429 and 503 have `retry-after`. POSTs with JSON take an `Idempotency-Key`: the same key and body get the same reply for 24 hours, ' +
    'until the server stops (`idempotent-replayed: true`), another body is an error 422; streams, uploads and errors are not kept. Fields without effect are listed in `x-bendi-ignored`.',
  zh:
    '每个回复都带有 `x-request-id`；调用方自带的 id（字母、数字、`_.:-`）会保留。错误采用所请求接口的形式，并按 `Accept-Language` 以英文或中文给出。' +
    '429 和 503 带有 `retry-after`。JSON 的 POST 请求可带 `Idempotency-Key`：24 小时内（服务停止前）相同的键和请求体得到相同的回复' +
    '（`idempotent-replayed: true`），不同的请求体得到错误 422；流式回复、上传和错误不保存。没有作用的字段列在 `x-bendi-ignored` 中。',
}

/** The words of people in one language; names and schemas are the same in both. */
export function openApiDocument(version: string, language: Language = 'en'): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {}
  for (const route of wireRoutes) {
    for (const path of [route.path, ...(route.aliases ?? [])]) {
      const place = (paths[openApiPath(path)] ??= {})
      place[methodOf(route)] = operationOf(route, path, language)
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'bendi', version, description: DESCRIPTION[language], license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    tags: [...new Set(wireRoutes.map(({ group }) => titleOf(group, language)))].map((name) => ({ name })),
    paths,
    components: { schemas: errorComponents(), responses: errorResponses() },
  }
}

function methodOf({ method }: WireRoute): 'get' | 'post' | 'delete' {
  switch (method) {
    case 'GET':
      return 'get'
    case 'POST':
      return 'post'
    case 'DELETE':
      return 'delete'
  }
}

/** `/a/:b{.+}` → `/a/{b}` */
export function openApiPath(path: string): string {
  return path.replace(/:(\w+)(?:\{[^}]*\})?/g, '{$1}')
}

function titleOf(group: string, language: Language): string {
  return groupTitles[group]?.[language] ?? group
}

function operationOf(route: WireRoute, path: string, language: Language): Operation {
  const parameters = [...pathParameters(path), ...queryParameters(route.query)]
  return {
    operationId: `${route.method.toLowerCase()}${path.replace(/\{[^}]*\}/g, '').replace(/[^A-Za-z0-9]+(\w?)/g, (_, next: string) => next.toUpperCase())}`,
    tags: [titleOf(route.group, language)],
    summary: route.summary[language],
    ...(route.notes ? { description: route.notes[language] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body
      ? { requestBody: { required: true, content: { [route.bodyType ?? 'application/json']: { schema: inputSchema(route.body) } } } }
      : {}),
    // Told by whoever reads the head, before it knows the path.
    responses: {
      '200': goodReply(route),
      '431': { $ref: '#/components/responses/OpenAiError' },
      default: { $ref: `#/components/responses/${errorName(route.dialect)}` },
    },
  }
}

function goodReply(route: WireRoute): Operation['responses'][string] {
  const content: Record<string, { schema: JsonSchema }> = {}
  if (route.response) content[route.responseType ?? 'application/json'] = { schema: outputSchema(route.response) }
  else if (route.responseType) content[route.responseType] = { schema: { type: 'string' } }
  if (route.events) content[route.eventsType ?? 'text/event-stream'] = { schema: eventSchema(route, outputSchema(route.events)) }
  return { description: 'OK', headers: { 'x-request-id': { schema: { type: 'string' } } }, content }
}

/** One line of JSON; or one Server-Sent Event, whose data is JSON in a text (as OpenAPI 3.2 describes streams). */
function eventSchema({ eventsType, dialect }: WireRoute, item: JsonSchema): JsonSchema {
  if (eventsType === 'application/x-ndjson') return item
  const error = { $ref: `#/components/schemas/${errorName(dialect)}` }
  const json = { type: 'string', contentMediaType: 'application/json', contentSchema: { anyOf: [item, error] } }
  const data = item['type'] === 'string' ? item : { anyOf: [{ const: '[DONE]' }, json] }
  return { type: 'object', properties: { event: { type: 'string' }, data }, required: ['data'] }
}

function pathParameters(path: string): NonNullable<Operation['parameters']> {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
}

function queryParameters(query: z.ZodType | undefined): NonNullable<Operation['parameters']> {
  if (!query) return []
  const { properties = {}, required = [] } = inputSchema(query) as { properties?: Record<string, JsonSchema>; required?: string[] }
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: required.includes(name), schema }))
}

function inputSchema(schema: z.ZodType): JsonSchema {
  return jsonSchema(schema, 'input')
}

function outputSchema(schema: z.ZodType): JsonSchema {
  return jsonSchema(schema, 'output')
}

/** What JSON Schema cannot say (a check in code) is left out rather than made up. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const {
    $schema: _,
    '~standard': _standard,
    ...rest
  } = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' }) as JsonSchema
  return rest
}

function errorName(dialect: WireDialect): string {
  return { openai: 'OpenAiError', anthropic: 'AnthropicError', ollama: 'OllamaError', bendi: 'BendiError' }[dialect]
}

const DIALECTS: readonly WireDialect[] = ['openai', 'anthropic', 'ollama', 'bendi']

function usedDialects(): WireDialect[] {
  return DIALECTS.filter((dialect) => wireRoutes.some((route) => route.dialect === dialect))
}

function errorComponents(): Record<string, JsonSchema> {
  return Object.fromEntries(usedDialects().map((dialect) => [errorName(dialect), outputSchema(errorSchemas[dialect])]))
}

function errorResponses(): Record<string, object> {
  return Object.fromEntries(
    usedDialects().map((dialect) => [
      errorName(dialect),
      { description: 'An error', content: { 'application/json': { schema: { $ref: `#/components/schemas/${errorName(dialect)}` } } } },
    ]),
  )
}
