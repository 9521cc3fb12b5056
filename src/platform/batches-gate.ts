/** How many lines of all batches run at the same time, and when: people who wait come first. */
import type { Clock } from './clock.ts'
import { abortable } from './abortable.ts'
import { deferred, type Deferred } from '../base/async.ts'

/** Of all engines together: there is room for one more request, every place is taken, or somebody waits for one already. */
export type EngineLoad = 'free' | 'full' | 'waiting'

export interface GateOptions {
  /** Lines at the same time. */
  parallel: number
  load(): Promise<EngineLoad>
  clock: Clock
}

/** How often we look whether there is room, and how long we give way at most, ms: a batch never stands still. */
const LOOK_MS = 200
const GIVE_WAY_MS = 30_000

export class BatchGate {
  readonly #options: GateOptions
  #free: number
  /** The first that came is the first that goes, so that batches take turns. */
  readonly #queue: Deferred<void>[] = []
  /** Lines that really run. */
  #running = 0
  #lastEnd = 0

  constructor(options: GateOptions) {
    this.#options = options
    this.#free = options.parallel
  }

  /** Runs `work` when there is room. Throws `cancelled` (or the signal's reason) when it is aborted first. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(signal)
    try {
      await this.#start(signal)
      return await this.#ended(work)
    } finally {
      this.#leave()
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#free > 0) {
      this.#free -= 1
      return
    }
    const turn = deferred<void>()
    this.#queue.push(turn)
    try {
      await abortable(turn.promise, signal)
    } catch (error) {
      const index = this.#queue.indexOf(turn)
      // Its turn came at the very moment of the abort: it goes to the next.
      if (index < 0) this.#leave()
      else this.#queue.splice(index, 1)
      throw error
    }
  }

  #leave(): void {
    const next = this.#queue.shift()
    if (next) next.resolve()
    else this.#free += 1
  }

  async #ended<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } finally {
      this.#running -= 1
      this.#lastEnd = this.#options.clock.now()
    }
  }

  /**
   * A line never stands in the engine's queue, where it would be before people who come later: it starts when a place is free. When none gets free,
   * one line goes all the same after a while, and only one: as long as people wait, a batch has at most one line running.
   */
  async #start(signal: AbortSignal): Promise<void> {
    const { clock, load } = this.#options
    const since = clock.now()
    const isOverdue = (): boolean => this.#running === 0 && clock.now() >= Math.max(since, this.#lastEnd) + GIVE_WAY_MS
    while (!isOverdue() && (await load()) !== 'free') await sleep(clock, LOOK_MS, signal)
    // At once, so that of several that are overdue only one goes.
    this.#running += 1
  }
}

/** Throws the signal's reason when it is aborted first. */
export async function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const over = deferred<void>()
  const cancel = clock.timer(ms, () => over.resolve())
  try {
    await abortable(over.promise, signal)
  } finally {
    cancel()
  }
}
