/** Asks one source for one range of the file, and checks that the answer is what was asked for. */
import { HttpFailure } from '../../base/http.ts'
import type { Http, HttpResponse } from '../../base/http.ts'
import { AppError } from '../../shared/errors.ts'
import { askedWaitMs, isTemporary } from '../hubs/failures.ts'
import { SourceFailure } from './source-state.ts'
import type { SourceState } from './source-state.ts'

export interface RangeWish {
  start: number
  /** Exclusive. */
  end: number
  /** Of the whole file. */
  totalBytes: number
  /** Set when only the ETag tells that the file is still the same. */
  etag?: string
}

export interface OpenedRange {
  response: HttpResponse
  /** Bytes of the body before `start`, when the source ignored the range. */
  skipBytes: number
}

/** How long the address in a hub's storage is used before the hub is asked again, ms. */
const DIRECT_MS = 600_000

/** Throws SourceFailure, `gated-model`, and the signal's reason. */
export async function openRange(http: Http, source: SourceState, wish: RangeWish, signal: AbortSignal, now: number): Promise<OpenedRange> {
  const direct = source.direct && source.direct.until > now ? source.direct.url : undefined
  const response = await ask(http, source, wish, signal, direct)
  const problem = problemOf(source, wish, response)
  if (problem === undefined) {
    remember(source, wish, response, now)
    return { response, skipBytes: response.status === 206 ? 0 : wish.start }
  }
  await response.discard()
  if (direct === undefined) throw problem
  // The address may have expired: the hub gives a new one.
  delete source.direct
  return openRange(http, source, wish, signal, now)
}

/** What a source says about the file, from one byte of it. */
export async function askFacts(
  http: Http,
  source: SourceState,
  signal: AbortSignal,
): Promise<{ totalBytes?: number; etag?: string; ignoresRanges: boolean }> {
  const response = await ask(http, source, { start: 0, end: 1, totalBytes: 2 }, signal)
  const problem = refusalOf(source, response)
  await response.discard()
  if (problem) throw problem
  const totalBytes = totalOf(response)
  const etag = strongEtag(response.headers)
  return {
    ...(totalBytes === undefined ? {} : { totalBytes }),
    ...(etag === undefined ? {} : { etag }),
    ignoresRanges: response.status !== 206,
  }
}

async function ask(http: Http, source: SourceState, wish: RangeWish, signal: AbortSignal, direct?: string): Promise<HttpResponse> {
  const { url } = source
  const isWhole = isWholeFile(wish)
  const range: Record<string, string> = isWhole ? {} : { range: `bytes=${wish.start}-${wish.end >= wish.totalBytes ? '' : wish.end - 1}` }
  const condition: Record<string, string> = wish.etag !== undefined && !isWhole ? { 'if-range': wish.etag } : {}
  const secrets = direct === undefined || new URL(direct).origin === new URL(url.url).origin ? url.headers : {}
  try {
    return await http.request(direct ?? url.url, {
      headers: { 'accept-encoding': 'identity', ...secrets, ...range, ...condition },
      signal,
    })
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof HttpFailure ? new SourceFailure('unreachable', error.message, { cause: error }) : error
  }
}

function isWholeFile(wish: RangeWish): boolean {
  return wish.start === 0 && wish.end >= wish.totalBytes
}

function problemOf(source: SourceState, wish: RangeWish, response: HttpResponse): Error | undefined {
  const { status, headers } = response
  const host = new URL(source.url.url).host
  if (status === 416) return new SourceFailure('wrong-length', `${host} has a shorter file than was published`)
  const refusal = refusalOf(source, response)
  if (refusal) return refusal
  const total = totalOf(response)
  if (total !== undefined && total !== wish.totalBytes && wish.totalBytes > 0) {
    const message = `${host} has a file of ${total} bytes, and ${wish.totalBytes} were published`
    return new SourceFailure(wish.etag === undefined ? 'wrong-length' : 'changed', message)
  }
  if (status === 206 && rangeOf(headers)?.start !== wish.start)
    return new SourceFailure('wrong-part', `${host} sent another part than was asked for`)
  const etag = strongEtag(headers)
  if (wish.etag !== undefined && (etag !== wish.etag || (status === 200 && wish.start > 0)))
    return new SourceFailure('changed', `the file at ${host} has changed`)
  return undefined
}

function refusalOf(source: SourceState, response: HttpResponse): Error | undefined {
  const { status, headers } = response
  const host = new URL(source.url.url).host
  if (isTemporary(status)) {
    const waitMs = askedWaitMs(status, headers)
    const kind = status === 429 || status === 503 ? 'busy' : 'refused'
    return new SourceFailure(kind, `${host} answered ${status}`, waitMs === undefined ? {} : { waitMs })
  }
  // Behind a redirect it is the storage that refuses, e.g. an address that has expired: the hub gives a new one.
  const byHub = response.redirects.every((hop) => new URL(hop.url).host === host) && new URL(response.url).host === host
  if ((status === 401 || status === 403) && source.url.repository !== undefined && byHub)
    return new AppError('gated-model', { repository: source.url.repository })
  // The hub itself does not have it: asking again changes nothing. Its storage may only have let an address expire.
  if (status !== 200 && status !== 206) return new SourceFailure('refused', `${host} answered ${status}`, { isFinal: byHub })
  const encoding = headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity')
    return new SourceFailure('refused', `${host} sends the file compressed (${encoding.slice(0, 20)})`, { isFinal: true })
  if (/^text\/html\b/i.test(headers.get('content-type') ?? ''))
    return new SourceFailure('web-page', `${host} answered with a web page instead of the file`)
  return undefined
}

function remember(source: SourceState, wish: RangeWish, response: HttpResponse, now: number): void {
  if (response.status === 200 && !isWholeFile(wish)) source.ignoresRanges = true
  if (response.redirects.length > 0) source.direct = { url: response.url, until: now + DIRECT_MS }
}

/** Weak ETags do not promise the same bytes (RFC 9110, 13.1.5). */
function strongEtag(headers: Headers): string | undefined {
  const etag = headers.get('etag')
  return etag === null || etag.startsWith('W/') ? undefined : etag
}

function rangeOf(headers: Headers): { start: number; total?: number } | undefined {
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/i.exec(headers.get('content-range') ?? '')
  if (!match) return undefined
  return { start: Number(match[1]), ...(match[2] === '*' ? {} : { total: Number(match[2]) }) }
}

/** Length of the whole file, when the answer tells it. */
function totalOf(response: HttpResponse): number | undefined {
  if (response.status === 206) return rangeOf(response.headers)?.total
  const length = response.headers.get('content-length')
  return length !== null && /^\d+$/.test(length) && !response.headers.has('content-encoding') ? Number(length) : undefined
}
