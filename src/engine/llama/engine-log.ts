/** A deployment's log file: where the present worker's lines begin, and what libllama said in them. */
import { readFile, rename, stat } from 'node:fs/promises'
import { AppError } from '../../shared/errors.ts'
import { nativeErrors } from './native-log.ts'

/** Errors that libllama's log can explain. */
const START_ERRORS: ReadonlySet<string> = new Set(['engine-start-failed', 'invalid-model-file', 'internal'])
const MAX_LOG_BYTES = 5_000_000

export class EngineLog {
  readonly #file: string
  /** Bytes before the present worker's lines. */
  #start = 0

  constructor(file: string) {
    this.#file = file
  }

  /** Before a worker starts. A log that has grown large is put aside (one generation is kept). */
  async begin(): Promise<void> {
    const size = await stat(this.#file).then(
      (found) => found.size,
      () => 0,
    )
    if (size > MAX_LOG_BYTES) await rename(this.#file, `${this.#file}.old`)
    this.#start = size > MAX_LOG_BYTES ? 0 : size
  }

  /** What the present worker has logged. */
  async read(): Promise<string> {
    const log = await readFile(this.#file).catch(() => Buffer.alloc(0))
    return log.toString('utf8', Math.min(this.#start, log.length))
  }

  /** With libllama's own words: they say what is wrong with the file or the memory. */
  async startError(error: unknown, model: string): Promise<AppError> {
    if (error instanceof AppError && !START_ERRORS.has(error.code)) return error
    const native = nativeErrors(await this.read()).join('; ')
    if (error instanceof AppError && error.code === 'invalid-model-file') {
      return native === '' ? error : new AppError(error.code, { ...error.data, reason: native }, { cause: error })
    }
    const known = error instanceof AppError ? String(error.data['reason']) : error instanceof Error ? error.message : String(error)
    const reason = native === '' ? known : `${known}: ${native}`
    return new AppError('engine-start-failed', { model, reason, log: this.#file }, { cause: error })
  }
}
