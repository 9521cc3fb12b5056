/**
 * Every HTTP surface in one table: the OpenAPI document, the page at /docs/api and docs/http-api.md are made from it, and a test holds it
 * against what the server answers. A new surface adds its rows in a file of its own (see openai/openai-routes.ts), and one line here.
 */
import { z } from 'zod'
import { anthropicRoutes } from './anthropic/anthropic-routes.ts'
import { AnthropicErrorSchema } from './anthropic/messages-reply.ts'
import type { Localized } from './language.ts'
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

/** The headings. */
export const groupTitles: Readonly<Record<string, Localized>> = {
  OpenAI: { en: 'OpenAI', zh: 'OpenAI' },
  'Tokens, ranking, infilling': { en: 'Tokens, ranking, infilling', zh: 'token、重排序、中间填充' },
  Responses: { en: 'Responses', zh: '响应（Responses）' },
  'Files and batches': { en: 'Files and batches', zh: '文件与批量请求' },
  Anthropic: { en: 'Anthropic', zh: 'Anthropic' },
  Ollama: { en: 'Ollama', zh: 'Ollama' },
  bendi: { en: 'bendi', zh: 'bendi' },
}

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
    summary: { en: 'One prompt, one answer', zh: '一个提示，一个回答' },
    body: SimpleRequestSchema,
    response: SimpleReplySchema,
  },
  {
    ...plain,
    method: 'GET',
    path: '/stream-generate',
    summary: { en: 'The same for an EventSource, which can only send a URL', zh: '同上，供只能发送 URL 的 EventSource 使用' },
    notes: {
      en: 'The data of each event is plain text, ending in `[DONE]`; thoughts are events named `reasoning`.',
      zh: '每个事件的数据是纯文本，以 `[DONE]` 结束；思考内容是名为 `reasoning` 的事件。',
    },
    query: SimpleQuerySchema,
    events: z.string(),
  },
  {
    ...plain,
    method: 'GET',
    path: '/api/peer/models',
    summary: {
      en: 'Models that another bendi may copy from here; 404 unless sharing is on',
      zh: '其他 bendi 可从这里复制的模型；未开启共享时为 404',
    },
    response: z.array(z.looseObject({ name: z.string() })),
  },
  {
    ...plain,
    method: 'GET',
    path: '/api/peer/files/:sha256',
    summary: { en: 'A file of theirs, with ranges', zh: '这些模型的文件，支持分段读取' },
    responseType: 'application/octet-stream',
  },
  {
    ...plain,
    method: 'GET',
    path: '/health',
    summary: { en: 'The process answers', zh: '进程是否响应' },
    response: z.strictObject({ status: z.literal('ok') }),
  },
  {
    ...plain,
    method: 'GET',
    path: '/ready',
    summary: { en: 'A deployment answers; 503 until then', zh: '是否有部署可以回答；在此之前为 503' },
    response: z.strictObject({ status: z.enum(['ready', 'not-ready']) }),
  },
  {
    ...plain,
    method: 'GET',
    path: '/openapi.json',
    summary: { en: 'This interface as an OpenAPI 3.1 document', zh: '本接口的 OpenAPI 3.1 文档' },
    response: z.looseObject({}),
  },
  {
    ...plain,
    method: 'GET',
    path: '/docs/api',
    summary: { en: 'This interface as a page', zh: '本接口的文档页面' },
    responseType: 'text/html',
  },
  { ...plain, method: 'GET', path: '/docs/api.css', summary: { en: 'How that page looks', zh: '该页面的样式' }, responseType: 'text/css' },
]

export const wireRoutes: readonly WireRoute[] = [
  ...openAiRoutes,
  ...recordRoutes,
  ...anthropicRoutes,
  ...ollamaRoutes,
  ...ownRoutes,
  ...otherRoutes,
]
