import type { Context, Handler } from 'hono'
import { isApiPath } from '../policy.ts'
import { chooseEncoding, openStaticFiles, type StaticFile } from '../static-files.ts'
import { languageOf } from '../error-reply.ts'

/**
 * No inline script, no eval, nothing from other hosts: what a model writes cannot load or send anything. Formulas need inline style attributes.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "font-src 'self' data:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

export interface PageOptions {
  /** The built page; absent or empty: a plain page says how to build it. */
  folder?: string
  /** Paths that belong to an API are never answered with the page. */
  isApi(path: string): boolean
}

/** The page: its files, and `index.html` for every address that the page itself routes. */
export function pageRoutes({ folder, isApi }: PageOptions): Handler {
  const files = folder === undefined ? undefined : openStaticFiles(folder)
  return async (c, next) => {
    const name = fileName(c.req.path)
    if (name === undefined || isApi(c.req.path) || isApiPath(c.req.path)) return next()
    const file = await files?.find(name)
    if (file) return fileReply(c, file)
    // A name with an extension is a file that does not exist; anything else is an address inside the page.
    if (name !== 'index.html' && /\.\w+$/.test(name)) return next()
    const index = await files?.find('index.html')
    return index ? fileReply(c, index) : notBuilt(c)
  }
}

/** Undefined for a path that is no valid percent-encoding. */
function fileName(path: string): string | undefined {
  try {
    return decodeURIComponent(path).slice(1) || 'index.html'
  } catch {
    return undefined
  }
}

async function fileReply(c: Context, file: StaticFile): Promise<Response> {
  c.header('content-security-policy', CONTENT_SECURITY_POLICY)
  c.header('cache-control', file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache')
  c.header('etag', file.etag)
  c.header('vary', 'Accept-Encoding', { append: true })
  if (
    c.req
      .header('if-none-match')
      ?.split(/\s*,\s*/)
      .some((tag) => tag.replace(/^W\//, '') === file.etag)
  )
    return c.body(null, 304)
  const { bytes, encoding } = await file.body(chooseEncoding(c.req.header('accept-encoding')))
  if (encoding !== 'identity') c.header('content-encoding', encoding)
  return c.body(bytes, 200, { 'content-type': file.type, 'content-length': String(bytes.length) })
}

const NOT_BUILT = {
  en: { title: 'The page has not been built', text: 'The server runs; its API is at /v1. Build the page with:', command: 'npm run build' },
  zh: { title: '网页尚未构建', text: '服务正在运行，API 位于 /v1。构建网页：', command: 'npm run build' },
} as const

function notBuilt(c: Context): Response {
  const language = languageOf(c.req.header('accept-language'))
  const { title, text, command } = NOT_BUILT[language]
  c.header('content-security-policy', CONTENT_SECURITY_POLICY)
  c.header('cache-control', 'no-store')
  const body = `<!doctype html><html lang="${language}"><meta charset="utf-8"><title>bendi</title><h1>${title}</h1><p>${text}</p><pre>${command}</pre></html>\n`
  return c.html(body, 503)
}
