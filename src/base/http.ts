/** HTTP to other hosts: proxies, certificates, time limits and redirects that keep secrets at home. No environment is read here. */
import { rootCertificates } from 'node:tls'

import type { Dispatcher } from 'undici'

import type { ProxySettings, Way, Ways } from './proxy.ts'

export interface HttpOptions {
  proxies?: ProxySettings
  /** PEM certificates to trust beside the system's. */
  extraCertificates?: readonly string[]
  /** To make a connection. Default 10 s. */
  connectTimeoutMs?: number
  /** Until the response's headers. Default 30 s. */
  headersTimeoutMs?: number
  /** Between two pieces of the body. Default 60 s. */
  bodyTimeoutMs?: number
  userAgent?: string
}

export interface HttpRequest {
  method?: 'GET' | 'HEAD'
  headers?: Readonly<Record<string, string>>
  signal?: AbortSignal
  /** Default 10. */
  maxRedirects?: number
}

/** One answer on the way; hubs put facts about the file on the redirect. */
export interface HttpHop {
  url: string
  status: number
  headers: Headers
}

export interface HttpResponse {
  /** Where the answer came from, after redirects. */
  url: string
  status: number
  headers: Headers
  /** Redirects that were followed, first one first. */
  redirects: readonly HttpHop[]
  /** Pieces of the body. Must be read or cancelled. */
  body: AsyncIterable<Uint8Array>
  /** The body as text. Throws when it is longer than `limit` bytes (default 16 MB). */
  text(limit?: number): Promise<string>
  /** Frees the connection without reading the rest. */
  discard(): Promise<void>
}

export interface Http {
  /** What it was made with. */
  readonly options: HttpOptions
  request(url: string, options?: HttpRequest): Promise<HttpResponse>
  close(): Promise<void>
}

export type HttpFailureReason = 'network' | 'redirects' | 'insecure-redirect' | 'too-large' | 'bad-url'

/** The exchange itself failed (no status was received, or it cannot be used). */
export class HttpFailure extends Error {
  readonly reason: HttpFailureReason

  constructor(reason: HttpFailureReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'HttpFailure'
    this.reason = reason
  }
}

const DEFAULT_TEXT_LIMIT = 16_000_000
const DEFAULT_MAX_REDIRECTS = 10
/** Never sent to another host than the one they were meant for. */
const SECRET_HEADERS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization', 'private-token'])

export function createHttp(options: HttpOptions = {}): Http {
  let opened: Promise<Ways> | undefined
  const userAgent = options.userAgent ?? 'bendi'
  return {
    options,
    request: async (url, request = {}) => follow(await (opened ??= openWays(options)), userAgent, url, request),
    close: async () => (await opened)?.close(),
  }
}

/** The words of the failure that a person can use: undici hides them in `cause`. */
export function describeNetworkError(error: unknown): string {
  const seen: string[] = []
  let current: unknown = error
  while (current instanceof Error && seen.length < 4) {
    const code = (current as NodeJS.ErrnoException).code
    const message = current.message || code || current.name
    if (message !== 'fetch failed' && message !== 'terminated')
      seen.push(code && !message.includes(code) ? `${message} (${code})` : message)
    current = current.cause
  }
  return [...new Set(seen)].join(': ') || 'no connection'
}

/** undici is large, and a server that has its model on disk never asks another host: it is loaded with the first request. */
async function openWays(options: HttpOptions): Promise<Ways> {
  const { createWays } = await import('./proxy.ts')
  return createWays(options.proxies ?? {}, {
    tls: options.extraCertificates?.length ? { ca: [...rootCertificates, ...options.extraCertificates] } : {},
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    headersTimeout: options.headersTimeoutMs ?? 30_000,
    bodyTimeout: options.bodyTimeoutMs ?? 60_000,
  })
}

async function follow(ways: Ways, userAgent: string, start: string, request: HttpRequest): Promise<HttpResponse> {
  const redirects: HttpHop[] = []
  let { url, headers } = splitCredentials(start, { 'user-agent': userAgent, ...lowerCaseKeys(request.headers ?? {}) })
  for (;;) {
    const response = await exchange(ways, url, headers, request)
    const location = response.headers.get('location')
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return wrap(url, response, redirects)
    await response.body.dump().catch(() => {})
    redirects.push({ url: url.href, status: response.status, headers: response.headers })
    if (redirects.length > (request.maxRedirects ?? DEFAULT_MAX_REDIRECTS))
      throw new HttpFailure('redirects', `too many redirects from ${start}`)
    const next = resolveRedirect(url, location)
    if (next.origin !== url.origin) headers = withoutSecrets(headers)
    ;({ url, headers } = splitCredentials(next.href, headers))
  }
}

interface RawResponse {
  status: number
  headers: Headers
  body: Dispatcher.ResponseData['body']
}

/** Not undici's fetch: its web streams cost several times as much CPU for a byte. */
async function exchange(ways: Ways, url: URL, headers: Record<string, string>, request: HttpRequest): Promise<RawResponse> {
  const { dispatcher, proxy } = wayTo(url, ways)
  const undici = await import('undici')
  try {
    const response = await undici.request(url, {
      method: request.method ?? 'GET',
      headers,
      dispatcher,
      signal: request.signal ?? null,
    })
    // Whoever reads the body hears of its errors by reading.
    response.body.on('error', () => {})
    return { status: response.statusCode, headers: headersOf(response.headers), body: response.body }
  } catch (error) {
    request.signal?.throwIfAborted()
    const reason = describeNetworkError(error)
    const text = proxy === undefined ? `${url.host}: ${reason}` : `${url.host} through the proxy ${proxy}: ${proxyReason(reason)}`
    throw new HttpFailure('network', text, { cause: error })
  }
}

function wayTo(url: URL, ways: Ways): Way {
  try {
    return ways.to(url)
  } catch (error) {
    throw new HttpFailure('bad-url', (error as Error).message, { cause: error })
  }
}

/** undici's words for what a proxy answers. */
function proxyReason(reason: string): string {
  const status = /Proxy response \((\d+)\)/.exec(reason)?.[1]
  const refusesLogin = status === '407' || /auth/i.test(reason)
  if (refusesLogin) return 'it wants a name and a password, or others: http://NAME:PASSWORD@HOST'
  return status === undefined ? reason : `it answers ${status}`
}

function headersOf(raw: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers()
  for (const [name, values] of Object.entries(raw)) for (const value of [values ?? []].flat()) headers.append(name, value)
  return headers
}

function wrap(url: URL, { status, headers, body }: RawResponse, redirects: readonly HttpHop[]): HttpResponse {
  return {
    url: url.href,
    status,
    headers,
    redirects,
    body,
    text: (limit = DEFAULT_TEXT_LIMIT) => readText(url, body, limit),
    discard: async () => void body.destroy(),
  }
}

async function readText(url: URL, body: AsyncIterable<Uint8Array>, limit: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > limit) throw new HttpFailure('too-large', `${url.host} answered with more than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function resolveRedirect(from: URL, location: string): URL {
  const next = parseUrl(location, from)
  if (next.protocol !== 'https:' && next.protocol !== 'http:')
    throw new HttpFailure('bad-url', `${from.host} redirects to ${next.protocol}`)
  if (from.protocol === 'https:' && next.protocol === 'http:') {
    throw new HttpFailure('insecure-redirect', `${from.host} redirects from https to http (${next.host})`)
  }
  return next
}

/** Fetch refuses addresses with `user:password@`; package indexes are written so. */
function splitCredentials(address: string, headers: Record<string, string>): { url: URL; headers: Record<string, string> } {
  const url = parseUrl(address)
  if (url.username === '' && url.password === '') return { url, headers }
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  url.username = ''
  url.password = ''
  return { url, headers: { ...headers, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` } }
}

function parseUrl(address: string, base?: URL): URL {
  try {
    return new URL(address, base)
  } catch {
    throw new HttpFailure('bad-url', `not an address: ${address.slice(0, 200)}`)
  }
}

function withoutSecrets(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !SECRET_HEADERS.has(name)))
}

function lowerCaseKeys(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
