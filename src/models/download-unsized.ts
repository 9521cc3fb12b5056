/** A file of which nobody says how long it is or which version: one stream from its beginning, again from there when it breaks. */
import { createHash } from 'node:crypto'
import { open, rename } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'

import { delay as realDelay } from '../base/async.ts'
import { syncFolder } from '../base/atomic-file.ts'
import type { HttpResponse } from '../base/http.ts'
import { AppError } from '../shared/errors.ts'
import type { DownloadOptions, Downloaded } from './download-options.ts'
import { isTemporary } from './hubs/failures.ts'
import type { FileSourceUrl } from './hubs/source.ts'
import { discardPart, partFile } from './part-journal.ts'
import { SourceFailure, triesAfter } from './transfer/source-state.ts'

/** Throws `download-failed`, `checksum-mismatch`, and the signal's reason. */
export async function downloadUnsized(options: DownloadOptions): Promise<Downloaded> {
  const { urls, attempts = 8, pauseMs = 500, delay = realDelay, target, signal } = options
  for (let turn = 0; ; turn += 1) {
    const url = urls[turn % urls.length]
    if (!url) throw new AppError('download-failed', { file: path.basename(target), reason: 'there is no address' })
    try {
      return await stream(options, url)
    } catch (error) {
      signal?.throwIfAborted()
      await discardPart(target)
      const most = error instanceof SourceFailure ? triesAfter(error, attempts) : attempts
      // Each address has its own answer.
      if (error instanceof AppError || turn + 1 >= Math.max(most, most < attempts ? urls.length : 0)) throw error
      await delay(Math.min(30_000, pauseMs * 2 ** turn), signal)
    }
  }
}

async function stream(options: DownloadOptions, url: FileSourceUrl): Promise<Downloaded> {
  const { http, target, signal, sha256: expected } = options
  const response = await http.request(url.url, {
    headers: { 'accept-encoding': 'identity', ...url.headers },
    ...(signal ? { signal } : {}),
  })
  const host = new URL(url.url).host
  const problem = problemOf(response, host)
  if (problem) {
    await response.discard()
    throw problem
  }
  const handle = await open(partFile(target), 'w')
  try {
    const { bytes, sha256 } = await copy(options, url, response, handle)
    if (expected !== undefined && sha256 !== expected)
      throw new AppError('checksum-mismatch', { file: path.basename(target), actual: sha256, expected })
    await handle.sync()
    await rename(partFile(target), target)
    await syncFolder(path.dirname(target))
    return { path: target, bytes, sha256, source: url.name }
  } finally {
    await response.discard()
    await handle.close()
  }
}

function problemOf({ status, headers }: HttpResponse, host: string): SourceFailure | undefined {
  if (isTemporary(status)) return new SourceFailure('busy', `${host} answered ${status}`)
  if (status !== 200) return new SourceFailure('refused', `${host} answered ${status}`, { isFinal: true })
  if (/^text\/html\b/i.test(headers.get('content-type') ?? '')) return new SourceFailure('web-page', `${host} answered with a web page`)
  const encoding = headers.get('content-encoding')
  if (encoding === null || encoding === 'identity') return undefined
  return new SourceFailure('refused', `${host} sends the file compressed (${encoding.slice(0, 20)})`, { isFinal: true })
}

async function copy(
  { limit, signal, onProgress, bytes: published, stallMs = 30_000 }: DownloadOptions,
  url: FileSourceUrl,
  response: HttpResponse,
  handle: FileHandle,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  const length = Number(response.headers.get('content-length') ?? 0)
  let bytes = 0
  const iterator = response.body[Symbol.asyncIterator]()
  for (;;) {
    const item = await withTimeout(iterator.next(), stallMs, new URL(url.url).host)
    if (item.done) break
    signal?.throwIfAborted()
    await limit?.take(item.value.length, signal)
    await handle.writeFile(item.value)
    hash.update(item.value)
    bytes += item.value.length
    onProgress?.({ doneBytes: bytes, totalBytes: Math.max(length, bytes), source: url.name })
  }
  if (published !== undefined && published > 0 && bytes !== published)
    throw new SourceFailure('wrong-length', `${new URL(url.url).host} has a file of ${bytes} bytes, and ${published} were published`)
  if (bytes < length) throw new SourceFailure('cut', `${new URL(url.url).host} ended the file after ${bytes} of ${length} bytes`)
  return { bytes, sha256: hash.digest('hex') }
}

function withTimeout<T>(promise: Promise<T>, ms: number, host: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new SourceFailure('stalled', `${host} sent nothing for ${Math.round(ms / 1000)} s`)), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
