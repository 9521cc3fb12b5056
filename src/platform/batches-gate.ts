/** How many lines of all batches run at the same time, and when: people who wait come first. */
import type { Clock } from './clock.ts'
import { abortable } from './abortable.ts'
import { deferred, type Deferred } from '../base/async.ts'

export interface GateOptions {
  /** Lines at the same time. */
  parallel: number
  /** Somebody else is waiting for an engine. */
  isBusy(): Promise<boolean>
  clock: Clock
}

/** How often we look whether the others still wait, and how long we give way at most, ms: a batch never stands still. */
const LOOK_MS = 200
const GIVE_WAY_MS = 30_000

export class BatchGate {
  readonly #options: GateOptions
  #free: number
  /** The first that came is the first that goes, so that batches take turns. */
  readonly #queue: Deferred<void>[] = []

  constructor(options: GateOptions) {
    this.#options = options
    this.#free = options.parallel
  }

  /** Runs `work` when there is room. Throws the signal's reason when it is aborted first. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(signal)
    try {
      await this.#giveWay(signal)
      return await work()
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

  async #giveWay(signal: AbortSignal): Promise<void> {
    const { clock, isBusy } = this.#options
    const until = clock.now() + GIVE_WAY_MS
    while (clock.now() < until && (await isBusy())) await sleep(clock, LOOK_MS, signal)
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
