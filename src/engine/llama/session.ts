/** A loaded model in the worker: its lanes, and the generations that run in them. */
import type { Logger } from '../../base/logger.ts'
import { AppError } from '../../shared/errors.ts'
import type { SamplerSettings } from './batch.ts'
import { CacheTiers } from './cache-tiers.ts'
import { DiskCache } from './disk-cache.ts'
import { createEmbedder } from './embedder.ts'
import type { Embedder } from './embedder.ts'
import { Generation } from './generation.ts'
import type { KvPool, KvShape } from './kv-pool.ts'
import { chooseKvShape, largestWindow } from './kv-shape.ts'
import { Lane } from './lane.ts'
import type { GenerateCommand, PromptText, Report, WorkerEvent, WorkerOptions } from './messages.ts'
import type { LlamaModel } from './model.ts'
import { createRunner } from './runner.ts'
import type { LlamaRunner, RunnerOptions } from './runner.ts'
import { Scheduler } from './scheduler.ts'
import type { Emission, Sequence } from './sequence.ts'
import { SnapshotStore } from './snapshot-store.ts'
import { SplitPool } from './split-pool.ts'
import { StepCost } from './step-cost.ts'
import { Turn } from './turn.ts'
import { UnifiedPool } from './unified-pool.ts'
import type { EngineStats } from '../engine.ts'

export interface SessionOptions {
  model: LlamaModel
  options: WorkerOptions
  /** Names what saved sequences belong to: model file, KV type, engine version. */
  identity: string
  send(report: Report): void
  onFatal(error: unknown): void
  logger: Logger
}

/** Tokens of one step (n_batch) and of one computation (n_ubatch). */
const BATCH_TOKENS = 512
/** Prompt tokens a step of the deterministic lane: always the same cuts, so always the same sums. */
const FIXED_CHUNK = 256
/** A window made again is this much longer than what was asked for, so that the next turn of the chat fits too. */
const GROWTH = 1.5
/** So close to its window's end an answer is taken for one that will not stop there. */
const LAST_TOKENS = 8
/** Texts longer than this are tokenised on a thread, so that nobody's step waits. */
const LONG_TEXT = 20_000

export class Session {
  readonly #options: SessionOptions
  readonly #turn = new Turn()
  readonly #generations = new Map<number, Generation>()
  readonly #bySequence = new Map<Sequence, Generation>()
  readonly #lanes = new Map<Sequence, Lane>()
  readonly #totals = { prompt: 0, cached: 0, generated: 0, drafted: 0, accepted: 0 }
  #runner: LlamaRunner
  #shape: KvShape
  #main: Lane
  #tiers: CacheTiers
  #deterministic: { lane: Lane; runner: LlamaRunner; window: number } | undefined
  #embedder: Embedder | undefined
  #nextSequence = 1
  #outbox: [number, WorkerEvent][] = []
  #isFlushing = false

  private constructor(options: SessionOptions, runner: LlamaRunner, shape: KvShape, snapshots: SnapshotStore, tiers: CacheTiers) {
    this.#options = options
    this.#runner = runner
    this.#shape = shape
    this.#tiers = tiers
    this.#main = this.#createLane(runner, this.#createPool(shape, snapshots), tiers)
  }

  static async open(options: SessionOptions): Promise<Session> {
    const shape = chooseKvShape(kvWishes(options, options.options.context ?? DEFAULT_CONTEXT))
    const runner = await createRunner(options.model, runnerOptions(options.options, shape))
    const { cacheBytes, kvBytesPerToken, kvCacheFolder, diskCacheBytes } = options.options
    const snapshots = new SnapshotStore({ memoryLimit: cacheBytes, bytesPerToken: kvBytesPerToken })
    const disk =
      diskCacheBytes > 0 && runner.canRemove
        ? new DiskCache({ folder: kvCacheFolder, identity: options.identity, limitBytes: diskCacheBytes, logger: options.logger })
        : undefined
    const tiers = new CacheTiers({ snapshots, runner, disk, logger: options.logger })
    await tiers.open(shape.window)
    return new Session(options, runner, shape, snapshots, tiers)
  }

  get shape(): KvShape {
    return this.#shape
  }

  get largestContext(): number {
    return largestWindow(kvWishes(this.#options, 1))
  }

  /** Never rejects: what goes wrong is an `error` event of that generation. */
  async generate(command: GenerateCommand): Promise<void> {
    const { model } = this.#options
    const generation = new Generation({ command, pieceBytes: (token) => model.pieceBytes(token), now: () => performance.now() })
    this.#generations.set(generation.id, generation)
    try {
      const tokens = await this.tokenize(command.prompt)
      if (generation.ended) return
      this.#checkTokens(tokens)
      const lane = command.deterministic
        ? await this.#deterministicLane(tokens.length)
        : await this.#laneFor(tokens.length, command.maxTokens)
      if (!generation.ended) this.#startChoices(generation, lane, command, tokens)
    } catch (error) {
      this.#tell(generation, generation.fail(error))
    }
    this.#flush()
  }

  cancel(id: number): void {
    const generation = this.#generations.get(id)
    if (!generation) return
    const { sequences } = generation
    this.#tell(generation, generation.fail(new AppError('cancelled')))
    for (const sequence of sequences) this.#lanes.get(sequence)?.cancel(sequence)
    this.#flush()
  }

  async tokenize(prompt: PromptText): Promise<number[]> {
    if (prompt.type === 'tokens') return prompt.tokens
    const { model } = this.#options
    if (prompt.text.length > LONG_TEXT) return model.tokenizeAsync(prompt.text, prompt)
    return model.tokenize(prompt.text, prompt)
  }

  detokenize(tokens: readonly number[]): string {
    const pieces = tokens.map((token) => this.#options.model.pieceBytes(token, true))
    return new TextDecoder().decode(Buffer.concat(pieces))
  }

  async embed(inputs: readonly (string | number[])[]): Promise<{ vectors: Float32Array[]; dimensions: number; promptTokens: number }> {
    const lists = await Promise.all(
      inputs.map((input) =>
        typeof input === 'string' ? this.tokenize({ type: 'text', text: input, addSpecial: true, parseSpecial: false }) : input,
      ),
    )
    for (const list of lists) this.#checkTokens(list)
    const vectors = await this.#main.between(async () => {
      this.#embedder ??= await createEmbedder(this.#options.model, {
        context: Math.min(this.#shape.window, this.#options.model.shape.trainedContext),
        threads: this.#options.options.threads,
      })
      return this.#embedder.embed(lists)
    })
    return { vectors, dimensions: this.#embedder?.dimensions ?? 0, promptTokens: lists.reduce((sum, list) => sum + list.length, 0) }
  }

  stats(): EngineStats {
    const lanes = [this.#main, ...(this.#deterministic ? [this.#deterministic.lane] : [])]
    const { stats, scheduler } = this.#main
    const sum = (value: (lane: Lane) => number): number => lanes.reduce((total, lane) => total + value(lane), 0)
    return {
      running: sum((lane) => lane.scheduler.runningCount),
      waiting: sum((lane) => lane.scheduler.waitingCount),
      cells: scheduler.pool.count(),
      cache: {
        memoryBytes: scheduler.pool.snapshots.memoryBytes,
        diskBytes: this.#tiers.diskBytes,
        hitTokens: this.#totals.cached,
        computedTokens: sum((lane) => lane.stats.computedTokens),
      },
      tokens: {
        prompt: this.#totals.prompt,
        generated: this.#totals.generated,
        drafted: this.#totals.drafted,
        accepted: this.#totals.accepted,
      },
      step: { count: stats.steps, ms: stats.lastMs, overheadMs: stats.lastOverheadMs },
    }
  }

  /** Keeps the prefix cache for the next start. */
  async persist(): Promise<void> {
    await this.#main.persist()
  }

  async close(): Promise<void> {
    await this.#main.close()
    await this.#deterministic?.lane.close()
    this.#sendOutbox()
  }

  // ── generations ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #startChoices(generation: Generation, lane: Lane, command: GenerateCommand, tokens: readonly number[]): void {
    const seed = command.sampling.seed ?? Math.floor(Math.random() * 0xffff_ffff)
    for (let choice = 0; choice < command.choices; choice++) {
      const sampling: SamplerSettings = {
        ...command.sampling,
        seed: (seed + choice) >>> 0,
        ignoreEos: command.ignoreEos,
        ...(command.logprobs === undefined ? {} : { logprobs: command.logprobs }),
      }
      const sequence = lane.add({ id: this.#nextSequence++, tokens, maxTokens: command.maxTokens, sampling })
      this.#bySequence.set(sequence, generation)
      this.#lanes.set(sequence, lane)
      generation.add(sequence)
    }
  }

  #onEmissions(lane: Lane, emissions: readonly Emission[]): void {
    for (const emission of emissions) this.#onEmission(lane, emission)
    this.#tellPositions(lane)
    this.#flush()
  }

  #onEmission(lane: Lane, emission: Emission): void {
    const generation = this.#bySequence.get(emission.sequence)
    if (!generation) return
    const { events, finish } = generation.take(emission)
    this.#tell(generation, events)
    if (finish) lane.scheduler.finish(emission.sequence)
    if (finish || emission.type === 'ended' || emission.type === 'failed') this.#forget(emission.sequence)
    if (emission.type !== 'failed' || !generation.ended) return
    for (const other of generation.sequences) lane.scheduler.cancel(other)
  }

  #forget(sequence: Sequence): void {
    this.#bySequence.delete(sequence)
    this.#lanes.delete(sequence)
    this.#totals.prompt += sequence.promptLength
    this.#totals.cached += sequence.cachedTokens
    this.#totals.generated += sequence.tokens.length - sequence.promptLength
    this.#totals.drafted += sequence.draftedTokens
    this.#totals.accepted += sequence.acceptedTokens
  }

  #tellPositions(lane: Lane): void {
    if (lane.scheduler.waitingCount === 0) return
    for (const generation of this.#generations.values()) {
      const [first] = generation.sequences
      if (first && this.#lanes.get(first) === lane) this.#tell(generation, generation.queued(lane.scheduler.positionOf(first)))
    }
  }

  #tell(generation: Generation, events: readonly WorkerEvent[]): void {
    for (const event of events) this.#outbox.push([generation.id, event])
    if (generation.ended) this.#generations.delete(generation.id)
  }

  /** One message a step, written while the next step is being computed on its threads. */
  #flush(): void {
    if (this.#outbox.length === 0 || this.#isFlushing) return
    this.#isFlushing = true
    setImmediate(() => this.#sendOutbox())
  }

  #sendOutbox(): void {
    this.#isFlushing = false
    if (this.#outbox.length > 0) this.#options.send({ type: 'events', events: this.#outbox })
    this.#outbox = []
  }

  #checkTokens(tokens: readonly number[]): void {
    if (tokens.length === 0) throw new AppError('empty-prompt')
    const last = this.#options.model.shape.vocabularySize - 1
    const wrong = tokens.find((token) => !Number.isInteger(token) || token < 0 || token > last)
    if (wrong !== undefined) throw new AppError('invalid-token', { token: wrong, last })
  }

  // ── lanes ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The ordinary lane, with its context made again when this request needs a longer window and memory allows it. */
  async #laneFor(promptTokens: number, maxTokens: number | undefined): Promise<Lane> {
    const largest = this.largestContext
    if (promptTokens + 1 > largest) throw tooLong(promptTokens + 1, this.#shape.window, largest)
    const needed = Math.min(largest, promptTokens + Math.max(1, maxTokens ?? 1))
    if (needed > this.#shape.window) await this.#main.between(() => this.#resize(needed))
    return this.#main
  }

  /** An answer without a limit that reaches the end of its window gets a longer one while memory has it. */
  async #growWhenFull(): Promise<void> {
    const { longest } = this.#main.scheduler
    if (longest + LAST_TOKENS > this.#shape.window && this.#shape.window < this.largestContext) await this.#resize(this.#shape.window + 1)
  }

  async #resize(needed: number): Promise<void> {
    if (needed <= this.#shape.window) return
    const window = Math.min(this.largestContext, Math.ceil(needed * GROWTH))
    const shape = chooseKvShape(kvWishes(this.#options, window))
    const { scheduler } = this.#main
    await this.#runner.run(scheduler.suspendAll())
    scheduler.pool.snapshots.unpinAll()
    await this.#runner.reshape(runnerOptions(this.#options.options, shape))
    this.#shape = shape
    scheduler.replacePool(this.#createPool(shape, scheduler.pool.snapshots))
    this.#options.send({ type: 'resized', context: shape.window, kvLayout: shape.layout })
  }

  /** A context of its own for one sequence at a time: the sums never depend on neighbours, nor on what was cached. */
  async #deterministicLane(promptTokens: number): Promise<Lane> {
    const largest = this.largestContext
    if (promptTokens + 1 > largest) throw tooLong(promptTokens + 1, this.#shape.window, largest)
    const window = Math.max(this.#shape.window, Math.min(largest, promptTokens + 1))
    if (this.#deterministic && this.#deterministic.window >= window) return this.#deterministic.lane
    if (this.#deterministic) await this.#closeDeterministic(this.#deterministic)
    const shape: KvShape = { layout: 'split', parallel: 1, slots: 1, window, cells: window }
    const runner = await createRunner(this.#options.model, { ...runnerOptions(this.#options.options, shape), batchTokens: FIXED_CHUNK })
    const pool = new SplitPool(shape, new SnapshotStore({ memoryLimit: 0, bytesPerToken: 1 }), { sharing: false })
    const lane = this.#createLane(runner, pool, undefined)
    this.#deterministic = { lane, runner, window }
    return lane
  }

  async #closeDeterministic({ lane, runner }: { lane: Lane; runner: LlamaRunner }): Promise<void> {
    await lane.whenIdle()
    this.#deterministic = undefined
    await lane.close()
    runner.close()
  }

  #createLane(runner: LlamaRunner, pool: KvPool, tiers: CacheTiers | undefined): Lane {
    const isMain = tiers !== undefined
    const { model, options, logger, onFatal } = this.#options
    const scheduler = new Scheduler({
      pool,
      cost: new StepCost({ idleTokens: BATCH_TOKENS, ...(options.targetStepMs === undefined ? {} : { targetMs: options.targetStepMs }) }),
      maxBatchTokens: isMain ? BATCH_TOKENS : FIXED_CHUNK,
      speculation: isMain && options.speculation && runner.canRemove,
      ...(isMain ? {} : { fixedChunk: FIXED_CHUNK }),
      isEnd: (token) => model.isEndOfGeneration(token),
      now: () => performance.now(),
    })
    const lane: Lane = new Lane({
      scheduler,
      runner,
      tiers,
      turn: this.#turn,
      // Sums depend on the number of threads, so the deterministic lane never changes it.
      threads: isMain ? options.threads : 1,
      logger,
      now: () => performance.now(),
      onEmissions: (emissions) => this.#onEmissions(lane, emissions),
      onFatal,
      // Cells are found from where the last sequence ended: only an emptied cache begins at the first cell again.
      ...(isMain ? { beforeSchedule: () => this.#growWhenFull() } : { beforeRun: (isFirst: boolean) => isFirst && runner.clear() }),
    })
    return lane
  }

  #createPool(shape: KvShape, snapshots: SnapshotStore): KvPool {
    const sharing = this.#runner.canRemove
    return shape.layout === 'split' ? new SplitPool(shape, snapshots, { sharing }) : new UnifiedPool(shape, snapshots, { sharing })
  }
}

/** Tokens of a window when nobody says. */
const DEFAULT_CONTEXT = 4096

function kvWishes({ model, options }: Pick<SessionOptions, 'model' | 'options'>, window: number): Parameters<typeof chooseKvShape>[0] {
  const { parallel, kvLayout: layout, kvBytes, kvBytesPerToken } = options
  return {
    window: Math.min(window, model.shape.trainedContext),
    parallel,
    layout,
    kvBytes,
    kvBytesPerToken,
    trainedContext: model.shape.trainedContext,
  }
}

function runnerOptions(options: WorkerOptions, shape: KvShape): RunnerOptions {
  return {
    layout: shape.layout,
    slots: shape.slots,
    cells: shape.cells,
    kvType: options.kvType,
    batchTokens: BATCH_TOKENS,
    microBatchTokens: BATCH_TOKENS,
    threads: options.threads,
    batchThreads: options.threads,
  }
}

function tooLong(needed: number, window: number, possible: number): AppError {
  return new AppError('prompt-too-long', { needed, window, possible })
}
