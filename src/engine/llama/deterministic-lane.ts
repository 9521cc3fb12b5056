/**
 * The lane of deterministic requests: a context of its own for one sequence at a time, so that the sums never depend on neighbours, nor on
 * what was cached. When an answer needs a longer window, the context is made again, and what was computed is carried over as it is: to compute
 * it again would make other cuts.
 */
import { deferred } from '../../base/async.ts'
import type { Deferred } from '../../base/async.ts'
import type { KvShape } from './kv-pool.ts'
import type { Lane } from './lane.ts'
import type { LlamaRunner, RunnerOptions } from './runner.ts'
import { SnapshotStore } from './snapshot-store.ts'
import { SplitPool } from './split-pool.ts'

interface Wish {
  window: number
  granted: Deferred<void>
}

export interface DeterministicLaneOptions {
  window: number
  /** Tokens that a window could have here. */
  largest: number
  runner: LlamaRunner
  /** What a sequence has computed can be carried over to a context of another shape. */
  isPortable: boolean
  runnerOptions(shape: KvShape): RunnerOptions
  /** Makes the lane over a pool; `beforeSchedule` is called between its steps. */
  createLane(pool: SplitPool, beforeSchedule: () => Promise<void>): Lane
}

/** A window made again is this much longer than what is needed now. */
const GROWTH = 1.5

export class DeterministicLane {
  readonly lane: Lane
  readonly #options: DeterministicLaneOptions
  /** What is carried over; nothing else is ever saved here. */
  readonly #snapshots = new SnapshotStore({ memoryLimit: Number.POSITIVE_INFINITY, bytesPerToken: 1 })
  #window: number
  #wishes: Wish[] = []
  /** A longer one could not be made. */
  #isLargest = false

  constructor(options: DeterministicLaneOptions) {
    this.#options = options
    this.#window = options.window
    this.lane = options.createLane(this.#poolOf(options.window), () => this.#grow())
  }

  /** Resolves when its window is at least so long; rejects when the context cannot be made. */
  async widen(window: number): Promise<void> {
    if (window <= this.#window) return
    const granted = deferred<void>()
    this.#wishes.push({ window, granted })
    // Wakes the lane, which may have nothing to do.
    await this.lane.between(async () => {})
    await granted.promise
  }

  async #grow(): Promise<void> {
    const { scheduler } = this.lane
    const { largest, isPortable } = this.#options
    if (scheduler.waitingCount === 0) this.#dropSaved()
    const isRunning = scheduler.runningCount > 0
    const isFull = isPortable && !this.#isLargest && this.#window < largest && scheduler.windowNeeded > this.#window
    if (isFull || (this.#wishes.length > 0 && !isRunning)) await this.#growTo(Math.min(largest, Math.ceil(scheduler.windowNeeded * GROWTH)))
  }

  async #growTo(enough: number): Promise<void> {
    const { runner, runnerOptions } = this.#options
    const { scheduler } = this.lane
    const wishes = this.#wishes.splice(0)
    const window = Math.max(this.#window, enough, ...wishes.map((wish) => wish.window))
    try {
      await runner.run(scheduler.suspendAll())
      scheduler.pool.snapshots.unpinAll()
      await runner.reshape(runnerOptions(deterministicShape(window)))
      this.#window = window
      for (const { granted } of wishes) granted.resolve()
    } catch (error) {
      this.#isLargest = true
      for (const { granted } of wishes) granted.reject(error)
    }
    // Its context is empty now, also when the old one had to be made again.
    scheduler.replacePool(this.#poolOf(this.#window))
  }

  #dropSaved(): void {
    for (const { key } of this.#snapshots.all) {
      this.#options.runner.dropBlob(key)
      this.#snapshots.remove(key)
    }
  }

  #poolOf(window: number): SplitPool {
    return new SplitPool(deterministicShape(window), this.#snapshots, { sharing: false })
  }
}

export function deterministicShape(window: number): KvShape {
  return { layout: 'split', parallel: 1, slots: 1, window, cells: window }
}
