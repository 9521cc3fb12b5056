/**
 * Every HTTP surface in one table: the OpenAPI document, the page at /docs/api and docs/http-api.md are made from it, and a test holds it
 * against what the server answers. A new surface adds its rows in a file of its own (see openai/openai-routes.ts), and one line here.
 */
import { z } from 'zod'
import { anthropicRoutes } from './anthropic/anthropic-routes.ts'
import { AnthropicErrorSchema } from './anthropic/messages-reply.ts'
import { OpenAiErrorSchema } from './openai.ts'
import { ollamaRoutes } from './ollama/ollama-routes.ts'
import { OllamaErrorSchema } from './ollama/replies.ts'
import { openAiRoutes } from './openai/openai-routes.ts'
import { recordRoutes } from './record-routes.ts'
import { routes, type Route } from './routes.ts'
import { SimpleQuerySchema, SimpleReplySchema, SimpleRequestSchema } from './simple.ts'
import type { WireDialect, WireRoute } from './wire-route.ts'

const OwnError = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    data: z.record(z.string(), z.union([z.string(), z.number()])),
    message: z.string(),
    hint: z.string().optional(),
  }),
})

/** The body of an error, by dialect. */
export const errorSchemas: Readonly<Record<WireDialect, z.ZodType>> = {
  openai: OpenAiErrorSchema,
  anthropic: AnthropicErrorSchema,
  ollama: OllamaErrorSchema,
  bendi: OwnError,
}

const plain = { group: 'bendi', dialect: 'bendi' } as const

const ownRoutes = Object.values(routes).map((route: Route): WireRoute => ({ ...plain, ...route }))

const otherRoutes: readonly WireRoute[] = [
  {
    ...plain,
    method: 'POST',
    path: '/generate',
    summary: 'One prompt, one answer',
    body: SimpleRequestSchema,
    response: SimpleReplySchema,
  },
  {
    ...plain,
    method: 'GET',
    path: '/stream-generate',
    summary: 'The same for an EventSource, which can only send a URL',
    notes: 'The data of each event is plain text, ending in `[DONE]`; thoughts are events named `reasoning`.',
    query: SimpleQuerySchema,
    events: z.string(),
  },
  {
    ...plain,
    method: 'GET',
    path: '/api/peer/models',
    summary: 'Models that another bendi may copy from here; 404 unless sharing is on',
    response: z.array(z.looseObject({ name: z.string() })),
  },
  {
    ...plain,
    method: 'GET',
    path: '/api/peer/files/:sha256',
    summary: 'A file of theirs, with ranges',
    responseType: 'application/octet-stream',
  },
  { ...plain, method: 'GET', path: '/health', summary: 'The process answers', response: z.strictObject({ status: z.literal('ok') }) },
  {
    ...plain,
    method: 'GET',
    path: '/ready',
    summary: 'A deployment answers; 503 until then',
    response: z.strictObject({ status: z.enum(['ready', 'not-ready']) }),
  },
  { ...plain, method: 'GET', path: '/openapi.json', summary: 'This interface as an OpenAPI 3.1 document', response: z.looseObject({}) },
  { ...plain, method: 'GET', path: '/docs/api', summary: 'This interface as a page', responseType: 'text/html' },
  { ...plain, method: 'GET', path: '/docs/api.css', summary: 'How that page looks', responseType: 'text/css' },
]

export const wireRoutes: readonly WireRoute[] = [
  ...openAiRoutes,
  ...recordRoutes,
  ...anthropicRoutes,
  ...ollamaRoutes,
  ...ownRoutes,
  ...otherRoutes,
]
