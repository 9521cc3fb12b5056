/**
 * Large answers with as little work for a byte as Node allows: HTTP/1.1 over sockets of our own, each of which reads into one buffer.
 * undici makes an object of each 64 kB and copies it once more: 1.8 s of CPU to receive and write a GB, and this takes 0.7 s. Only an
 * address that has answered the full client directly, with its length, is asked so; whatever is out of the ordinary (a proxy, a
 * redirect, chunks, a refusal) is left to the full client.
 */
import { HttpFailure } from '../../base/http.ts'
import type { Http, HttpOptions, HttpRequest, HttpResponse } from '../../base/http.ts'
import { connectBulk } from './bulk-connection.ts'
import type { BulkConnection } from './bulk-connection.ts'
import { parseHead } from './response-head.ts'
import type { ResponseHead } from './response-head.ts'

/** As undici: servers close idle connections after 5 s and more. */
const IDLE_MS = 4000
const LIMIT_HEAD = 64 * 1024

/** The same as `http`, which stays open when this is closed. The chunks of a body are good until the next one is asked for. */
export function createBulkHttp(http: Http): Http {
  const known = new Set<string>()
  const pool = new Pool(http.options)
  const { http: httpProxy, https, all } = http.options.proxies ?? {}
  const isDirect = !httpProxy && !https && !all
  return {
    options: http.options,
    request: async (url, request = {}) => {
      const bulk = known.has(url) ? await ask(pool, url, request) : undefined
      if (bulk) return bulk
      known.delete(url)
      const response = await http.request(url, request)
      if (isDirect && isPlain(response.status, response.headers)) known.add(response.url)
      return response
    },
    close: async () => pool.close(),
  }
}

function isPlain(status: number, headers: Headers): boolean {
  return (status === 200 || status === 206) && !headers.has('transfer-encoding') && /^\d+$/.test(headers.get('content-length') ?? '')
}

/** Undefined when the full client should ask. */
async function ask(pool: Pool, address: string, request: HttpRequest): Promise<HttpResponse | undefined> {
  const url = new URL(address)
  const headers = { 'user-agent': pool.options.userAgent ?? 'bendi', ...request.headers, host: url.host }
  if (url.username !== '' || Object.values(headers).some((value) => /[\r\n\0]/.test(value))) return undefined
  const { signal } = request
  signal?.throwIfAborted()
  const connection = pool.take(url) ?? (await pool.connect(url, signal))
  const onAbort = (): void => connection.destroy(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const release = (): void => signal?.removeEventListener('abort', onAbort)
  const head = await readHead(connection, url, headers).catch((error: unknown) => void connection.destroy(error as Error))
  if (head && isPlain(head.status, head.headers)) return answer(pool, url, connection, head, release)
  release()
  connection.destroy()
  signal?.throwIfAborted()
  return undefined
}

async function readHead(
  connection: BulkConnection,
  url: URL,
  headers: Readonly<Record<string, string>>,
): Promise<ResponseHead | undefined> {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  connection.send(`GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('')}\r\n`)
  let bytes: Buffer = Buffer.alloc(0)
  for (;;) {
    const chunk = await connection.read()
    if (!chunk) return undefined
    bytes = Buffer.concat([bytes, chunk])
    const head = parseHead(bytes)
    if (head === 'invalid' || (head === 'incomplete' && bytes.length > LIMIT_HEAD)) return undefined
    if (head !== 'incomplete') return head
  }
}

function answer(pool: Pool, url: URL, connection: BulkConnection, head: ResponseHead, release: () => void): HttpResponse {
  let left = Number(head.headers.get('content-length'))
  let isDone = false
  const finish = (): void => {
    if (isDone) return
    isDone = true
    release()
    if (left === 0 && head.staysOpen) pool.give(url, connection)
    else connection.destroy()
  }
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      let chunk: Uint8Array | undefined = head.rest
      while (left > 0) {
        if (chunk === undefined) throw new HttpFailure('network', `${url.host} closed the connection`)
        // More than it said: this connection is not used again.
        const isMore = chunk.length > left
        const kept = isMore ? chunk.subarray(0, left) : chunk
        if (isMore) head.staysOpen = false
        left -= kept.length
        if (kept.length > 0) yield kept
        if (left > 0) chunk = await connection.read()
      }
    } finally {
      finish()
    }
  }
  const body = read()
  return {
    url: url.href,
    status: head.status,
    headers: head.headers,
    redirects: [],
    body,
    text: async () => {
      const chunks: Buffer[] = []
      for await (const chunk of body) chunks.push(Buffer.from(chunk))
      return Buffer.concat(chunks).toString('utf8')
    },
    discard: async () => finish(),
  }
}

/** Connections that wait for their next question, by origin. */
class Pool {
  readonly options: HttpOptions
  readonly #idle = new Map<string, { connection: BulkConnection; since: number }[]>()
  readonly #all = new Set<BulkConnection>()

  constructor(options: HttpOptions) {
    this.options = options
  }

  take({ origin }: URL): BulkConnection | undefined {
    const waiting = this.#idle.get(origin) ?? []
    for (let last = waiting.pop(); last; last = waiting.pop()) {
      if (last.connection.isOpen && performance.now() - last.since < IDLE_MS) return last.connection
      last.connection.destroy()
    }
    return undefined
  }

  async connect(url: URL, signal: AbortSignal | undefined): Promise<BulkConnection> {
    const connection = await connectBulk(url, this.options, signal)
    this.#all.add(connection)
    connection.onClosed(() => this.#all.delete(connection))
    return connection
  }

  give({ origin }: URL, connection: BulkConnection): void {
    this.#idle.set(origin, [...(this.#idle.get(origin) ?? []), { connection, since: performance.now() }])
  }

  close(): void {
    for (const connection of this.#all) connection.destroy()
  }
}
