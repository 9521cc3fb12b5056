/** What a pull needs. */
import type { CommandRunner } from '../base/child-process.ts'
import type { Http } from '../base/http.ts'
import type { Logger } from '../base/logger.ts'
import type { Selection, SourceEnvironment } from './hubs/source.ts'
import type { Library } from './library.ts'
import type { PullProgress } from './progress.ts'
import type { StoreFolders } from './stores/stored-file.ts'
import type { RateLimit } from './transfer/rate-limit.ts'

export interface PullOptions {
  library: Library
  env: SourceEnvironment
  logger: Logger
  signal?: AbortSignal
  offline?: boolean
  /** Download again, even when it is here. */
  force?: boolean
  onProgress?: (progress: PullProgress) => void
  /** Which files of a repository; and whether weights of a size would run here. */
  selection?: Selection
  /** Another folder of models than the library's own, e.g. on another disk. */
  to?: string
  /** Stores of other programs, where files are looked for first. */
  stores?: StoreFolders
  /** Shared by all downloads. */
  limit?: RateLimit
  /** For tests. */
  http?: Http
  run?: CommandRunner
  now?: () => number
  /** Limits of the download: pauses and patience. */
  tuning?: { stallMs?: number; attempts?: number; pauseMs?: number; resolveMs?: number }
}
