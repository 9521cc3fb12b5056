/** The life of one batch: validating → in_progress → finalizing → completed, or failed, expired, cancelled. Every step can be taken up again. */
import { randomUUID } from 'node:crypto'
import type { Logger } from '../base/logger.ts'
import { BatchOutputLineSchema, LineUsageSchema, type BatchError, type BatchOutputLine } from '../shared/files-batches.ts'
import {
  clearLines,
  endBatch,
  endedLines,
  findBatch,
  finishLine,
  insertLines,
  updateBatch,
  waitingLines,
  type LineResult,
} from '../store/batches.ts'
import type { Database } from '../store/schema.ts'
import type { BatchLineRow } from '../store/tables/batch-lines.ts'
import type { BatchRow } from '../store/tables/batches.ts'
import type { FileRow } from '../store/tables/files.ts'
import { sleep, type BatchGate } from './batches-gate.ts'
import { checkInput, isProblem, readLineBody, type InputLine } from './batches-input.ts'
import type { Clock } from './clock.ts'
import type { Files } from './files.ts'

export interface LineReply {
  /** HTTP's. */
  status: number
  requestId: string
  body: Record<string, unknown>
}

/** Answers one request as if it had come by itself. */
export type RunLine = (endpoint: string, body: unknown, signal: AbortSignal) => Promise<LineReply>

export interface BatchRunOptions {
  db: Database
  files: Files
  gate: BatchGate
  runLine: RunLine
  clock: Clock
  logger: Logger
  /** Lines of one batch at the same time. */
  parallel: number
}

/** Why a batch stops before its last line; `closing`: the server goes down, and it goes on after the next start. */
export type StopReason = 'cancelled' | 'expired' | 'closing'

const PAGE = 500
/** What another moment may mend: overloaded, restarting. */
const PASSING = new Set([429, 502, 503])
const ATTEMPTS = 6
const FIRST_PAUSE_MS = 500

/** Runs until the batch has ended, or the signal stops it; its reason is a StopReason. */
export async function runBatch(options: BatchRunOptions, id: string, signal: AbortSignal): Promise<void> {
  const { db, logger } = options
  let batch = await findBatch(db, id)
  if (batch?.status === 'validating') {
    await validate(options, batch, signal)
    batch = await findBatch(db, id)
  }
  if (!batch) return
  if (batch.status === 'in_progress') {
    await runLines(options, batch, signal)
    if (!signal.aborted) await updateBatch(db, id, { status: 'finalizing', finalizing_at: options.clock.now() })
  }
  const reason = signal.aborted ? (signal.reason as StopReason) : undefined
  if (reason === 'closing') return
  if (batch.status === 'failed') return
  await finalize(options, id, reason ?? (batch.status === 'cancelling' ? 'cancelled' : 'completed'))
  logger.info('a batch has ended', { id, status: reason ?? 'completed' })
}

async function validate({ db, files, clock }: BatchRunOptions, batch: BatchRow, signal: AbortSignal): Promise<void> {
  await clearLines(db, batch.id)
  const errors: BatchError[] = []
  let rows: BatchLineRow[] = []
  let total = 0
  for await (const item of orMissing(checkInput(files.pathOf(batch.input_file_id), batch.endpoint))) {
    if (signal.aborted) return
    if (isProblem(item)) {
      errors.push(item)
      continue
    }
    total += 1
    const { line, start, bytes, customId } = item
    rows.push({ batch_id: batch.id, line, custom_id: customId, start, bytes, state: 'waiting', result: null })
    if (rows.length === PAGE) {
      await insertLines(db, rows)
      rows = []
    }
  }
  if (errors.length > 0) {
    await endBatch(db, batch.id, [], { status: 'failed', failed_at: clock.now(), errors: JSON.stringify(errors) })
    return
  }
  await insertLines(db, rows)
  await updateBatch(db, batch.id, { status: 'in_progress', in_progress_at: clock.now(), total })
}

/** A file that somebody has taken out of the data folder never comes back: the batch fails, as with any other file that cannot be read. */
async function* orMissing(items: AsyncIterable<InputLine | BatchError>): AsyncGenerator<InputLine | BatchError> {
  try {
    yield* items
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    yield { code: 'file_not_found', message: 'the content of the input file is missing', param: 'input_file_id', line: null }
  }
}

/** Resolves when every line has a result, or when the signal has stopped all that ran. */
async function runLines(options: BatchRunOptions, batch: BatchRow, signal: AbortSignal): Promise<void> {
  const next = lineSource(options.db, batch.id)
  const worker = async (): Promise<void> => {
    for (let line = await next(); line !== undefined && !signal.aborted; line = await next()) {
      const current = line
      await options.gate.run(signal, () => answerLine(options, batch, current, signal))
    }
  }
  const workers = Array.from({ length: options.parallel }, worker)
  const ends = await Promise.allSettled(workers)
  const failure = ends.find((end) => end.status === 'rejected')
  if (failure && !signal.aborted) throw failure.reason
}

/** Hands out the waiting lines in order, each once. */
function lineSource(db: Database, batchId: string): () => Promise<BatchLineRow | undefined> {
  let page: BatchLineRow[] = []
  let last = 0
  let turn: Promise<unknown> = Promise.resolve()
  const take = async (): Promise<BatchLineRow | undefined> => {
    if (page.length === 0) page = await waitingLines(db, batchId, last, PAGE)
    const line = page.shift()
    if (line) last = line.line
    return line
  }
  return () => {
    const taken = turn.then(take)
    turn = taken.catch(() => {})
    return taken
  }
}

async function answerLine(options: BatchRunOptions, batch: BatchRow, line: BatchLineRow, signal: AbortSignal): Promise<void> {
  const outcome = await outcomeOf(options, batch, line, signal)
  if (outcome) await finishLine(options.db, batch.id, line.line, outcome)
}

/** Undefined when it was stopped: the line has not been run. */
async function outcomeOf(
  { runLine, files, clock, logger }: BatchRunOptions,
  batch: BatchRow,
  line: BatchLineRow,
  signal: AbortSignal,
): Promise<LineResult | undefined> {
  try {
    const body = await readLineBody(files.pathOf(batch.input_file_id), line)
    for (let attempt = 1; ; attempt++) {
      const reply = await runLine(batch.endpoint, body, signal)
      if (signal.aborted) return undefined
      if (!PASSING.has(reply.status) || attempt === ATTEMPTS) return resultOf(line, reply)
      await sleep(clock, FIRST_PAUSE_MS * 2 ** (attempt - 1), signal)
    }
  } catch (error) {
    if (signal.aborted) return undefined
    logger.error('a line of a batch could not be run', { batch: batch.id, line: line.line, error })
    const reason = error instanceof Error ? error.message : String(error)
    return failedLine(line, { code: 'server_error', message: reason })
  }
}

function resultOf(line: BatchLineRow, { status, requestId, body }: LineReply): LineResult {
  const result = outputLine(line, { response: { status_code: status, request_id: requestId, body }, error: null })
  return { state: status < 400 ? 'completed' : 'failed', result: JSON.stringify(result), ...usageOf(body) }
}

function failedLine(line: BatchLineRow, error: { code: string; message: string }): LineResult {
  return { state: 'failed', result: JSON.stringify(outputLine(line, { response: null, error })), ...usageOf({}) }
}

function outputLine({ custom_id }: Pick<BatchLineRow, 'custom_id'>, rest: Pick<BatchOutputLine, 'response' | 'error'>): BatchOutputLine {
  return BatchOutputLineSchema.parse({ id: `batch_req_${randomUUID().replaceAll('-', '')}`, custom_id, ...rest })
}

type Tokens = Pick<LineResult, 'inputTokens' | 'cachedTokens' | 'outputTokens' | 'reasoningTokens'>

function usageOf({ usage }: Record<string, unknown>): Tokens {
  const parsed = LineUsageSchema.safeParse(usage ?? {}).data
  return {
    inputTokens: parsed?.input_tokens ?? parsed?.prompt_tokens ?? 0,
    cachedTokens: (parsed?.input_tokens_details ?? parsed?.prompt_tokens_details)?.cached_tokens ?? 0,
    outputTokens: parsed?.output_tokens ?? parsed?.completion_tokens ?? 0,
    reasoningTokens: (parsed?.output_tokens_details ?? parsed?.completion_tokens_details)?.reasoning_tokens ?? 0,
  }
}

const UNRUN = {
  cancelled: { code: 'batch_cancelled', message: 'This request was not run, because the batch was cancelled.' },
  expired: { code: 'batch_expired', message: 'This request could not be run before the completion window expired.' },
} as const

/** Writes the two files, then ends the batch; when it is cut off in between, it is done again from the start. */
async function finalize(options: BatchRunOptions, id: string, ending: 'completed' | 'cancelled' | 'expired'): Promise<void> {
  const { db, clock } = options
  const batch = await findBatch(db, id)
  if (!batch) return
  const [output, errors] = [
    await writeLines(options, batch, 'output', resultLines(db, id, 'completed')),
    await writeLines(options, batch, 'error', errorLines(db, id, ending)),
  ]
  const now = clock.now()
  const times = { completed: { completed_at: now }, cancelled: { cancelled_at: now }, expired: { expired_at: now } }[ending]
  await endBatch(
    db,
    id,
    [output, errors].filter((file) => file !== undefined),
    { status: ending, ...times, output_file_id: output?.id ?? null, error_file_id: errors?.id ?? null },
  )
}

/** Undefined when there is nothing to write. */
async function writeLines(
  { files }: BatchRunOptions,
  batch: BatchRow,
  kind: 'output' | 'error',
  lines: AsyncGenerator<string>,
): Promise<FileRow | undefined> {
  const first = await lines.next()
  if (first.done) return undefined
  const id = files.newId()
  const bytes = await files.write(id, encoded(first.value, lines))
  const expiry = batch.output_seconds === null ? {} : { expiresAfter: batch.output_seconds }
  return files.rowOf(id, bytes, { filename: `${batch.id}_${kind}.jsonl`, purpose: 'batch_output', ...expiry })
}

async function* encoded(first: string, rest: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${first}\n`)
  for await (const line of rest) yield Buffer.from(`${line}\n`)
}

async function* resultLines(db: Database, batchId: string, state: 'completed' | 'failed'): AsyncGenerator<string> {
  for (let after = 0; ;) {
    const rows = await endedLines(db, { batchId, state, after, limit: PAGE })
    for (const { result } of rows) if (result !== null) yield result
    const last = rows.at(-1)
    if (!last) return
    after = last.line
  }
}

async function* errorLines(db: Database, batchId: string, ending: 'completed' | 'cancelled' | 'expired'): AsyncGenerator<string> {
  yield* resultLines(db, batchId, 'failed')
  if (ending === 'completed') return
  for (let after = 0; ;) {
    const rows = await waitingLines(db, batchId, after, PAGE)
    for (const row of rows) yield JSON.stringify(outputLine(row, { response: null, error: UNRUN[ending] }))
    const last = rows.at(-1)
    if (!last) return
    after = last.line
  }
}
