/**
 * A file at an address as a ByteSource: pieces by HTTP range requests (RFC 9110, 14), kept so that nothing is asked for twice.
 * Pieces grow while a header is read on, so a small header costs little and a large one few requests.
 * A server without ranges is read from its start as far as needed.
 */
import { delay } from '../../base/async.ts'
import { HttpFailure } from '../../base/http.ts'
import type { Http, HttpResponse } from '../../base/http.ts'
import { AppError } from '../../shared/errors.ts'
import type { FileSource } from '../byte-source.ts'
import { isTemporary, retryAfterMs } from '../hubs/failures.ts'
import type { FileSourceUrl } from '../hubs/source.ts'
import { PieceCache } from './piece-cache.ts'
import { PrefixStream } from './prefix-stream.ts'

export interface RemoteFile {
  /** In its repository. */
  path: string
  /** As the hub says; the file's own answer is believed. */
  bytes?: number
  urls: readonly FileSourceUrl[]
}

/** Counted up by every source that shares it. */
export interface ReadCost {
  bytes: number
  requests: number
}

export interface RemoteSourceOptions {
  http: Http
  cost: ReadCost
  /** Of the first piece. Each further one is twice as long, up to 4 MB … */
  firstBytes: number
  /** … or just as long as somebody asks. */
  isExact?: boolean
  signal?: AbortSignal
  /** Between tries of a busy server. Default 300 ms, growing. */
  pauseMs?: number
}

const LONGEST_PIECE = 4 * 1024 * 1024
const ATTEMPTS = 3
const MAX_PAUSE_MS = 10_000

/** Asks for the first piece. Throws `gated-model`, `download-failed` with what each address answered. */
export async function openRemoteSource(file: RemoteFile, options: RemoteSourceOptions): Promise<FileSource> {
  const failures: string[] = []
  for (const url of file.urls) {
    try {
      return await openAt(url, file, options)
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!(error instanceof RemoteFailure)) throw error
      failures.push(error.message)
    }
  }
  throw new AppError('download-failed', { file: file.path, reason: failures.join('; ') || 'it has no address' })
}

/** This address does not give the file; another one may. */
class RemoteFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RemoteFailure'
  }
}

async function openAt(url: FileSourceUrl, file: RemoteFile, options: RemoteSourceOptions): Promise<FileSource> {
  const response = await ask(url, { start: 0, end: options.firstBytes - 1 }, options)
  if (response.status === 416) return emptyFile(response)
  if (response.status === 200) return wholeFile(response, url, options)
  const range = rangeOf(response)
  if (range === undefined || range.start !== 0) throw await refusal(response, url, 'answers ranges wrongly')
  const first = await bodyOf(response, Math.min(options.firstBytes, range.total), url, options)
  return new RangedFile(url, file, options, { total: range.total, etag: strongTag(response), finalUrl: response.url }, first)
}

/** What must stay the same between two pieces of one file. */
interface Identity {
  total: number
  etag: string | undefined
  /** After redirects: the storage's own address, which saves a hop as long as it is valid. */
  finalUrl: string
}

class RangedFile implements FileSource {
  readonly bytes: number
  /** Pieces are as long as they should be; a reader must not ask past one for the sake of its own buffer. */
  readonly chunkBytes = 16 * 1024
  readonly #url: FileSourceUrl
  readonly #file: RemoteFile
  readonly #options: RemoteSourceOptions
  readonly #pieces = new PieceCache()
  #identity: Identity
  #nextBytes: number

  constructor(url: FileSourceUrl, file: RemoteFile, options: RemoteSourceOptions, identity: Identity, first: Uint8Array) {
    this.#url = url
    this.#file = file
    this.#options = options
    this.#identity = identity
    this.bytes = identity.total
    this.#nextBytes = Math.min(LONGEST_PIECE, options.firstBytes * 2)
    this.#pieces.add(0, first)
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const end = Math.min(offset + length, this.bytes)
    if (end <= offset) return new Uint8Array(0)
    for (let at = this.#pieces.heldUntil(offset); at < end; at = this.#pieces.heldUntil(offset)) {
      const wanted = this.#options.isExact ? end - at : Math.max(end - at, Math.min(this.#nextBytes, this.bytes - at))
      this.#nextBytes = Math.min(LONGEST_PIECE, this.#nextBytes * 2)
      this.#pieces.add(at, await this.#fetch(at, wanted))
    }
    return this.#pieces.take(offset, end - offset)
  }

  async close(): Promise<void> {
    this.#pieces.clear()
  }

  async #fetch(start: number, length: number): Promise<Uint8Array> {
    const range = { start, end: start + length - 1 }
    try {
      const response = (await this.#askDirectly(range)) ?? (await this.#askAgain(range))
      return await this.#accept(response, start, length)
    } catch (error) {
      this.#options.signal?.throwIfAborted()
      if (!(error instanceof RemoteFailure)) throw error
      throw new AppError('download-failed', { file: this.#file.path, reason: error.message }, { cause: error })
    }
  }

  /** Undefined when the storage refuses: its signed address has run out. */
  async #askDirectly(range: { start: number; end: number }): Promise<HttpResponse | undefined> {
    const { finalUrl } = this.#identity
    if (finalUrl === this.#url.url) return undefined
    // A token is meant for the host that it was made for.
    const headers = new URL(finalUrl).origin === new URL(this.#url.url).origin ? (this.#url.headers ?? {}) : {}
    try {
      return await ask({ name: this.#url.name, url: finalUrl, headers }, range, this.#options)
    } catch (error) {
      if (error instanceof RemoteFailure) return undefined
      throw error
    }
  }

  /** The hub gives a new address. */
  async #askAgain(range: { start: number; end: number }): Promise<HttpResponse> {
    const response = await ask(this.#url, range, this.#options)
    this.#identity = { ...this.#identity, finalUrl: response.url }
    return response
  }

  async #accept(response: HttpResponse, start: number, length: number): Promise<Uint8Array> {
    const range = rangeOf(response)
    const etag = strongTag(response)
    const changed = range?.total !== this.bytes || (etag !== undefined && this.#identity.etag !== undefined && etag !== this.#identity.etag)
    if (range === undefined || range.start !== start || changed)
      throw await refusal(response, this.#url, changed ? 'has changed the file meanwhile' : 'answers ranges wrongly')
    return bodyOf(response, length, this.#url, this.#options)
  }
}

/** The server knows no ranges: its one answer is read as far as somebody asks. */
async function wholeFile(response: HttpResponse, url: FileSourceUrl, options: RemoteSourceOptions): Promise<FileSource> {
  const type = response.headers.get('content-type') ?? ''
  if (/^text\/html/i.test(type)) throw await refusal(response, url, 'answered with a web page')
  const length = Number(response.headers.get('content-length') ?? Number.NaN)
  if (!Number.isSafeInteger(length) || length < 0) throw await refusal(response, url, 'does not say how long the file is')
  return new PrefixStream(response, length, options.cost)
}

async function ask(
  url: FileSourceUrl,
  range: { start: number; end: number },
  { http, cost, signal, pauseMs = 300 }: RemoteSourceOptions,
): Promise<HttpResponse> {
  for (let attempt = 1; ; attempt += 1) {
    cost.requests += 1
    const response = await reach(http, url, { ...url.headers, range: `bytes=${range.start}-${range.end}` }, signal)
    cost.requests += response.redirects.length
    if (isTemporary(response.status) && attempt < ATTEMPTS) {
      await response.discard()
      await delay(Math.min(retryAfterMs(response.headers.get('retry-after')) ?? pauseMs * 2 ** (attempt - 1), MAX_PAUSE_MS), signal)
      continue
    }
    if ([200, 206, 416].includes(response.status)) return response
    // A refusal after a redirect is the storage's: an address that has run out, not a licence.
    if ([401, 403].includes(response.status) && url.repository !== undefined && response.redirects.length === 0) {
      await response.discard()
      throw new AppError('gated-model', { repository: url.repository })
    }
    throw await refusal(response, url)
  }
}

async function reach(
  http: Http,
  { url }: FileSourceUrl,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  try {
    return await http.request(url, { headers, ...(signal ? { signal } : {}) })
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof HttpFailure) throw new RemoteFailure(error.message, { cause: error })
    throw error
  }
}

async function refusal(response: HttpResponse, url: FileSourceUrl, reason?: string): Promise<RemoteFailure> {
  await response.discard()
  return new RemoteFailure(`${new URL(url.url).host} ${reason ?? `answered ${response.status}`}`)
}

/** Exactly `length` bytes; what comes after them is not read. */
async function bodyOf(
  response: HttpResponse,
  length: number,
  url: FileSourceUrl,
  { cost, signal }: RemoteSourceOptions,
): Promise<Uint8Array> {
  const data = Buffer.allocUnsafe(length)
  let done = 0
  try {
    for await (const chunk of response.body) {
      cost.bytes += chunk.length
      data.set(chunk.subarray(0, length - done), done)
      done = Math.min(length, done + chunk.length)
      if (done === length) break
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw new RemoteFailure(`${new URL(url.url).host} broke off`, { cause: error })
  }
  if (done < length) throw new RemoteFailure(`${new URL(url.url).host} sent ${done} of ${length} bytes`)
  return data
}

/** `bytes 0-99/1234`; undefined when it is something else, or the length is not told. */
function rangeOf(response: HttpResponse): { start: number; total: number } | undefined {
  const match = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '')
  const [start, total] = [Number(match?.[1]), Number(match?.[2])]
  return Number.isSafeInteger(start) && Number.isSafeInteger(total) ? { start, total } : undefined
}

/** Weak tags (`W/"…"`) promise nothing about bytes. */
function strongTag(response: HttpResponse): string | undefined {
  const etag = response.headers.get('etag') ?? undefined
  return etag?.startsWith('W/') ? undefined : etag
}

async function emptyFile(response: HttpResponse): Promise<FileSource> {
  await response.discard()
  return { bytes: 0, read: async () => new Uint8Array(0), close: async () => {} }
}
