/** The HTTP server's routes, without a port: tests call `app.request()`. */
import { randomUUID } from 'node:crypto'
import { Hono, type Context, type MiddlewareHandler } from 'hono'
import type { Logger } from '../base/logger.ts'
import type { Platform } from '../platform/platform.ts'
import { AppError, toWireError } from '../shared/errors.ts'
import { createRunLine, inBackground } from './batch-lines.ts'
import { compression } from './compression.ts'
import { anthropicErrors } from './error-dialects.ts'
import { errorReply, statusOf } from './error-reply.ts'
import { STREAM_TIMING, type StreamTiming } from './event-stream.ts'
import { idempotency } from './idempotency.ts'
import { BODY_LIMIT } from './json-body.ts'
import { checkCaller, preflightHeaders, requestIdOf } from './policy.ts'
import type { RouteContext } from './route-context.ts'
import { anthropicRoutes } from './routes/anthropic.ts'
import { apiDocsRoutes } from './routes/api-docs.ts'
import { apiRoutes } from './routes/api.ts'
import { chatRoutes } from './routes/chat.ts'
import { batchRoutes } from './routes/batches.ts'
import { completionRoutes } from './routes/completions.ts'
import { embeddingRoutes } from './routes/embeddings.ts'
import { fileRoutes } from './routes/files.ts'
import { healthRoutes } from './routes/health.ts'
import { headOfRoot, ollamaRoutes } from './routes/ollama.ts'
import { ollamaModelRoutes } from './routes/ollama-models.ts'
import { openAiModelRoutes } from './routes/openai-models.ts'
import { pageRoutes } from './routes/page.ts'
import { responseRoutes } from './routes/responses.ts'
import { peerRoutes } from './routes/peer.ts'
import { simpleRoutes } from './routes/simple.ts'
import { infillRoutes, rerankRoutes, tokenRoutes } from './routes/tokens.ts'

export interface AppOptions {
  platform: Platform
  logger: Logger
  version: string
  /** Origins of other pages that may call, e.g. `http://localhost:3000`; `*` is every page. */
  corsOrigins: readonly string[]
  /** Names (or `name:port`) that are this server, beside the loopback names. A function, since the port may be known later. */
  allowedHosts: () => readonly string[]
  /** Where the built page is (`dist/ui`). */
  pageFolder?: string
  timing?: StreamTiming
  /** Bytes. */
  bodyLimit?: number
  now?: () => number
  newId?: () => string
}

export function createApp(options: AppOptions): Hono {
  const { platform } = options
  void platform.records.start(createRunLine(routesOf({ ...options, platform: inBackground(platform) })))
  return routesOf(options)
}

function routesOf(options: AppOptions): Hono {
  const { platform, logger, version, pageFolder } = options
  const { timing = STREAM_TIMING, bodyLimit = BODY_LIMIT, now = Date.now, newId = hexadecimalId } = options
  const context: RouteContext = { platform, logger, version, timing, bodyLimit, now, newId }
  const app = new Hono()
  app.use(guard(options, context))
  app.use(compression())
  app.use(idempotency({ bodyLimit, now }))
  app.use('/', headOfRoot)
  const parts = [
    chatRoutes,
    completionRoutes,
    embeddingRoutes,
    openAiModelRoutes,
    anthropicRoutes,
    ollamaRoutes,
    ollamaModelRoutes,
    rerankRoutes,
    tokenRoutes,
    infillRoutes,
    simpleRoutes,
    peerRoutes,
    responseRoutes,
    fileRoutes,
    batchRoutes,
    healthRoutes,
    apiRoutes,
    apiDocsRoutes,
  ]
  for (const part of parts) app.route('/', part(context))
  const methodsAt = methodTable(app)
  app.get('*', pageRoutes({ ...(pageFolder === undefined ? {} : { folder: pageFolder }), isApi: (path) => methodsAt(path).length > 0 }))
  app.notFound((c) => errorReply(c, notFoundError(c, methodsAt(c.req.path))))
  app.onError((error, c) => {
    const wire = toWireError(error)
    if (statusOf(wire) >= 500 && !(error instanceof AppError)) logger.error('a request failed', { path: c.req.path, error })
    return errorReply(c, error)
  })
  return app
}

/** The first and the last to see a request: id, who may call, and headers that every reply has. */
function guard({ allowedHosts, corsOrigins, logger }: AppOptions, { now, newId }: RouteContext): MiddlewareHandler {
  return async (c, next) => {
    const startedAt = now()
    const requestId = requestIdOf(c.req.header('x-request-id'), () => `req_${newId()}`)
    c.header('x-request-id', requestId)
    // The name that Anthropic's clients read.
    if (anthropicErrors.owns({ path: c.req.path, header: (name) => c.req.header(name) })) c.header('request-id', requestId)
    c.header('x-content-type-options', 'nosniff')
    // Not `no-referrer`: some browsers then send `Origin: null` with our own page's requests.
    c.header('referrer-policy', 'same-origin')
    const { corsOrigin } = checkCaller(callerOf(c), { allowedHosts: allowedHosts(), corsOrigins })
    if (corsOrigins.length > 0) c.header('vary', 'Origin')
    if (corsOrigin !== undefined) {
      c.header('access-control-allow-origin', corsOrigin)
      c.header(
        'access-control-expose-headers',
        'x-request-id, request-id, x-bendi-ignored, x-bendi-truncated, idempotent-replayed, retry-after',
      )
      if (isPreflight(c))
        return c.body(null, 204, preflightHeaders(c.req.header('access-control-request-headers'), asksForPrivateNetwork(c)))
    }
    await next()
    logger.debug('request', { id: requestId, method: c.req.method, path: c.req.path, status: c.res.status, ms: now() - startedAt })
    return undefined
  }
}

function callerOf(c: Context): Parameters<typeof checkCaller>[0] {
  return {
    method: c.req.method,
    path: c.req.path,
    host: c.req.header('host') ?? new URL(c.req.url).host,
    origin: c.req.header('origin'),
    fetchSite: c.req.header('sec-fetch-site'),
    fetchMode: c.req.header('sec-fetch-mode'),
  }
}

function isPreflight(c: Context): boolean {
  return c.req.method === 'OPTIONS' && c.req.header('access-control-request-method') !== undefined
}

function asksForPrivateNetwork(c: Context): boolean {
  return c.req.header('access-control-request-private-network') === 'true'
}

/** Which methods a path answers, from the routes that have been added so far. */
function methodTable(app: Hono): (path: string) => string[] {
  const table = app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => ({
      method,
      path,
      pattern: new RegExp(`^${path.replace(/:\w+\{\.\+\}/g, '.+').replace(/:\w+/g, '[^/]+')}$`),
    }))
  // `/v1/responses/input_tokens` is no response's id.
  return (path) => {
    const exact = table.filter((route) => route.path === path)
    const matching = exact.length > 0 ? exact : table.filter(({ pattern }) => pattern.test(path))
    return matching.map(({ method }) => method)
  }
}

function notFoundError(c: Context, allowed: readonly string[]): AppError {
  const { path, method } = c.req
  if (allowed.length === 0) return new AppError('not-found', { path })
  c.header('allow', allowed.join(', '))
  return new AppError('method-not-allowed', { path, method, allowed: allowed.join(', ') })
}

function hexadecimalId(): string {
  return randomUUID().replaceAll('-', '')
}
