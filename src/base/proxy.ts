/** Which way a request takes to another host: directly, or through a proxy (`http:`, `https:`, `socks5:`; with a name and a password in its address). */
import { BlockList, isIP } from 'node:net'

import { Agent, ProxyAgent, Socks5ProxyAgent } from 'undici'
import type { Dispatcher } from 'undici'

/** As in HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY; `http:`, `https:` and `socks5:` addresses. */
export interface ProxySettings {
  http?: string
  https?: string
  all?: string
  no?: string
}

export interface Way {
  dispatcher: Dispatcher
  /** For messages, without its name and password. */
  proxy?: string
}

export interface Ways {
  /** Throws when the address of the proxy is none. */
  to(url: URL): Way
  close(): Promise<void>
}

/** ms; `tls`: certificates to trust. */
export interface WayOptions {
  tls: { ca?: string[] }
  connectTimeoutMs: number
  headersTimeout: number
  bodyTimeout: number
}

const LOOPBACK = 'localhost,127.0.0.0/8,::1'

export function createWays(proxies: ProxySettings, { tls, connectTimeoutMs, ...options }: WayOptions): Ways {
  const connect = { timeout: connectTimeoutMs, ...tls }
  const direct: Way = { dispatcher: new Agent({ ...options, connect }) }
  const made = new Map<string, Way>()
  const isExcepted = exceptions(`${LOOPBACK},${proxies.no ?? ''}`)
  return {
    to: (url) => {
      // Who names one proxy only means it for both.
      const { http, https, all } = proxies
      const address = url.protocol === 'https:' ? https || all || http : http || all || https
      if (!address || isExcepted(url)) return direct
      const way = made.get(address) ?? throughProxy(address, { ...options, requestTls: connect }, tls)
      made.set(address, way)
      return way
    },
    close: async () => {
      await Promise.all([direct, ...made.values()].map(({ dispatcher }) => dispatcher.destroy()))
    },
  }
}

function throughProxy(address: string, options: Omit<ProxyAgent.Options, 'uri'>, tls: WayOptions['tls']): Way {
  const url = proxyUrl(address)
  const proxy = `${url.protocol}//${url.host}`
  // A SOCKS proxy is not spoken to over TLS, and undici does so as soon as it is given settings for it.
  const isSocks = url.protocol === 'socks5:'
  const login = isSocks ? { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) } : {}
  if (isSocks) keepSocksQuiet()
  const dispatcher = new ProxyAgent({ ...options, ...login, uri: url.href, ...(isSocks ? {} : { proxyTls: tls }) })
  return { dispatcher, proxy }
}

let isQuiet = false

/** undici warns once, at the first of its SOCKS5 agents, that they are new: nothing for the people who use one. It has no setting for that. */
function keepSocksQuiet(): void {
  if (isQuiet) return
  isQuiet = true
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    void new Socks5ProxyAgent('socks5://127.0.0.1').close()
  } finally {
    process.emitWarning = emitWarning
  }
}

/** `host:port` is an http proxy, as everywhere. Throws when it is no address. */
function proxyUrl(address: string): URL {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address.replace(/^socks(5h)?:/i, 'socks5:') : `http://${address}`
  const url = URL.canParse(full) ? new URL(full) : undefined
  if (url && ['http:', 'https:', 'socks5:'].includes(url.protocol) && url.hostname !== '') return url
  throw new Error(`the address of the proxy is none: ${full.replace(/\/\/[^@/]*@/, '//').slice(0, 100)}`)
}

/** The hosts of NO_PROXY: names (with all below them), addresses, networks (`10.0.0.0/8`), each with a port or without; `*` is all. */
export function exceptions(list: string): (url: URL) => boolean {
  const entries = list
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .map(parseException)
  return (url) => {
    const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase()
    const port = url.port || (url.protocol === 'https:' ? '443' : '80')
    return entries.some((entry) => (entry.port === undefined || entry.port === port) && entry.matches(host))
  }
}

interface Exception {
  port?: string
  matches(host: string): boolean
}

function parseException(entry: string): Exception {
  const [, bracketed, plain = entry, port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? []
  const name = (bracketed ?? plain).toLowerCase().replace(/^\*?\./, '')
  const rest = port === undefined ? {} : { port }
  if (name === '*') return { ...rest, matches: () => true }
  const network = /^(.+)\/(\d{1,3})$/.exec(name)
  if (network) return { ...rest, matches: inNetwork(network[1] ?? '', Number(network[2])) }
  return { ...rest, matches: (host) => host === name || host.endsWith(`.${name}`) }
}

function inNetwork(address: string, bits: number): (host: string) => boolean {
  const family = isIP(address)
  if (family === 0 || bits > (family === 4 ? 32 : 128)) return () => false
  const kind = family === 4 ? 'ipv4' : 'ipv6'
  const list = new BlockList()
  list.addSubnet(address, bits, kind)
  return (host) => isIP(host) === family && list.check(host, kind)
}
