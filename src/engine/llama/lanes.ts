/** The lanes of a loaded model, and the contexts below them: made, made again with a longer window, and ended. */
import type { Logger } from '../../base/logger.ts'
import { AppError } from '../../shared/errors.ts'
import { CacheTiers } from './cache-tiers.ts'
import { DeterministicLane, deterministicShape } from './deterministic-lane.ts'
import { DiskCache } from './disk-cache.ts'
import type { KvPool, KvShape } from './kv-pool.ts'
import { chooseKvShape, largestWindow } from './kv-shape.ts'
import { Lane } from './lane.ts'
import type { WorkerOptions } from './messages.ts'
import type { LlamaModel } from './model.ts'
import { createRunner } from './runner.ts'
import type { LlamaRunner, RunnerOptions } from './runner.ts'
import { isPortable } from './saved-sequences.ts'
import { Scheduler } from './scheduler.ts'
import type { Emission } from './sequence.ts'
import { SnapshotStore } from './snapshot-store.ts'
import { SplitPool } from './split-pool.ts'
import { StepCost } from './step-cost.ts'
import { Turn } from './turn.ts'
import { UnifiedPool } from './unified-pool.ts'

export interface LanesOptions {
  model: LlamaModel
  options: WorkerOptions
  /** Names what saved sequences belong to: model file, KV type, engine version. */
  identity: string
  onEmissions(lane: Lane, emissions: readonly Emission[]): void
  /** A step begins; `readersPaceMs` as the scheduler's. */
  onStep(readersPaceMs: number): void
  onResized(shape: KvShape): void
  onFatal(error: unknown): void
  logger: Logger
}

/** Tokens of one step (n_batch) and of one computation (n_ubatch). */
const BATCH_TOKENS = 512
/** Prompt tokens a step of the deterministic lane: always the same cuts, so always the same sums. */
const FIXED_CHUNK = 256
/** A window made again is this much longer than what was asked for, so that the next turn of the chat fits too. */
const GROWTH = 1.5

export class Lanes {
  readonly #options: LanesOptions
  readonly #turn = new Turn()
  readonly #runner: LlamaRunner
  readonly #main: Lane
  readonly #tiers: CacheTiers
  #shape: KvShape
  /** Half of what could not be made: there may be memory for that. Never less than what there is. */
  #limit = Number.POSITIVE_INFINITY
  #deterministic: { lane: Lane; runner: LlamaRunner } | undefined
  /** Made once, however many ask for it at the same time. */
  #openingDeterministic: Promise<DeterministicLane> | undefined

  private constructor(options: LanesOptions, runner: LlamaRunner, shape: KvShape, snapshots: SnapshotStore, tiers: CacheTiers) {
    this.#options = options
    this.#runner = runner
    this.#shape = shape
    this.#tiers = tiers
    this.#main = this.#createLane(runner, this.#createPool(shape, snapshots), { tiers, beforeSchedule: () => this.#growWhenFull() })
  }

  static async open(options: LanesOptions): Promise<Lanes> {
    const shape = chooseKvShape(kvWishes(options, options.options.context ?? DEFAULT_CONTEXT))
    const runner = await createRunner(options.model, runnerOptions(options.options, shape))
    const { cacheBytes, kvBytesPerToken, kvCacheFolder, diskCacheBytes } = options.options
    const snapshots = new SnapshotStore({ memoryLimit: cacheBytes, bytesPerToken: kvBytesPerToken })
    const disk =
      diskCacheBytes > 0 && runner.canRemove
        ? new DiskCache({
            folder: kvCacheFolder,
            identity: stateIdentity(options, shape),
            limitBytes: diskCacheBytes,
            logger: options.logger,
          })
        : undefined
    const tiers = new CacheTiers({ snapshots, runner, disk, logger: options.logger })
    await tiers.open(shape.window)
    return new Lanes(options, runner, shape, snapshots, tiers)
  }

  get shape(): KvShape {
    return this.#shape
  }

  get largestContext(): number {
    return Math.min(this.#limit, largestWindow(kvWishes(this.#options, 1)))
  }

  get main(): Lane {
    return this.#main
  }

  /** Those that are there now. */
  get all(): Lane[] {
    return [this.#main, ...(this.#deterministic ? [this.#deterministic.lane] : [])]
  }

  get diskBytes(): number {
    return this.#tiers.diskBytes
  }

  /** Every runner has samplers of its own: closes the thoughts of a sequence, whichever it runs in. False when it has none open. */
  closeThought(sequence: number): boolean {
    const runners = [this.#runner, ...(this.#deterministic ? [this.#deterministic.runner] : [])]
    return runners.map((runner) => runner.closeThought(sequence)).includes(true)
  }

  /** Keeps the prefix cache for the next start. */
  async persist(): Promise<void> {
    await this.#main.persist()
  }

  async close(): Promise<void> {
    await this.#main.close()
    await this.#deterministic?.lane.close()
  }

  /** The ordinary lane, with its context made again when this request needs a longer window and memory allows it. */
  async laneFor(promptTokens: number, maxTokens: number | undefined): Promise<Lane> {
    for (;;) {
      const needed = this.#neededWindow(promptTokens, maxTokens)
      if (needed <= this.#shape.window) return this.#main
      await this.#main.between(() => this.#resize(needed))
    }
  }

  /** An answer without a limit that reaches the end of its window gets a longer one while memory has it. */
  async #growWhenFull(): Promise<void> {
    const { windowNeeded } = this.#main.scheduler
    if (windowNeeded > this.#shape.window && this.#shape.window < this.largestContext) await this.#resize(windowNeeded)
  }

  /** Where there is no memory for a longer window, what there is has to do. */
  async #resize(needed: number): Promise<void> {
    if (needed <= this.#shape.window || this.#shape.window >= this.largestContext) return
    const window = Math.min(this.largestContext, Math.ceil(needed * GROWTH))
    const shape = chooseKvShape(kvWishes(this.#options, window))
    const { scheduler } = this.#main
    await this.#runner.run(scheduler.suspendAll())
    scheduler.pool.snapshots.unpinAll()
    try {
      await this.#runner.reshape(runnerOptions(this.#options.options, shape))
      this.#shape = shape
      if (!isPortable(this.#options.model)) this.#tiers.forgetAll()
    } catch (error) {
      this.#limit = Math.max(this.#shape.window, Math.floor(window / 2))
      this.#options.logger.warn('there is no memory for a longer window', { window, error })
    }
    // Its cells are empty now, also when the old context had to be made again.
    scheduler.replacePool(this.#createPool(this.#shape, scheduler.pool.snapshots))
    this.#options.onResized(this.#shape)
  }

  /** The lane whose sums never depend on others, its window long enough for this request. */
  async deterministicLane(promptTokens: number): Promise<Lane> {
    const window = Math.max(this.#shape.window, this.#neededWindow(promptTokens, undefined))
    const opened = await (this.#openingDeterministic ??= this.#openDeterministic(window))
    await opened.widen(window)
    return opened.lane
  }

  async #openDeterministic(window: number): Promise<DeterministicLane> {
    const { model, options } = this.#options
    const runnerOptionsOf = (shape: KvShape): RunnerOptions => ({ ...runnerOptions(options, shape), batchTokens: FIXED_CHUNK })
    try {
      const runner = await createRunner(model, runnerOptionsOf(deterministicShape(window)))
      const createLane = (pool: KvPool, beforeSchedule: () => Promise<void>): Lane => this.#createLane(runner, pool, { beforeSchedule })
      const { largestContext: largest } = this
      const opened = new DeterministicLane({
        window,
        largest,
        runner,
        isPortable: isPortable(model),
        runnerOptions: runnerOptionsOf,
        createLane,
      })
      this.#deterministic = { lane: opened.lane, runner }
      return opened
    } catch (error) {
      this.#openingDeterministic = undefined
      throw error
    }
  }

  /** Throws `prompt-too-long`. */
  #neededWindow(promptTokens: number, maxTokens: number | undefined): number {
    const largest = this.largestContext
    if (promptTokens + 1 > largest) throw tooLong(promptTokens + 1, this.#shape.window, largest)
    return Math.min(largest, promptTokens + Math.max(1, maxTokens ?? 1))
  }

  #createLane(runner: LlamaRunner, pool: KvPool, { tiers, beforeSchedule }: { tiers?: CacheTiers; beforeSchedule(): Promise<void> }): Lane {
    const isMain = tiers !== undefined
    const { model, options, logger, onFatal, onEmissions, onStep } = this.#options
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
      onEmissions: (emissions) => onEmissions(lane, emissions),
      onStep,
      onFatal,
      beforeSchedule,
      // Cells are found from where the last sequence ended: only an emptied cache begins at the first cell again.
      ...(isMain ? {} : { beforeRun: (isFirst: boolean) => isFirst && runner.clear() }),
    })
    return lane
  }

  #createPool(shape: KvShape, snapshots: SnapshotStore): KvPool {
    const options = { sharing: this.#runner.canRemove, cutsCopies: isPortable(this.#options.model) }
    return shape.layout === 'split' ? new SplitPool(shape, snapshots, options) : new UnifiedPool(shape, snapshots, options)
  }
}

/** Tokens of a window when nobody says. */
const DEFAULT_CONTEXT = 4096

function kvWishes({ model, options }: Pick<LanesOptions, 'model' | 'options'>, window: number): Parameters<typeof chooseKvShape>[0] {
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

/** Names what a saved state belongs to, with the context's shape where no other could read it. */
function stateIdentity({ model, identity }: LanesOptions, { layout, slots }: KvShape): string {
  return isPortable(model) ? identity : `${identity} ${layout} ${slots}`
}

function tooLong(needed: number, window: number, possible: number): AppError {
  return new AppError('prompt-too-long', { needed, window, possible })
}
