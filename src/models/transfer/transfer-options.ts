/** What a transfer works with. */
import type { FileHandle } from 'node:fs/promises'

import type { delay as realDelay } from '../../base/async.ts'
import type { Http } from '../../base/http.ts'
import type { Logger } from '../../base/logger.ts'
import type { Arrived, OpenJournal } from '../part-journal.ts'
import type { FileHasher } from './file-hasher.ts'
import type { RateLimit } from './rate-limit.ts'
import type { SourceState, Trouble } from './source-state.ts'

export interface TransferTuning {
  /** No byte for this long ends a try, ms. */
  stallMs: number
  /** Tries of one source without a success in between before it is dropped. */
  attempts: number
  /** First pause after a failure, ms; doubles each time. */
  pauseMs: number
  /** Connections at once. */
  connections: number
  /** A connection may be slower than the others for this long, ms. */
  slowMs: number
}

export interface TransferOptions {
  http: Http
  totalBytes: number
  /** Set when only the ETag tells that the file is still the same. */
  etag?: string
  /** The content is known by its hash: what two sources send can be compared. */
  isHashKnown: boolean
  sources: readonly SourceState[]
  arrived: Arrived
  journal: OpenJournal
  handle: FileHandle
  hasher: () => FileHasher
  /** Hashed bytes were taken back. */
  resetHasher: () => Promise<void>
  limit?: RateLimit
  signal?: AbortSignal
  logger: Logger
  tuning: TransferTuning
  onProgress(progress: TransferProgress): void
  delay?: typeof realDelay
  random?: () => number
  now?: () => number
}

export interface TransferProgress {
  doneBytes: number
  /** Who sent the last bytes. */
  source: string
  trouble?: Trouble
  connections: number
}
