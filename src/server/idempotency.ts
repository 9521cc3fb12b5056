/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header; Stripe's rules): a POST that is sent again gets the reply that the first one got,
 * without the work being done again. While the first is under way, the second waits for it. Only good replies are kept, so that what failed can
 * be tried again; streams are never kept, since a stream belongs to its reader.
 */
import { createHash } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { AppError } from '../shared/errors.ts'
import { isJsonType, readBody } from './json-body.ts'

export interface IdempotencyLimits {
  /** Milliseconds that a reply is kept. */
  keptFor: number
  /** Replies at most; the oldest go first. */
  entries: number
  /** Bytes of all bodies together. */
  bytes: number
}

const LIMITS: IdempotencyLimits = { keptFor: 24 * 3600 * 1000, entries: 1000, bytes: 32 * 1024 * 1024 }

interface SavedReply {
  status: number
  headers: [name: string, value: string][]
  body: Uint8Array<ArrayBuffer>
}

interface Entry {
  /** SHA-256 of the request's body. */
  fingerprint: string
  /** Undefined when nothing was to be kept: then the next in line does the work. */
  reply: Promise<SavedReply | undefined>
  /** Known once it is kept. */
  bytes: number
  /** Milliseconds since 1970. */
  expiresAt: number
}

export interface IdempotencyOptions {
  /** Bytes of a request's body at most. */
  bodyLimit: number
  now(): number
  limits?: Partial<IdempotencyLimits>
}

/** Throws `invalid-field` (the key), `idempotency-key-reused` (the same key, another body). */
export function idempotency({ bodyLimit, now, limits }: IdempotencyOptions): MiddlewareHandler {
  const replies = new ReplyShelf({ ...LIMITS, ...limits }, now)
  return async (c, next) => {
    const key = c.req.header('idempotency-key')
    if (key === undefined || c.req.method !== 'POST' || !isJsonType(c.req.header('content-type') ?? 'application/json')) return next()
    checkKey(key)
    const place = `${c.req.path}\n${key}`
    const fingerprint = createHash('sha256')
      .update(await readBody(c, bodyLimit))
      .digest('base64')
    for (let entry = replies.get(place); entry; entry = replies.get(place)) {
      if (entry.fingerprint !== fingerprint) throw new AppError('idempotency-key-reused', { key })
      const saved = await untilGone(entry.reply, c.req.raw.signal)
      if (saved) return replay(c, saved)
    }
    const keep = replies.begin(place, fingerprint)
    try {
      await next()
      keep(await savable(c.res))
    } catch (error) {
      keep(undefined)
      throw error
    }
    return undefined
  }
}

function checkKey(key: string): void {
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw new AppError('invalid-field', { field: 'Idempotency-Key', reason: 'expected 1 to 255 printable ASCII characters' })
  }
}

/** Throws `cancelled` when the client leaves before the reply is there. */
async function untilGone<T>(reply: Promise<T>, signal: AbortSignal): Promise<T> {
  let leave = (): void => {}
  const gone = new Promise<never>((_, reject) => {
    leave = () => reject(new AppError('cancelled'))
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave)
  })
  try {
    return await Promise.race([reply, gone])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

const OWN_HEADERS: ReadonlySet<string> = new Set([
  'x-request-id',
  'request-id',
  'vary',
  'access-control-allow-origin',
  'access-control-expose-headers',
])

function replay(c: Context, { status, headers, body }: SavedReply): Response {
  const all = new Headers(headers)
  all.set('idempotent-replayed', 'true')
  return c.newResponse(body, status as ContentfulStatusCode, Object.fromEntries(all))
}

/** Good replies that are whole; undefined for errors and streams. */
async function savable(response: Response): Promise<SavedReply | undefined> {
  const type = response.headers.get('content-type') ?? ''
  if (!response.ok || !isJsonType(type)) return undefined
  const body = new Uint8Array(await response.clone().arrayBuffer())
  return { status: response.status, headers: [...response.headers].filter(([name]) => !OWN_HEADERS.has(name)), body }
}

/** What is kept, in the order in which it came, within its limits. */
class ReplyShelf {
  readonly #entries = new Map<string, Entry>()
  readonly #limits: IdempotencyLimits
  readonly #now: () => number
  #bytes = 0

  constructor(limits: IdempotencyLimits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  get(place: string): Entry | undefined {
    this.#expire()
    return this.#entries.get(place)
  }

  /** The work begins; the function that is returned ends it, and must be called. */
  begin(place: string, fingerprint: string): (reply: SavedReply | undefined) => void {
    let resolve = (_reply: SavedReply | undefined): void => {}
    const reply = new Promise<SavedReply | undefined>((done) => {
      resolve = done
    })
    const entry: Entry = { fingerprint, reply, bytes: 0, expiresAt: Number.POSITIVE_INFINITY }
    this.#entries.set(place, entry)
    return (saved) => {
      this.#entries.delete(place)
      if (saved && saved.body.length <= this.#limits.bytes) this.#keep(place, entry, saved.body.length)
      resolve(saved)
    }
  }

  /** At the end of the line again: the entries are in the order of their expiry. */
  #keep(place: string, entry: Entry, bytes: number): void {
    entry.bytes = bytes
    entry.expiresAt = this.#now() + this.#limits.keptFor
    this.#entries.set(place, entry)
    this.#bytes += bytes
    this.#expire()
  }

  #expire(): void {
    for (const [place, entry] of this.#entries) {
      const isDue = entry.expiresAt <= this.#now() || this.#entries.size > this.#limits.entries || this.#bytes > this.#limits.bytes
      if (!isDue) return
      // What is under way is bounded by the requests themselves, and must stay until it ends.
      if (entry.expiresAt === Number.POSITIVE_INFINITY) continue
      this.#entries.delete(place)
      this.#bytes -= entry.bytes
    }
  }
}
