/**
 * The native runner: one libllama context, one batch a step.
 * `run` does the KV operations in their order, decodes once on a worker thread, then samples row by row.
 * Nothing is allocated per token: the batch and the logits are views of native memory.
 */
import type { Batch, KvOperation, Run, Runner, RunFailure, RunResult, Sampled, SampledToken, SamplerSettings, Slot } from './batch.ts'
import type { CandidateArray } from './binding-types.ts'
import { LogitRows } from './logit-rows.ts'
import type { LlamaModel } from './model.ts'
import { ConstraintTooDear } from './constraint-compiler.ts'
import { GrammarError } from './grammar-rule.ts'
import { openSampler, SMALL_TOP_K } from './sampler.ts'
import type { SamplerScratch, SequenceSampler } from './sampler.ts'
import { SavedSequences } from './saved-sequences.ts'
import type { SequenceBlob } from './sequence-blob.ts'
import { tokenLogprob } from './token-logprob.ts'
import type { LogprobTools } from './token-logprob.ts'
import { createLogitScan } from './logit-scan.ts'
import { openContext } from './native-context.ts'
import type { NativeContext, RunnerOptions } from './native-context.ts'

export type { RunnerOptions } from './native-context.ts'

export interface LlamaRunner extends Runner {
  /** False where only whole sequences can be removed (recurrent, sliding window): then nothing may share prefixes. */
  readonly canRemove: boolean
  /** Cells as libllama rounded them. */
  readonly cells: number
  /** Tokens that one slot can hold. */
  readonly cellsPerSlot: number
  readonly maxOutputs: number
  /** Positions held by a slot: for the idle integrity check. */
  sequenceLength(slot: Slot): number
  /** Bytes of all saved sequences. */
  bytesUsed(): number
  /** Empties every slot; saved sequences stay. */
  clear(): void
  setThreads(threads: number, batchThreads: number): void
  /**
   * Makes the context again with another shape; weights, samplers and saved sequences stay, the cells are empty.
   * (Models with a sliding window or a recurrent state lose their saved sequences too: `savedBytes` is 0 then.)
   * When the new one cannot be made, the old shape is made again and the call rejects with `engine-start-failed`.
   */
  reshape(options: RunnerOptions): Promise<void>
  /** Frees the context and all samplers. Idempotent; not while `run` runs. */
  close(): void
}

/** Makes the context (on a worker thread) and warms it up. Throws `engine-start-failed` when libllama cannot make it. */
export async function createRunner(model: LlamaModel, options: RunnerOptions): Promise<LlamaRunner> {
  const runner = new NativeRunner(model, await openContext(model, options))
  try {
    await runner.warmUp()
  } catch (error) {
    runner.close()
    throw error
  }
  return runner
}

interface OpenSampler {
  sampler: SequenceSampler
  logprobs: number | undefined
}

class NativeRunner implements LlamaRunner {
  canRemove = true
  readonly #model: LlamaModel
  readonly #samplers = new Map<number, OpenSampler>()
  readonly #saved: SavedSequences
  readonly #rows: LogitRows
  readonly #scratch: OwnedScratch
  readonly #logprobTools: LogprobTools
  #native: NativeContext
  #isRunning = false
  #isClosed = false

  constructor(model: LlamaModel, native: NativeContext) {
    this.#model = model
    this.#native = native
    this.#saved = new SavedSequences(model)
    this.#rows = new LogitRows(model)
    this.#scratch = createScratch(model)
    this.#logprobTools = { scan: this.#scratch.scan, pieceBytes: (token) => model.pieceBytes(token, true) }
  }

  get cells(): number {
    return this.#native.cells
  }

  get cellsPerSlot(): number {
    return this.#native.cellsPerSlot
  }

  get maxOutputs(): number {
    return this.#native.maxOutputs
  }

  /** Computes two tokens: pages the weights in, and shows whether a part of a sequence can be removed. */
  async warmUp(): Promise<void> {
    const token = this.#model.shape.beginToken ?? 0
    const runs: Run[] = [{ sequence: -1, slot: 0, start: 0, tokens: [token, token], sample: false, draft: 0 }]
    await this.#decode(runs)
    this.canRemove = this.#model.binding.removeCells(this.#native.memory, 0, 1, -1)
    this.clear()
  }

  async run(batch: Batch): Promise<RunResult> {
    if (this.#isRunning || this.#isClosed) throw new Error('the runner is busy or closed')
    this.#isRunning = true
    try {
      const failures: RunFailure[] = []
      await this.#operate(batch.operations, failures)
      const decodeMs = batch.runs.length > 0 ? await this.#decode(batch.runs) : 0
      return { sampled: this.#sampleRuns(batch.runs, failures), failures, decodeMs }
    } finally {
      this.#isRunning = false
    }
  }

  // --- operations ---

  async #operate(operations: readonly KvOperation[], failures: RunFailure[]): Promise<void> {
    let copied: CopySource | undefined
    for (const operation of operations) {
      if (operation.type === 'copy' && this.#native.options.layout === 'split') {
        copied = await this.#copyWhole(operation, copied)
        continue
      }
      if (changes(operation, copied?.slot)) copied = undefined
      await this.#operateOne(operation, failures)
    }
  }

  async #operateOne(operation: KvOperation, failures: RunFailure[]): Promise<void> {
    switch (operation.type) {
      case 'copy':
        return this.#model.binding.copyCells(this.#native.memory, operation.from, operation.to, 0, operation.length)
      case 'remove':
        return this.#remove(operation.slot, operation.start)
      case 'save':
        return this.#saved.save(this.#native, operation.slot, operation.key)
      case 'load':
        return this.#saved.load(this.#native, operation.slot, operation.key)
      case 'open':
        return this.#open(operation.sequence, operation.sampling, operation.tokens, failures)
      case 'close':
        this.#samplers.get(operation.sequence)?.sampler.close()
        this.#samplers.delete(operation.sequence)
    }
  }

  #remove(slot: Slot, start: number): void {
    // From −1 on is the whole sequence, which every kind of memory can remove.
    if (!this.#model.binding.removeCells(this.#native.memory, slot, start === 0 ? -1 : start, -1)) {
      throw new Error(`slot ${slot} does not let positions from ${start} on be removed`)
    }
  }

  /**
   * In the split layout a slot is copied through ordinary memory: libllama's own copy moves all cells of the slot, used or not,
   * and only at the next decode, so that a save or load in between would see the wrong bytes.
   */
  async #copyWhole({ from, to }: { from: Slot; to: Slot }, last: CopySource | undefined): Promise<CopySource | undefined> {
    const source = last?.slot === from ? last : { slot: from, blob: await this.#saved.read(this.#native, from) }
    await this.#saved.write(this.#native, to, source.blob)
    return source.slot === to ? undefined : source
  }

  #open(sequence: number, sampling: SamplerSettings, tokens: readonly number[], failures: RunFailure[]): void {
    try {
      this.#samplers.get(sequence)?.sampler.close()
      const sampler = openSampler(this.#model, sampling, tokens, this.#scratch)
      this.#samplers.set(sequence, { sampler, logprobs: sampling.logprobs })
    } catch (error) {
      failures.push(failureOf(sequence, error))
    }
  }

  // --- decoding ---

  /** Fills the native batch and computes it. Returns the wall time in ms. */
  async #decode(runs: readonly Run[]): Promise<number> {
    const { context, batch } = this.#native
    batch.native.n_tokens = this.#fill(runs)
    const start = performance.now()
    const code = await this.#model.binding.decode(context, batch.native)
    if (this.#model.usesGpu && code === 0) await this.#model.binding.synchronize(context)
    const elapsed = performance.now() - start
    if (code !== 0) throw new Error(`llama_decode: ${DECODE_ERRORS[code] ?? 'fatal error'} (${code}), ${batch.native.n_tokens} tokens`)
    return elapsed
  }

  #fill(runs: readonly Run[]): number {
    const { token, position, output, slot } = this.#native.batch
    let at = 0
    let outputs = 0
    for (const run of runs) {
      if (at + run.tokens.length > token.length) throw new Error(`a batch of more than ${token.length} tokens`)
      if (run.sample) outputs += run.draft + 1
      const firstOutput = run.sample ? run.tokens.length - 1 - run.draft : run.tokens.length
      for (let index = 0; index < run.tokens.length; index++, at++) {
        token[at] = run.tokens[index] ?? 0
        position[at] = run.start + index
        slot(at, run.slot)
        output[at] = index >= firstOutput ? 1 : 0
      }
    }
    if (outputs > this.maxOutputs) throw new Error(`${outputs} rows to sample, at most ${this.maxOutputs}`)
    return at
  }

  // --- sampling ---

  #sampleRuns(runs: readonly Run[], failures: RunFailure[]): Sampled[] {
    const outputs = runs.reduce((sum, run) => sum + (run.sample ? run.draft + 1 : 0), 0)
    if (outputs === 0) return []
    this.#rows.refresh(this.#native.context, outputs)
    const sampled: Sampled[] = []
    let row = 0
    for (const run of runs) {
      if (!run.sample) continue
      const open = this.#samplers.get(run.sequence)
      const tokens = open && this.#sampleRun(run, open, row, failures)
      if (tokens && tokens.length > 0) sampled.push({ sequence: run.sequence, tokens })
      else if (!failures.some((failure) => failure.sequence === run.sequence))
        failures.push(nothingSampled(run.sequence, open !== undefined))
      row += run.draft + 1
    }
    return sampled
  }

  /** One token, and one more for each draft that was right. */
  #sampleRun(run: Run, open: OpenSampler, firstRow: number, failures: RunFailure[]): SampledToken[] {
    const result: SampledToken[] = []
    for (let index = 0; index <= run.draft; index++) {
      const sampled = this.#trySample(run.sequence, firstRow + index, open, failures)
      if (sampled) result.push(sampled)
      // The draft that this token should equal is the one that the next row was computed with.
      if (!sampled || sampled.token !== run.tokens[run.tokens.length - run.draft + index]) break
      // A prompt has ends of turns too, so they are guessed. What is held to a form can go no further.
      if (this.#model.isEndOfGeneration(sampled.token)) break
    }
    return result
  }

  /** What one sequence's rule cannot do ends that sequence and nothing else. */
  #trySample(sequence: number, row: number, open: OpenSampler, failures: RunFailure[]): SampledToken | undefined {
    try {
      return this.#sampleRow(row, open)
    } catch (error) {
      failures.push(failureOf(sequence, error))
      return undefined
    }
  }

  #sampleRow(row: number, { sampler, logprobs }: OpenSampler): SampledToken | undefined {
    const logits = this.#rows.row(row)
    const raw = logprobs === undefined ? undefined : logits.slice()
    const isThought = sampler.isThinking
    const token = sampler.sample(logits)
    if (token === undefined) return undefined
    const closedBy = sampler.takeClosedBy()
    const logprob = raw && logprobs !== undefined ? tokenLogprob(raw, token, logprobs, this.#logprobTools) : undefined
    return { token, ...(logprob && { logprob }), ...(isThought && { isThought }), ...(closedBy && { closedBy }) }
  }

  closeThought(sequence: number): boolean {
    return this.#samplers.get(sequence)?.sampler.closeThought() ?? false
  }

  // --- saved sequences ---

  savedBytes(key: number): number {
    return this.#saved.bytes(key)?.length ?? 0
  }

  savedBlob(key: number): Uint8Array | undefined {
    return this.#saved.bytes(key)
  }

  addBlob(key: number, blob: Uint8Array): void {
    this.#saved.add(key, blob)
  }

  dropBlob(key: number): void {
    this.#saved.drop(key)
  }

  bytesUsed(): number {
    return this.#saved.totalBytes
  }

  // --- the context as a whole ---

  sequenceLength(slot: Slot): number {
    return this.#model.binding.lastPosition(this.#native.memory, slot) + 1
  }

  clear(): void {
    this.#model.binding.clearMemory(this.#native.memory)
  }

  setThreads(threads: number, batchThreads: number): void {
    this.#model.binding.setThreads(this.#native.context, threads, batchThreads)
  }

  async reshape(options: RunnerOptions): Promise<void> {
    if (this.#isRunning || this.#isClosed) throw new Error('the runner is busy or closed')
    this.#isRunning = true
    const old = this.#native.options
    try {
      // First the old one goes: both together may not fit.
      this.#freeContext()
      this.#native = await openContext(this.#model, options).catch(async (error: unknown) => {
        this.#native = await openContext(this.#model, old)
        throw error
      })
      this.#saved.dropUnportable()
    } finally {
      this.#isRunning = false
    }
  }

  close(): void {
    if (this.#isClosed) return
    if (this.#isRunning) throw new Error('the runner is busy')
    this.#isClosed = true
    for (const { sampler } of this.#samplers.values()) sampler.close()
    this.#samplers.clear()
    this.#scratch.free()
    this.#freeContext()
  }

  #freeContext(): void {
    this.#rows.forget()
    this.#native.batch.free()
    this.#model.binding.freeContext(this.#native.context)
  }
}

const DECODE_ERRORS: Readonly<Record<number, string>> = {
  1: 'no room in the KV cache',
  2: 'aborted',
  [-1]: 'invalid batch',
  [-2]: 'out of memory',
  [-3]: 'the computation failed',
}

interface CopySource {
  slot: Slot
  blob: SequenceBlob
}

/** Whether an operation changes the cells of a slot. */
function changes(operation: KvOperation, slot: Slot | undefined): boolean {
  return (operation.type === 'remove' || operation.type === 'load') && operation.slot === slot
}

function failureOf(sequence: number, error: unknown): RunFailure {
  const reason = error instanceof Error ? error.message : String(error)
  if (error instanceof GrammarError) return { sequence, code: 'invalid-grammar', reason }
  return { sequence, code: error instanceof ConstraintTooDear ? 'constraint-too-slow' : 'internal', reason }
}

function nothingSampled(sequence: number, isOpen: boolean): RunFailure {
  if (!isOpen) return { sequence, code: 'internal', reason: 'its sampler is not open' }
  return { sequence, code: 'internal', reason: 'no token may follow: the grammar forbids all of them, or the model computed no numbers' }
}

interface OwnedScratch extends SamplerScratch {
  free(): void
}

function createScratch({ binding, shape }: LlamaModel): OwnedScratch {
  const small = binding.createCandidates(SMALL_TOP_K)
  let whole: CandidateArray | undefined
  return {
    scan: createLogitScan(shape.vocabularySize),
    small,
    whole: () => (whole ??= binding.createCandidates(shape.vocabularySize)),
    free() {
      small.free()
      whole?.free()
    },
  }
}
