import { Hono, type Context } from 'hono'
import { LANGUAGES, type Language } from '../../shared/language.ts'
import { API_STYLE, apiPage } from '../api-docs.ts'
import { languageOf } from '../error-reply.ts'
import { openApiDocument, type OpenApiDocument } from '../openapi.ts'
import type { RouteContext } from '../route-context.ts'

/** No script at all, and only our own style. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** `GET /openapi.json`, `GET /docs/api`. The page is in the reader's language; the document is English unless `?lang=zh` asks for it. */
export function apiDocsRoutes({ version }: RouteContext): Hono {
  const made: Partial<Record<Language, OpenApiDocument>> = {}
  // Costs some milliseconds, and most servers are never asked.
  const document = (language: Language): OpenApiDocument => (made[language] ??= openApiDocument(version, language))
  return new Hono()
    .get('/openapi.json', (c) => c.json(document(askedLanguage(c) ?? 'en')))
    .get('/docs/api', (c) => {
      const language = askedLanguage(c) ?? languageOf(c.req.header('accept-language'))
      return c.html(apiPage(document(language), language), 200, {
        'content-security-policy': CONTENT_SECURITY_POLICY,
        vary: 'accept-language',
      })
    })
    .get('/docs/api.css', (c) => c.body(API_STYLE, 200, { 'content-type': 'text/css; charset=utf-8' }))
}

function askedLanguage(c: Context): Language | undefined {
  return LANGUAGES.find((language) => language === c.req.query('lang'))
}
