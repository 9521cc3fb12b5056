/** What a download needs to know, and what it answers. */
import type { delay as realDelay } from '../base/async.ts'
import type { Http } from '../base/http.ts'
import type { Logger } from '../base/logger.ts'
import type { FileSourceUrl } from './hubs/source.ts'
import type { RateLimit } from './transfer/rate-limit.ts'
import type { Trouble } from './transfer/source-state.ts'
import type { TransferTuning } from './transfer/transfer-options.ts'

export interface DownloadOptions extends Partial<TransferTuning> {
  http: Http
  /** All must have the same content; they are used together. The first one is asked first. */
  urls: readonly FileSourceUrl[]
  /** Absolute. */
  target: string
  /** As published. Without them the file is only checked against its own Content-Length and ETag. */
  bytes?: number
  sha256?: string
  signal?: AbortSignal
  logger: Logger
  onProgress?: (progress: DownloadProgress) => void
  /** Shared by all downloads. */
  limit?: RateLimit
  delay?: typeof realDelay
  /** 0 to 1. */
  random?: () => number
}

export interface DownloadProgress {
  doneBytes: number
  totalBytes: number
  source: string
  trouble?: Trouble
  connections?: number
}

export interface Downloaded {
  path: string
  bytes: number
  sha256: string
  /** The one that gave the most bytes. */
  source: string
}
