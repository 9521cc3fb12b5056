/** One connection: asks its source for its piece and writes what comes, until the piece is whole or something is wrong. */
import type { FileHandle } from 'node:fs/promises'

import type { Deferred } from '../../base/async.ts'
import type { Http } from '../../base/http.ts'
import { AppError } from '../../shared/errors.ts'
import { createBatchWriter } from './batch-writer.ts'
import type { BatchWriter, DiskPace } from './batch-writer.ts'
import { openRange } from './open-range.ts'
import type { Range } from './ranges.ts'
import type { RateLimit } from './rate-limit.ts'
import { SourceFailure } from './source-state.ts'
import type { SourceState } from './source-state.ts'
import type { Work } from './work.ts'

export interface Connection extends Work {
  abort: AbortController
  /** For measuring. */
  sampledAt: number
  sampledBytes: number
  closed: Deferred<void>
}

export interface ReceiveContext {
  http: Http
  totalBytes: number
  etag?: string
  sources: readonly SourceState[]
  handle: FileHandle
  disk: DiskPace
  limit?: RateLimit
  now: () => number
  onWritten(range: Range): void
}

/** We closed the connection ourselves; its source is not to blame. */
export const GIVEN_UP: Error = new Error('given up')

/** Throws SourceFailure, `gated-model`, GIVEN_UP, what the disk throws, and the reason of `connection.abort`. */
export async function receivePiece(context: ReceiveContext, connection: Connection): Promise<void> {
  const { http, totalBytes, etag, handle, disk, now, onWritten, sources } = context
  const { source, abort } = connection
  const wish = { start: connection.start, end: connection.end, totalBytes, ...(etag === undefined ? {} : { etag }) }
  const opened = await openRange(http, source, wish, abort.signal, now())
  connection.lastByteAt = now()
  const host = new URL(source.url.url).host
  const isBetterElsewhere = sources.some((item) => item !== source && item.state === 'ready' && !item.ignoresRanges)
  if (opened.skipBytes > 0 && isBetterElsewhere) {
    await opened.response.discard()
    throw GIVEN_UP
  }
  const writer = createBatchWriter(handle, connection.start, disk, onWritten)
  try {
    await copyBody(context, connection, { body: opened.response.body, skipBytes: opened.skipBytes, askedEnd: wish.end }, writer)
  } catch (error) {
    throw asFailure(error, connection, host)
  } finally {
    await opened.response.discard()
    await writer.end()
  }
  if (connection.at < connection.end) throw new SourceFailure('cut', `${host} ended the file after ${connection.at} of ${totalBytes} bytes`)
}

async function copyBody(
  { limit, now, totalBytes }: ReceiveContext,
  connection: Connection,
  { body, skipBytes, askedEnd }: { body: AsyncIterable<Uint8Array>; skipBytes: number; askedEnd: number },
  writer: BatchWriter,
): Promise<void> {
  const { source, abort } = connection
  let skip = skipBytes
  for await (const chunk of body) {
    abort.signal.throwIfAborted()
    connection.lastByteAt = now()
    source.receivedBytes += chunk.length
    if (limit) {
      // We let it wait; it does not stand still.
      connection.lastByteAt = Number.POSITIVE_INFINITY
      await limit.take(chunk.length, abort.signal)
      connection.lastByteAt = now()
    }
    const fresh = skip > 0 ? chunk.subarray(Math.min(skip, chunk.length)) : chunk
    skip -= chunk.length - fresh.length
    // The end may have moved: another connection has taken the rest over.
    const kept = fresh.subarray(0, connection.end - connection.at)
    connection.at += kept.length
    await writer.write(kept)
    if (fresh.length > kept.length && connection.end === totalBytes)
      throw new SourceFailure('wrong-length', `${new URL(source.url.url).host} sends more than the ${totalBytes} bytes of the file`)
    // A body that ends by itself leaves its connection for the next piece.
    if (connection.at >= connection.end && (connection.end < askedEnd || skipBytes > 0)) return
  }
}

/** A reason that we gave when we aborted it stays what it is; anything else is a broken connection. */
function asFailure(error: unknown, { abort }: Connection, host: string): unknown {
  if (abort.signal.aborted) return abort.signal.reason
  if (error instanceof SourceFailure || error instanceof AppError || isDiskError(error)) return error
  return new SourceFailure('cut', `${host}: the connection broke (${error instanceof Error ? error.message : String(error)})`, {
    cause: error,
  })
}

function isDiskError(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EIO', 'EFBIG', 'EROFS'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '')
}

/** What the disk says, as an error for people. */
export function diskFailure(error: unknown): unknown {
  if (!isDiskError(error) || error instanceof AppError) return error
  return new AppError('download-failed', { file: 'the part', reason: (error as Error).message }, { cause: error })
}
