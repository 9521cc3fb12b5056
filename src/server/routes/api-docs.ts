import { Hono } from 'hono'
import { API_STYLE, apiPage } from '../api-docs.ts'
import { openApiDocument, type OpenApiDocument } from '../openapi.ts'
import type { RouteContext } from '../route-context.ts'

/** No script at all, and only our own style. */
const CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** `GET /openapi.json`, `GET /docs/api` */
export function apiDocsRoutes({ version }: RouteContext): Hono {
  let made: OpenApiDocument | undefined
  // Costs some milliseconds, and most servers are never asked.
  const document = (): OpenApiDocument => (made ??= openApiDocument(version))
  return new Hono()
    .get('/openapi.json', (c) => c.json(document()))
    .get('/docs/api', (c) => c.html(apiPage(document()), 200, { 'content-security-policy': CONTENT_SECURITY_POLICY }))
    .get('/docs/api.css', (c) => c.body(API_STYLE, 200, { 'content-type': 'text/css; charset=utf-8' }))
}
