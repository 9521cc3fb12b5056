/** One row of the table of all HTTP surfaces (wire-routes.ts). */
import type { z } from 'zod'
import type { Localized } from './language.ts'

export type WireDialect = 'openai' | 'anthropic' | 'ollama' | 'bendi'

export interface WireRoute {
  method: 'GET' | 'POST' | 'DELETE'
  /** Parameters as `:name`; `:name{.+}` may hold slashes. */
  path: string
  /** Other paths that are answered in the same way. */
  aliases?: readonly string[]
  /** The heading that it is listed under. */
  group: string
  summary: Localized
  /** What is particular here, in sentences. */
  notes?: Localized
  /** Whose form its errors have. */
  dialect: WireDialect
  query?: z.ZodType
  body?: z.ZodType
  /** What the body is, when it is not JSON. */
  bodyType?: string
  response?: z.ZodType
  /** What the reply is, when it is not JSON; then `response` may be absent. */
  responseType?: string
  /** What one event of the streamed reply holds; with `response`, the request asks for it (`"stream": true`). */
  events?: z.ZodType
  /** Absent is `text/event-stream`. */
  eventsType?: 'text/event-stream' | 'application/x-ndjson'
}
