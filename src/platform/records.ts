/** All that outlasts a request: one store, opened when it is first needed, and what is built on it. */
import { randomBytes, randomUUID } from 'node:crypto'
import { access } from 'node:fs/promises'
import path from 'node:path'
import type { Logger } from '../base/logger.ts'
import { AppError } from '../shared/errors.ts'
import type { Database } from '../store/schema.ts'
import { secretNamed } from '../store/secrets.ts'
import { openStore, type Store } from '../store/store.ts'
import { Batches } from './batches.ts'
import type { EngineLoad } from './batches-gate.ts'
import type { RunLine } from './batches-run.ts'
import type { Clock } from './clock.ts'
import { Files } from './files.ts'
import { createSeal, type Seal } from './responses-seal.ts'
import { Responses } from './responses.ts'

export interface Records {
  responses: Responses
  files: Files
  batches: Batches
  /** For what callers keep for us. When nothing can be stored its key lasts as long as this process. */
  seal(): Promise<Seal>
  /** Takes up what another process left behind, and runs batches from now on. Does nothing where nothing was ever stored. */
  start(runLine: RunLine): Promise<void>
  /** Ends what runs without a client. Who is being answered can still have that stored. Idempotent. */
  stop(): Promise<void>
  /** Idempotent. */
  close(): Promise<void>
}

export interface RecordsOptions {
  /** The data folder. */
  home: string
  logger: Logger
  clock: Clock
  load(): Promise<EngineLoad>
  /** Bytes of one uploaded file at most. */
  fileLimit?: number
  /** Lines of batches that run at the same time. */
  batchParallel?: number
}

/** As OpenAI's, bytes. */
export const FILE_LIMIT = 512 * 1024 * 1024
export const BATCH_PARALLEL = 2

export function createRecords({
  home,
  logger,
  clock,
  load,
  fileLimit = FILE_LIMIT,
  batchParallel = BATCH_PARALLEL,
}: RecordsOptions): Records {
  const file = path.join(home, 'bendi.db')
  const folder = path.join(home, 'files')
  const store = new LazyStore(() => openStore({ file, logger, now: () => clock.now(), folders: [folder] }))
  const shared = { database: async () => (await store.open()).db, logger, now: () => clock.now() }
  const files = new Files({ ...shared, folder, newId, limit: fileLimit })
  const responses = new Responses(shared)
  const batches = new Batches({ ...shared, files, clock, newId, parallel: batchParallel, load })
  let seal: Promise<Seal> | undefined
  let stopping: Promise<void> | undefined
  let closing: Promise<void> | undefined
  let cancelTidying = (): void => {}
  const tidy = async (): Promise<void> => {
    if (stopping || !(await exists(file))) return
    await reported(logger, async () => {
      await responses.forgetOld()
      await files.sweep()
    })
    if (!stopping) cancelTidying = clock.timer(TIDY_MS, () => void tidy())
  }
  const start = async (runLine: RunLine): Promise<void> => {
    batches.attach(runLine)
    if (!(await exists(file))) return
    await reported(logger, async () => {
      await responses.recover()
      await batches.resume()
    })
    await tidy()
  }
  const stop = async (): Promise<void> => {
    cancelTidying()
    await starting
    await Promise.all([responses.close(), batches.close()])
  }
  const close = async (): Promise<void> => {
    await (stopping ??= stop())
    await store.close()
  }
  let starting: Promise<void> | undefined
  return {
    responses,
    files,
    batches,
    seal: () => (seal ??= openSeal(shared.database, logger)),
    start: (runLine) => (starting ??= start(runLine)),
    stop: () => (stopping ??= stop()),
    close: () => (closing ??= close()),
  }
}

/** How often what is old is thrown away, ms. */
const TIDY_MS = 6 * 3600 * 1000

/** A store that cannot be read stops nothing else. */
async function reported(logger: Logger, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    logger.error('what was stored cannot be read now', { error })
  }
}

async function openSeal(database: () => Promise<Database>, logger: Logger): Promise<Seal> {
  try {
    return createSeal(await secretNamed(await database(), 'thoughts'))
  } catch (error) {
    logger.warn('sealed thoughts can be read until the server stops, not longer', { error })
    return createSeal(randomBytes(32))
  }
}

/** Opened once; after a failure the next call tries again. */
class LazyStore {
  readonly #openStore: () => Promise<Store>
  #store: Promise<Store> | undefined
  #isClosed = false

  constructor(open: () => Promise<Store>) {
    this.#openStore = open
  }

  async open(): Promise<Store> {
    if (this.#isClosed) throw new AppError('shutting-down')
    this.#store ??= this.#openStore()
    try {
      return await this.#store
    } catch (error) {
      this.#store = undefined
      throw error
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const store = await this.#store?.catch(() => undefined)
    await store?.close()
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

function newId(): string {
  return randomUUID().replaceAll('-', '')
}
