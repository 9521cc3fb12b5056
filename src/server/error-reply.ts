/** Every error in the form of the surface that was asked: see error-dialects.ts. */
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { errorEntry, isErrorCode, toWireError } from '../shared/errors.ts'
import type { Language } from '../shared/language.ts'
import type { WireError } from '../shared/generate.ts'
import { errorDialectOf, type ErrorDialect } from './error-dialects.ts'

/** An error in the form of the caller's own dialect. */
export function errorReply(c: Context, error: unknown): Response {
  return errorReplyFor(dialectOf(c))(c, error)
}

/** The same for a route that knows its dialect better than its path tells. */
export function errorReplyFor(dialect: ErrorDialect): (c: Context, error: unknown) => Response {
  return (c, error) => {
    const wire = toWireError(error)
    const status = dialect.status?.(wire) ?? statusOf(wire)
    if (status === 429 || status === 503) c.header('retry-after', String(retryAfterOf(wire)))
    return c.json(dialect.body(wire, languageOf(c.req.header('accept-language')), requestIdIn(c)), status as ContentfulStatusCode)
  }
}

/** Seconds. A queue that is full moves soon; a server that shuts down comes back after its drain, if at all. */
function retryAfterOf({ code, data }: WireError): number {
  const seconds = data['retryAfter']
  if (typeof seconds === 'number') return Math.max(1, Math.ceil(seconds))
  return code === 'shutting-down' ? 5 : 1
}

export function statusOf({ code }: WireError): number {
  return isErrorCode(code) ? errorEntry(code).status : 500
}

/** The body of an error for a call; what a stream tells when it breaks. */
export function errorBody(c: Context, error: WireError): object {
  return dialectOf(c).body(error, languageOf(c.req.header('accept-language')), requestIdIn(c))
}

function dialectOf(c: Context): ErrorDialect {
  return errorDialectOf({ path: c.req.path, header: (name) => c.req.header(name) })
}

/** The guard has put it into the reply's headers. */
function requestIdIn(c: Context): string {
  return c.res.headers.get('x-request-id') ?? ''
}

/** The better liked of the languages we have; English when the header names neither (RFC 9110, section 12.5.4). */
export function languageOf(acceptLanguage: string | undefined): Language {
  const chinese = weightOf(acceptLanguage ?? '', 'zh')
  return chinese > 0 && chinese > weightOf(acceptLanguage ?? '', 'en') ? 'zh' : 'en'
}

function weightOf(header: string, language: Language): number {
  const weights = header.split(',').map((item) => {
    const [tag = '', ...parameters] = item
      .trim()
      .toLowerCase()
      .split(/\s*;\s*/)
    if (tag !== language && !tag.startsWith(`${language}-`)) return 0
    const quality = parameters.find((parameter) => parameter.startsWith('q='))
    return quality === undefined ? 1 : Number(quality.slice(2)) || 0
  })
  return Math.max(0, ...weights)
}
