/** Every error in the envelope of the surface that was asked: OpenAI's on `/v1`, ours elsewhere. */
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { errorEntry, isErrorCode, localizeError, toWireError } from '../shared/errors.ts'
import type { Language } from '../shared/language.ts'
import type { WireError } from '../shared/generate.ts'
import { openAiError } from './dialects/openai-reply.ts'

export function errorReply(c: Context, error: unknown): Response {
  const wire = toWireError(error)
  const status = statusOf(wire)
  if (status === 429 || status === 503) c.header('retry-after', '1')
  return c.json(errorBody(c.req.path, wire, languageOf(c.req.header('accept-language'))), status as ContentfulStatusCode)
}

export function statusOf({ code }: WireError): number {
  return isErrorCode(code) ? errorEntry(code).status : 500
}

/** The body of an error for a path. */
export function errorBody(path: string, error: WireError, language: Language): object {
  if (path === '/v1' || path.startsWith('/v1/')) return openAiError(error, language)
  return { error: { ...error, ...localizeError(error, language) } }
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
