/**
 * Who may call: so far everybody on this machine, but no web page that is not ours. A page elsewhere reaches a loopback server in two ways:
 * by asking it directly (told by Origin and Sec-Fetch-Site), or by a name of its own that resolves to 127.0.0.1 (DNS rebinding, told by Host).
 */
import { AppError } from '../shared/errors.ts'

export interface Caller {
  method: string
  path: string
  /** The Host header. */
  host: string
  origin?: string | undefined
  /** Sec-Fetch-Site and Sec-Fetch-Mode, which every current browser sends and no page can change. */
  fetchSite?: string | undefined
  fetchMode?: string | undefined
}

export interface PolicyRules {
  /** Names or `name:port` that are this server, beside the loopback names. */
  allowedHosts: readonly string[]
  /** Origins of other pages that may call; `*` is every page. */
  corsOrigins: readonly string[]
}

/** The origin that must be told that it may read the answer, if the call comes from another page. Throws `forbidden-host`, `forbidden-origin`. */
export function checkCaller(caller: Caller, rules: PolicyRules): { corsOrigin?: string } {
  if (!isOwnHost(caller.host, rules.allowedHosts)) throw new AppError('forbidden-host', { host: caller.host })
  const { origin } = caller
  if (origin === undefined) {
    if (isForeignFetch(caller)) throw new AppError('forbidden-origin', { origin: `another site (${caller.fetchSite})` })
    return {}
  }
  if (isSameOrigin(origin, caller.host)) return {}
  if (rules.corsOrigins.includes(origin) || rules.corsOrigins.includes('*')) return { corsOrigin: origin }
  throw new AppError('forbidden-origin', { origin })
}

/** `localhost`, 127.0.0.0/8 and ::1 with any port: a tunnel may use another one, and a page cannot own these names. */
export function isOwnHost(host: string, allowedHosts: readonly string[]): boolean {
  const name = hostName(host)
  if (name === undefined) return false
  return (
    isLoopbackName(name) || allowedHosts.some((allowed) => allowed.toLowerCase() === name || allowed.toLowerCase() === host.toLowerCase())
  )
}

export function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name === '[::1]' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name)
}

/** Without the port; undefined for what is no host at all. */
function hostName(host: string): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase()
}

function isSameOrigin(origin: string, host: string): boolean {
  return origin.toLowerCase() === `http://${host.toLowerCase()}` || origin.toLowerCase() === `https://${host.toLowerCase()}`
}

/**
 * An `<img>` or `<script>` of another page, or a link to something that costs work. A link to our page is fine: it reads nothing.
 * `same-site` is foreign too: any other program on this machine is the same site.
 */
function isForeignFetch({ fetchSite, fetchMode, method, path }: Caller): boolean {
  if (fetchSite === undefined || fetchSite === 'same-origin' || fetchSite === 'none') return false
  const opensPage = fetchMode === 'navigate' && method === 'GET' && !isApiPath(path)
  return !opensPage
}

export function isApiPath(path: string): boolean {
  return /^\/(?:v[12]|api|generate|stream-generate|health|ready|openapi\.json|rerank|tokenize|detokenize|apply-template|infill)(?:\/|$)/.test(
    path,
  )
}

/** What a preflight is told: the methods there are, and whatever headers it wants to send. */
export function preflightHeaders(requestedHeaders: string | undefined, privateNetwork: boolean): Record<string, string> {
  return {
    'access-control-allow-methods': 'GET, POST, DELETE',
    'access-control-allow-headers': requestedHeaders ?? 'content-type, authorization',
    'access-control-max-age': '600',
    ...(privateNetwork ? { 'access-control-allow-private-network': 'true' } : {}),
  }
}

/** A caller's own id is kept when it is harmless in a header and a log line. */
export function requestIdOf(header: string | undefined, newId: () => string): string {
  return header !== undefined && /^[\w.:-]{1,128}$/.test(header) ? header : newId()
}
