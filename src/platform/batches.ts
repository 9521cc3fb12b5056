/** Batches of requests that nobody waits for. They go on where they were after a restart, however the process ended. */
import type { Logger } from '../base/logger.ts'
import { AppError } from '../shared/errors.ts'
import { batchesInStatus, findBatch, insertBatch, listBatches, markCancelling } from '../store/batches.ts'
import type { Page, PageQuery } from '../store/pages.ts'
import type { Database } from '../store/schema.ts'
import type { BatchRow } from '../store/tables/batches.ts'
import { BatchGate, sleep, type EngineLoad } from './batches-gate.ts'
import { runBatch, type BatchRunOptions, type RunLine, type StopReason } from './batches-run.ts'
import type { Clock } from './clock.ts'
import type { Files } from './files.ts'

export type StoredBatch = BatchRow

export interface BatchesOptions {
  /** Throws `store-unavailable`. */
  database(): Promise<Database>
  files: Files
  clock: Clock
  logger: Logger
  newId(): string
  /** Lines of all batches at the same time. */
  parallel: number
  load(): Promise<EngineLoad>
}

export interface NewBatch {
  inputFileId: string
  endpoint: string
  completionWindow: string
  metadata?: Record<string, string>
  /** Seconds that the output files are kept. */
  outputSeconds?: number
}

/** The completion window, ms. */
const WINDOW_MS = 24 * 3600 * 1000
/** After what a batch that could not go on is tried again, ms. */
const AGAIN_MS = 30_000
const UNFINISHED = ['validating', 'in_progress', 'finalizing', 'cancelling']

interface Life {
  stop(reason: StopReason): void
  ended: Promise<void>
}

export class Batches {
  readonly #options: BatchesOptions
  readonly #gate: BatchGate
  readonly #lives = new Map<string, Life>()
  #runLine: RunLine | undefined
  readonly #closing = new AbortController()

  constructor(options: BatchesOptions) {
    this.#options = options
    this.#gate = new BatchGate(options)
  }

  /** From now on batches are run. */
  attach(runLine: RunLine): void {
    this.#runLine = runLine
  }

  /** Takes up what another process left behind. Throws `store-unavailable`. */
  async resume(): Promise<void> {
    const db = await this.#options.database()
    for (const { id, expires_at: expiresAt } of await batchesInStatus(db, UNFINISHED)) this.#live(db, id, expiresAt)
  }

  /** Throws `stored-file-not-found`, `invalid-field`, `store-unavailable`. */
  async create({ inputFileId, endpoint, completionWindow, metadata, outputSeconds }: NewBatch): Promise<StoredBatch> {
    const { files, clock, newId } = this.#options
    const file = await files.get(inputFileId, 'input_file_id')
    if (file.purpose !== 'batch')
      throw new AppError('invalid-field', { field: 'input_file_id', reason: `the file's purpose is ${file.purpose}, not batch` })
    const db = await this.#options.database()
    const createdAt = clock.now()
    const row: BatchRow = {
      ...EMPTY,
      id: `batch_${newId()}`,
      endpoint,
      completion_window: completionWindow,
      input_file_id: file.id,
      metadata: metadata ? JSON.stringify(metadata) : null,
      output_seconds: outputSeconds ?? null,
      created_at: createdAt,
      expires_at: createdAt + WINDOW_MS,
    }
    await insertBatch(db, row)
    this.#live(db, row.id, row.expires_at)
    return row
  }

  /** Throws `batch-not-found`. */
  async get(id: string): Promise<StoredBatch> {
    const row = await findBatch(await this.#options.database(), id)
    if (row) return row
    throw new AppError('batch-not-found', { id, field: 'batch_id' })
  }

  async list(query: Omit<PageQuery, 'order'>): Promise<Page<StoredBatch>> {
    return listBatches(await this.#options.database(), query)
  }

  /** What runs is stopped at once; what was done is kept in the output file. Throws `batch-not-found`, `batch-ended`. */
  async cancel(id: string): Promise<StoredBatch> {
    const { status } = await this.get(id)
    if (status === 'cancelling' || status === 'cancelled') return this.get(id)
    // It may have ended in this very moment.
    const isMarked = await markCancelling(await this.#options.database(), id, this.#options.clock.now())
    const row = await this.get(id)
    if (!isMarked) throw new AppError('batch-ended', { id, status: row.status })
    this.#lives.get(id)?.stop('cancelled')
    return row
  }

  /** Lines under way are stopped, and run again after the next start. */
  async close(): Promise<void> {
    this.#closing.abort()
    const lives = [...this.#lives.values()]
    for (const life of lives) life.stop('closing')
    await Promise.all(lives.map(({ ended }) => ended))
  }

  #live(db: Database, id: string, expiresAt: number): void {
    const runLine = this.#runLine
    if (!runLine || this.#closing.signal.aborted || this.#lives.has(id)) return
    const { clock, logger, files, parallel } = this.#options
    const controller = new AbortController()
    const stop = (reason: StopReason): void => controller.abort(reason)
    const cancelTimer = clock.timer(Math.max(0, expiresAt - clock.now()), () => stop('expired'))
    const run: BatchRunOptions = { db, files, gate: this.#gate, runLine, clock, logger, parallel }
    const ended = this.#run(run, id, controller.signal).finally(() => {
      cancelTimer()
      this.#lives.delete(id)
    })
    this.#lives.set(id, { stop, ended })
  }

  /** A batch that cannot go on (a full disk) is taken up again after a while, where it was. */
  async #run(options: BatchRunOptions, id: string, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options
    while (!this.#closing.signal.aborted) {
      try {
        return await runBatch(options, id, signal)
      } catch (error) {
        if (!this.#closing.signal.aborted) logger.error('a batch cannot go on now', { id, error })
      }
      await sleep(clock, AGAIN_MS, this.#closing.signal).catch(() => {})
    }
  }
}

const EMPTY = {
  status: 'validating',
  output_file_id: null,
  error_file_id: null,
  errors: null,
  total: 0,
  completed: 0,
  failed: 0,
  input_tokens: 0,
  cached_tokens: 0,
  output_tokens: 0,
  reasoning_tokens: 0,
  in_progress_at: null,
  finalizing_at: null,
  completed_at: null,
  failed_at: null,
  expired_at: null,
  cancelling_at: null,
  cancelled_at: null,
} as const
