/** The OpenAPI 3.1 document of every surface, made from the table of routes. Pure. */
import { z } from 'zod'
import type { WireDialect, WireRoute } from '../shared/wire-route.ts'
import { errorSchemas, wireRoutes } from '../shared/wire-routes.ts'

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

const DESCRIPTION =
  'Every reply has `x-request-id`; a caller’s own id (letters, digits, `_.:-`) is kept. Errors have the form of the surface that was asked. ' +
  '429 and 503 have `retry-after`. POSTs with JSON take an `Idempotency-Key`: the same key and body get the same reply for 24 hours ' +
  '(`idempotent-replayed: true`), another body is an error 422; streams are not kept. Fields without effect are listed in `x-bendi-ignored`.'

export function openApiDocument(version: string): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {}
  for (const route of wireRoutes) {
    for (const path of [route.path, ...(route.aliases ?? [])]) {
      const place = (paths[openApiPath(path)] ??= {})
      place[methodOf(route)] = operationOf(route, path)
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'bendi', version, description: DESCRIPTION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    tags: [...new Set(wireRoutes.map(({ group }) => group))].map((name) => ({ name })),
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

function operationOf(route: WireRoute, path: string): Operation {
  const parameters = [...pathParameters(path), ...queryParameters(route.query)]
  return {
    operationId: `${route.method.toLowerCase()}${path.replace(/\{[^}]*\}/g, '').replace(/[^A-Za-z0-9]+(\w?)/g, (_, next: string) => next.toUpperCase())}`,
    tags: [route.group],
    summary: route.summary,
    ...(route.notes ? { description: route.notes } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body
      ? { requestBody: { required: true, content: { [route.bodyType ?? 'application/json']: { schema: inputSchema(route.body) } } } }
      : {}),
    responses: { '200': goodReply(route), default: { $ref: `#/components/responses/${errorName(route.dialect)}` } },
  }
}

function goodReply(route: WireRoute): Operation['responses'][string] {
  const content: Record<string, { schema: JsonSchema }> = {}
  if (route.response) content[route.responseType ?? 'application/json'] = { schema: outputSchema(route.response) }
  else if (route.responseType) content[route.responseType] = { schema: { type: 'string' } }
  if (route.events) content[route.eventsType ?? 'text/event-stream'] = { schema: outputSchema(route.events) }
  return { description: 'OK', headers: { 'x-request-id': { schema: { type: 'string' } } }, content }
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
