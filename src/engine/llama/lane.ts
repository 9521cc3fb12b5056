/**
 * One context with its scheduler: the loop of `schedule → run → commit`, and what goes on around it (disk tier, a longer window).
 * A worker has one lane for ordinary requests and, once it is needed, one for deterministic ones.
 */
import type { Logger } from '../../base/logger.ts'
import { stepShape } from './batch.ts'
import type { Batch, Runner } from './batch.ts'
import type { CacheTiers } from './cache-tiers.ts'
import type { Emission, Sequence, SequenceRequest } from './sequence.ts'
import type { Scheduler } from './scheduler.ts'
import { ThreadGovernor } from './thread-governor.ts'
import type { Turn } from './turn.ts'

export interface LaneOptions {
  scheduler: Scheduler
  runner: Runner & { setThreads?(threads: number, batchThreads: number): void }
  tiers: CacheTiers | undefined
  turn: Turn
  logger: Logger
  now(): number
  /** Threads to compute with at most. */
  threads: number
  /** Called after each step with what it brought about; before the next one, so that sequences can be finished in it. */
  onEmissions(emissions: Emission[]): void
  /** The runner failed: the context cannot be used any more. */
  onFatal(error: unknown): void
  /** Between two steps, alone with the context: the place to make it again. */
  beforeSchedule?(): Promise<void>
  /** A batch is about to be run; `readersPaceMs` as the scheduler's. */
  onStep?(readersPaceMs: number): void
  /** Before a batch is run; for a lane that starts each sequence (or goes on with one that was saved) in an empty context. */
  beforeRun?(beginsSequence: boolean): void
}

export interface LaneStats {
  steps: number
  /** The last step with work: wall time, and what of it was not llama_decode. */
  lastMs: number
  lastOverheadMs: number
  computedTokens: number
}

/** Idle for this long, a lane writes its prefix cache down. */
const IDLE_MS = 300

export class Lane {
  readonly stats: LaneStats = { steps: 0, lastMs: 0, lastOverheadMs: 0, computedTokens: 0 }
  readonly #options: LaneOptions
  readonly #governor: ThreadGovernor
  #threads: number
  #endSleep: () => void = () => {}
  /** Something has happened since the last look at the scheduler: it may have come between that and the sleep. */
  #isWoken = false
  #closed = false
  #idleListeners: (() => void)[] = []
  /** Everything worth keeping was written down since the last step. */
  #tidy = false
  #busy: Promise<void>
  #idleTimer: NodeJS.Timeout | undefined

  constructor(options: LaneOptions) {
    this.#options = options
    this.#governor = new ThreadGovernor(options.threads)
    this.#threads = options.threads
    this.#busy = this.#loop()
  }

  get scheduler(): Scheduler {
    return this.#options.scheduler
  }

  add(request: SequenceRequest): Sequence {
    const sequence = this.#options.scheduler.add(request)
    this.#wake()
    return sequence
  }

  cancel(sequence: Sequence): void {
    this.#options.scheduler.cancel(sequence)
    this.#wake()
  }

  /** Does something between two steps, alone with the context. */
  async between<T>(action: () => Promise<T>): Promise<T> {
    const release = await this.#options.turn.take()
    try {
      return await action()
    } finally {
      release()
      this.#wake()
    }
  }

  /** Resolves when nothing runs or waits. */
  whenIdle(): Promise<void> {
    if (this.#options.scheduler.isIdle) return Promise.resolve()
    return new Promise((resolve) => this.#idleListeners.push(resolve))
  }

  /** Writes the prefix cache to disk; for a stop that was asked for. */
  async persist(): Promise<void> {
    await this.between(async () => this.#saveCached(Number.POSITIVE_INFINITY))
    while (await this.#options.tiers?.writeOne());
  }

  /** Ends the loop after the step that runs. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#idleTimer)
    this.#wake()
    await this.#busy
  }

  async #loop(): Promise<void> {
    try {
      while (!this.#closed) {
        const worked = await this.#step()
        if (!worked && !this.#closed) await this.#sleep()
      }
    } catch (error) {
      this.#options.onFatal(error)
    }
  }

  /** False when there is nothing to compute now. */
  async #step(): Promise<boolean> {
    const release = await this.#options.turn.take()
    try {
      const { scheduler, runner, tiers } = this.#options
      await this.#options.beforeSchedule?.()
      this.#isWoken = false
      const start = this.#options.now()
      const batch = scheduler.schedule()
      for (const snapshot of scheduler.takeWanted()) this.#fetch(snapshot)
      if (!batch) {
        this.#options.onEmissions(scheduler.takeEmissions())
        return false
      }
      // Who was admitted is told before the step, which may take a second.
      const admitted = scheduler.takeEmissions()
      if (admitted.length > 0) this.#options.onEmissions(admitted)
      this.#options.beforeRun?.(beginsSequence(batch))
      this.#options.onStep?.(scheduler.readersPaceMs)
      const { answers, guesses, promptTokens } = stepShape(batch)
      const isComparable = guesses === 0 && promptTokens === 0
      // A prompt's step may take a second: not with the threads of a trial.
      if (!isComparable) this.#useThreads(this.#governor.interrupt())
      const result = await runner.run(batch)
      this.#options.onEmissions(scheduler.commit(batch, result))
      tiers?.settle()
      if (isComparable) this.#useThreads(this.#governor.observe(answers, result.decodeMs))
      this.#record(batch.tokenCount, this.#options.now() - start, result.decodeMs)
      return true
    } finally {
      release()
    }
  }

  /** Prompts are computed with the same threads: a single one on a busy machine is the better choice for them too. */
  #useThreads(threads: number): void {
    if (threads !== this.#threads) this.#options.runner.setThreads?.(threads, threads)
    this.#threads = threads
  }

  #record(tokens: number, ms: number, decodeMs: number): void {
    if (tokens === 0) return
    this.#tidy = false
    this.stats.steps++
    this.stats.computedTokens += tokens
    this.stats.lastMs = ms
    this.stats.lastOverheadMs = ms - decodeMs
  }

  #fetch(snapshot: Parameters<CacheTiers['fetch']>[0]): void {
    void this.#options.tiers?.fetch(snapshot).then(() => this.#wake())
  }

  #wake(): void {
    this.#isWoken = true
    this.#endSleep()
  }

  async #sleep(): Promise<void> {
    if (this.#isWoken) return
    const woken = new Promise<void>((resolve) => (this.#endSleep = resolve))
    if (this.#options.scheduler.isIdle) for (const listener of this.#idleListeners.splice(0)) listener()
    if (this.#options.scheduler.isIdle && !this.#tidy) this.#idleTimer = setTimeout(() => void this.#tidyUp(), IDLE_MS)
    await woken
    clearTimeout(this.#idleTimer)
    this.#endSleep = () => {}
  }

  /** Nobody is served: check the books, then save and write what would be lost with the process, one sequence at a time. */
  async #tidyUp(): Promise<void> {
    const { scheduler, tiers, logger } = this.#options
    try {
      await this.#verifyAlone()
      while (tiers && scheduler.isIdle && !this.#closed && !this.#tidy) {
        const saved = await this.between(() => this.#saveCached(1))
        const wrote = await tiers.writeOne()
        this.#tidy = !saved && !wrote
      }
    } catch (error) {
      logger.error('the idle check of the KV cache failed', { error })
      this.#options.onFatal(error)
    }
  }

  /** Between two steps: the context may just be made again, and then there are no cells to look at. */
  async #verifyAlone(): Promise<void> {
    const release = await this.#options.turn.take()
    try {
      this.#verify()
    } finally {
      release()
    }
  }

  #verify(): void {
    const { scheduler, runner } = this.#options
    if (!scheduler.isIdle || this.#closed) return
    scheduler.verify()
    for (let slot = 0; slot < scheduler.pool.shape.slots; slot++) {
      const [known, held] = [scheduler.pool.lengthOf(slot), runner.sequenceLength(slot)]
      if (known !== held) throw new Error(`slot ${slot} should hold ${known} tokens and holds ${held}`)
    }
  }

  async #saveCached(most: number): Promise<boolean> {
    const { scheduler, runner, tiers } = this.#options
    if (!tiers || scheduler.pool.saveCached(most) === 0) return false
    await runner.run({ operations: scheduler.pool.takeOperations(), runs: [], tokenCount: 0 })
    scheduler.pool.snapshots.unpinAll()
    tiers.settle()
    return true
  }
}

function beginsSequence({ runs, operations }: Batch): boolean {
  return runs.some((run) => run.start === 0) || operations.some((operation) => operation.type === 'load')
}
