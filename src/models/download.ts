/**
 * One file over HTTP: resumed, verified while it streams, retried, and put in place at once when it is whole.
 *
 *   target.part       what has arrived
 *   target.part.json  what it is a part of (sha256 or ETag, length), so that a later run may go on with it
 */
import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat, truncate } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'

import { delay as realDelay } from '../base/async.ts'
import { syncFolder } from '../base/atomic-file.ts'
import { HttpFailure } from '../base/http.ts'
import type { Http, HttpResponse } from '../base/http.ts'
import type { Logger } from '../base/logger.ts'
import { AppError } from '../shared/errors.ts'
import { isTemporary, retryAfterMs } from './hubs/failures.ts'
import type { FileSourceUrl } from './hubs/source.ts'
import { journalFile, partFile, readJournal, writeJournal } from './part-journal.ts'
import type { PartJournal } from './part-journal.ts'

export interface DownloadOptions {
  http: Http
  /** Tried in turn; the next one when the former fails. All must have the same content. */
  urls: readonly FileSourceUrl[]
  /** Absolute. */
  target: string
  /** As published. Without them the file is only checked against its own Content-Length. */
  bytes?: number
  sha256?: string
  signal?: AbortSignal
  logger: Logger
  onProgress?: (progress: { doneBytes: number; totalBytes: number; source: string }) => void
  /** No byte for this long ends a try. Default 30 s. */
  stallMs?: number
  /** Tries without any progress before giving up. Default 5. */
  attempts?: number
  /** First pause; doubles each time. Default 500 ms. */
  pauseMs?: number
  delay?: (ms: number, signal?: AbortSignal) => Promise<void>
  /** 0 to 1. */
  random?: () => number
}

export interface Downloaded {
  path: string
  bytes: number
  sha256: string
  /** The one that gave the last byte. */
  source: string
}

/** A try failed in a way that another try, or another source, may mend. */
class Retry extends Error {
  readonly waitMs: number | undefined

  constructor(message: string, waitMs?: number, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Retry'
    this.waitMs = waitMs
  }
}

const MOST_PAUSE_MS = 30_000
const MOST_RETRY_AFTER_MS = 120_000
/** What is on disk for sure is noted each time this much has arrived. */
const CHECKPOINT_BYTES = 64_000_000

/** Throws `download-failed`, `checksum-mismatch`, `gated-model`, and the signal's reason. What has arrived is kept, except when it is wrong. */
export async function downloadFile(options: DownloadOptions): Promise<Downloaded> {
  const { signal, attempts = 5, delay = realDelay, random = Math.random, pauseMs = 500, logger } = options
  await mkdir(path.dirname(options.target), { recursive: true })
  const present = await alreadyWhole(options)
  if (present) return present
  let mismatches = 0
  for (let failures = 0, turn = 0; ; turn += 1) {
    const url = options.urls[turn % options.urls.length]
    if (url === undefined) throw failed(options, 'there is no address')
    const before = await sizeOf(partFile(options.target))
    try {
      const part = await fetchPart(options, url)
      return await finish(options, part, url)
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof AppError && error.code === 'checksum-mismatch') {
        mismatches += 1
        // Once may be a bad proxy or disk; each source gets one more chance.
        if (mismatches > options.urls.length) throw error
        logger.warn('a download was not what was published', { source: url.name, file: path.basename(options.target) })
        continue
      }
      if (!(error instanceof Retry)) throw error
      failures = (await sizeOf(partFile(options.target))) > before ? 1 : failures + 1
      if (failures >= attempts) throw failed(options, error.message, error)
      const pause = Math.min(
        error.waitMs ?? pauseMs * 2 ** (failures - 1) * (0.75 + random() / 2),
        error.waitMs === undefined ? MOST_PAUSE_MS : MOST_RETRY_AFTER_MS,
      )
      logger.info('a download goes on after a pause', { source: url.name, reason: error.message, pauseMs: Math.round(pause) })
      await delay(pause, signal)
    }
  }
}

/** A file that an earlier run finished, of a set that it did not. */
async function alreadyWhole(options: DownloadOptions): Promise<Downloaded | undefined> {
  const { target, sha256: expected } = options
  const bytes = await sizeOf(target)
  if (expected === undefined || bytes === 0 || (options.bytes !== undefined && bytes !== options.bytes)) return undefined
  const hash = createHash('sha256')
  await hashFile(target, hash, options.signal)
  return hash.digest('hex') === expected ? { path: target, bytes, sha256: expected, source: 'disk' } : undefined
}

async function hashFile(file: string, hash: Hash, signal?: AbortSignal): Promise<void> {
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    signal?.throwIfAborted()
    hash.update(chunk as Buffer)
  }
}

interface Part {
  bytes: number
  hash: Hash
  /** Of the whole file; 0 when nobody knows. */
  totalBytes: number
}

async function fetchPart(options: DownloadOptions, url: FileSourceUrl): Promise<Part> {
  const journal = await readUsableJournal(options)
  const resumed = journal === undefined ? { bytes: 0, hash: createHash('sha256') } : await rehash(options, journal)
  if (options.bytes !== undefined && resumed.bytes === options.bytes) return { ...resumed, totalBytes: options.bytes }
  const response = await request(options, url, resumed.bytes, journal)
  try {
    return await receive(options, url, response, resumed, journal)
  } finally {
    await response.discard()
  }
}

/** The journal of a part that belongs to this very file; otherwise the part is deleted. */
async function readUsableJournal(options: DownloadOptions): Promise<PartJournal | undefined> {
  const journal = await readJournal(options.target)
  const same =
    journal !== undefined &&
    (options.sha256 === undefined ? journal.etag !== undefined && journal.url !== undefined : journal.sha256 === options.sha256)
  const lengthFits =
    journal !== undefined && (options.bytes === undefined || journal.totalBytes === 0 || journal.totalBytes === options.bytes)
  if (same && lengthFits && (options.sha256 !== undefined || options.urls.some((url) => url.url === journal.url))) return journal
  await discardPart(options.target)
  return undefined
}

/** Hashes what is here. Without a published hash only what was surely written counts. */
async function rehash(options: DownloadOptions, journal: PartJournal): Promise<{ bytes: number; hash: Hash }> {
  const part = partFile(options.target)
  const size = await sizeOf(part)
  const most = options.bytes ?? Number.POSITIVE_INFINITY
  const bytes = Math.min(options.sha256 === undefined ? Math.min(size, journal.durableBytes) : size, most)
  if (bytes < size) await truncate(part, bytes)
  const hash = createHash('sha256')
  if (bytes > 0) await hashFile(part, hash, options.signal)
  return { bytes, hash }
}

async function request(
  options: DownloadOptions,
  url: FileSourceUrl,
  from: number,
  journal: PartJournal | undefined,
): Promise<HttpResponse> {
  const range: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {}
  // With a published hash the content is the same wherever it comes from; an ETag differs from host to host.
  const condition: Record<string, string> = from > 0 && options.sha256 === undefined && journal?.etag ? { 'if-range': journal.etag } : {}
  let response: HttpResponse
  try {
    response = await options.http.request(url.url, {
      headers: { 'accept-encoding': 'identity', ...url.headers, ...range, ...condition },
      ...(options.signal ? { signal: options.signal } : {}),
    })
  } catch (error) {
    options.signal?.throwIfAborted()
    throw error instanceof HttpFailure ? new Retry(error.message, undefined, { cause: error }) : error
  }
  const problem = await refusalOf(options, url, response, from)
  if (problem === undefined) return response
  await response.discard()
  throw problem
}

async function refusalOf(options: DownloadOptions, url: FileSourceUrl, response: HttpResponse, from: number): Promise<Error | undefined> {
  const { status, headers } = response
  const host = new URL(url.url).host
  if (status === 416) {
    await discardPart(options.target)
    return new Retry(`${host} has a shorter file than what was here`)
  }
  if (isTemporary(status)) return new Retry(`${host} answered ${status}`, retryAfterMs(headers.get('retry-after')))
  // Behind a redirect it is the storage that refuses, e.g. an address that has expired: the hub gives a new one.
  const byHub = response.redirects.every((hop) => new URL(hop.url).host === host) && new URL(response.url).host === host
  if ((status === 401 || status === 403) && url.repository !== undefined && byHub)
    return new AppError('gated-model', { repository: url.repository })
  if (status !== 200 && status !== 206) return new Retry(`${host} answered ${status}`)
  if (/^text\/html\b/i.test(headers.get('content-type') ?? '')) return new Retry(`${host} answered with a web page instead of the file`)
  if (status === 206 && rangeOf(headers)?.start !== from) return new Retry(`${host} sent another part than was asked for`)
  const total = totalOf(response)
  if (options.bytes !== undefined && total !== undefined && total !== options.bytes) {
    return new Retry(`${host} has a file of ${total} bytes, and ${options.bytes} were published`)
  }
  return undefined
}

async function receive(
  options: DownloadOptions,
  url: FileSourceUrl,
  response: HttpResponse,
  resumed: { bytes: number; hash: Hash },
  journal: PartJournal | undefined,
): Promise<Part> {
  const continues = response.status === 206 && resumed.bytes > 0
  const hash = continues ? resumed.hash : createHash('sha256')
  const totalBytes = options.bytes ?? totalOf(response) ?? 0
  const etag = response.headers.get('etag') ?? undefined
  const note: PartJournal = {
    url: url.url,
    totalBytes,
    durableBytes: continues ? Math.min(journal?.durableBytes ?? 0, resumed.bytes) : 0,
    ...(options.sha256 === undefined ? {} : { sha256: options.sha256 }),
    // Weak ETags do not promise the same bytes (RFC 9110, 13.1.5).
    ...(etag === undefined || etag.startsWith('W/') ? {} : { etag }),
  }
  await writeJournal(options.target, note)
  const handle = await open(partFile(options.target), continues ? 'r+' : 'w')
  try {
    const bytes = await copyBody({ options, url, response, handle, hash, from: continues ? resumed.bytes : 0, totalBytes, note })
    await handle.sync()
    return { bytes, hash, totalBytes }
  } finally {
    await handle.close()
  }
}

interface Copy {
  options: DownloadOptions
  url: FileSourceUrl
  response: HttpResponse
  handle: FileHandle
  hash: Hash
  from: number
  totalBytes: number
  note: PartJournal
}

/** Answers the bytes that the part has now. Throws Retry when the body ends early, stalls or is too long. */
async function copyBody({ options, url, response, handle, hash, from, totalBytes, note }: Copy): Promise<number> {
  const host = new URL(url.url).host
  let done = from
  let checkpoint = from
  for await (const chunk of withStallLimit(response.body, options.stallMs ?? 30_000, host)) {
    options.signal?.throwIfAborted()
    if (totalBytes > 0 && done + chunk.length > totalBytes) {
      await discardPart(options.target)
      throw new Retry(`${host} sends more than the ${totalBytes} bytes of the file`)
    }
    await writeAll(handle, chunk, done)
    hash.update(chunk)
    done += chunk.length
    options.onProgress?.({ doneBytes: done, totalBytes, source: url.name })
    if (done - checkpoint < CHECKPOINT_BYTES) continue
    checkpoint = done
    await handle.datasync()
    await writeJournal(options.target, { ...note, durableBytes: done })
  }
  await handle.datasync()
  await writeJournal(options.target, { ...note, durableBytes: done })
  if (totalBytes > 0 && done < totalBytes) throw new Retry(`${host} ended the file after ${done} of ${totalBytes} bytes`)
  return done
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length;) done += (await handle.write(chunk, done, chunk.length - done, position + done)).bytesWritten
}

/** Passes the chunks on; a pause longer than `stallMs`, or a broken connection, becomes Retry. */
async function* withStallLimit(body: AsyncIterable<Uint8Array>, stallMs: number, host: string): AsyncGenerator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]()
  try {
    for (;;) {
      const result = await withTimeout(
        iterator.next(),
        stallMs,
        () => new Retry(`${host} sent nothing for ${Math.round(stallMs / 1000)} s`),
      )
      if (result.done) return
      yield result.value
    }
  } catch (error) {
    if (error instanceof Retry) throw error
    throw new Retry(`${host}: the connection broke (${error instanceof Error ? error.message : String(error)})`, undefined, {
      cause: error,
    })
  } finally {
    // Not awaited: a stalled body would not answer.
    void Promise.resolve(iterator.return?.()).catch(() => {})
  }
}

function withTimeout<T>(promise: Promise<T>, ms: number, error: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(error()), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

async function finish(options: DownloadOptions, part: Part, url: FileSourceUrl): Promise<Downloaded> {
  const sha256 = part.hash.digest('hex')
  if (options.sha256 !== undefined && sha256 !== options.sha256) {
    await discardPart(options.target)
    throw new AppError('checksum-mismatch', { file: path.basename(options.target), actual: sha256, expected: options.sha256 })
  }
  await rename(partFile(options.target), options.target)
  await rm(journalFile(options.target), { force: true })
  await syncFolder(path.dirname(options.target))
  return { path: options.target, bytes: part.bytes, sha256, source: url.name }
}

async function discardPart(target: string): Promise<void> {
  await rm(partFile(target), { force: true })
  await rm(journalFile(target), { force: true })
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    (status) => status.size,
    () => 0,
  )
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

function failed(options: DownloadOptions, reason: string, cause?: Error): AppError {
  return new AppError('download-failed', { file: path.basename(options.target), reason }, cause ? { cause } : {})
}
