/** Downloads as jobs: many watchers of one, the same reference joined, cancelled without losing what has arrived. */
import type { Model, Pull } from '../shared/api.ts'
import { AppError, toWireError } from '../shared/errors.ts'

export type PullProgress = Partial<
  Pick<
    Pull,
    | 'state'
    | 'source'
    | 'file'
    | 'doneBytes'
    | 'totalBytes'
    | 'bytesPerSecond'
    | 'etaSeconds'
    | 'files'
    | 'connections'
    | 'notice'
    | 'choice'
  >
>

export interface PullWishes {
  /** Download again what is here. */
  force?: boolean | undefined
  include?: string[] | undefined
  exclude?: string[] | undefined
  /** Another folder of models. */
  to?: string | undefined
  /** Of this download alone, bytes a second. */
  limitRate?: number | undefined
  /** Tokens that one request shall have, where the quantisation is still to be chosen. */
  context?: number | undefined
}

export interface PullsOptions {
  /** The canonical text of a reference, and whether getting it needs the network. Throws `invalid-reference`. */
  parse(reference: string): { text: string; needsNetwork: boolean }
  pull(
    reference: string,
    options: Omit<PullWishes, 'force'> & { signal: AbortSignal; force: boolean; onProgress: (progress: PullProgress) => void },
  ): Promise<Model>
  offline: boolean
  createId: () => string
}

interface Job {
  pull: Pull
  wishes: PullWishes
  abort: AbortController
  /** Resolves at the next change. */
  wake: Set<() => void>
  settled: Promise<void>
}

/** Finished jobs that are remembered. */
const KEPT = 50

export class Pulls {
  readonly #options: PullsOptions
  readonly #jobs = new Map<string, Job>()

  constructor(options: PullsOptions) {
    this.#options = options
  }

  list(): Pull[] {
    return [...this.#jobs.values()].map((job) => job.pull)
  }

  /** Joins one of the same reference that is under way. Throws `invalid-reference`, `offline`. */
  start(reference: string, wishes: PullWishes = {}): Pull {
    const { text, needsNetwork } = this.#options.parse(reference)
    const running = [...this.#jobs.values()].find((job) => job.pull.reference === text && !isOver(job.pull))
    if (running?.pull.state === 'paused') {
      if (wishes.limitRate !== undefined) running.wishes = { ...running.wishes, limitRate: wishes.limitRate }
      return this.resume(running.pull.id)
    }
    if (running && wishes.limitRate !== undefined && wishes.limitRate !== running.wishes.limitRate)
      return this.#slowTo(running, wishes.limitRate)
    if (running) return running.pull
    if (needsNetwork && this.#options.offline) throw new AppError('offline', { what: text })
    return this.#begin(text, wishes)
  }

  /** Throws `not-found`. The current state at once, then each change; a slow watcher skips states but never the last. */
  async *watch(id: string, signal?: AbortSignal): AsyncGenerator<Pull, void, undefined> {
    const job = this.#find(id)
    let shown: Pull | undefined
    for (;;) {
      if (job.pull === shown) await nextChange(job, signal)
      if (signal?.aborted) return
      if (job.pull === shown) continue
      shown = job.pull
      yield shown
      if (isOver(shown)) return
    }
  }

  /** Throws `not-found`. */
  cancel(id: string): Pull {
    const job = this.#find(id)
    if (!isOver(job.pull)) {
      update(job, { state: 'cancelled', bytesPerSecond: 0 })
      job.abort.abort(new AppError('cancelled'))
    }
    return job.pull
  }

  /** The last one who names a speed is heard: it goes on from what has arrived, at that speed. */
  #slowTo(job: Job, limitRate: number): Pull {
    job.wishes = { ...job.wishes, limitRate }
    this.pause(job.pull.id)
    return this.resume(job.pull.id)
  }

  /** Throws `not-found`. What has arrived is kept; `resume` goes on with it. */
  pause(id: string): Pull {
    const job = this.#find(id)
    if (isOver(job.pull) || job.pull.state === 'paused') return job.pull
    update(job, { state: 'paused', bytesPerSecond: 0, connections: 0 })
    job.abort.abort(new AppError('cancelled'))
    return job.pull
  }

  /** Throws `not-found`. */
  resume(id: string): Pull {
    const job = this.#find(id)
    if (job.pull.state !== 'paused') return job.pull
    job.abort = new AbortController()
    update(job, { state: 'waiting' })
    job.settled = this.#run(job, job.settled)
    return job.pull
  }

  /** Cancels all and waits until their files are closed. */
  async close(): Promise<void> {
    for (const job of this.#jobs.values()) this.cancel(job.pull.id)
    await Promise.all([...this.#jobs.values()].map((job) => job.settled))
  }

  #begin(reference: string, wishes: PullWishes): Pull {
    const id = this.#options.createId()
    const pull: Pull = { id, reference, state: 'waiting', doneBytes: 0, totalBytes: 0, bytesPerSecond: 0 }
    const job: Job = { pull, wishes, abort: new AbortController(), wake: new Set(), settled: Promise.resolve() }
    this.#jobs.set(id, job)
    this.#forgetOld()
    const before = this.#settledOf(reference, job)
    job.settled = this.#run(job, before)
    return pull
  }

  async #run(job: Job, before: Promise<unknown>): Promise<void> {
    const { signal } = job.abort
    const { force = false, ...wishes } = job.wishes
    // A cancelled pull of the same reference, or this one before its pause, may still be closing its files.
    await before
    const isOurs = (): boolean => !isOver(job.pull) && !signal.aborted
    const onProgress = (progress: PullProgress): void => {
      if (isOurs()) update(job, progress)
    }
    try {
      if (signal.aborted) return
      const model = await this.#options.pull(job.pull.reference, { ...wishes, signal, force, onProgress })
      if (isOurs()) update(job, { state: 'done', bytesPerSecond: 0, model, doneBytes: job.pull.totalBytes || model.bytes })
    } catch (error) {
      if (isOurs()) update(job, { state: 'failed', bytesPerSecond: 0, error: toWireError(error) })
    }
  }

  #settledOf(reference: string, except: Job): Promise<unknown> {
    return Promise.all(
      [...this.#jobs.values()].filter((job) => job !== except && job.pull.reference === reference).map((job) => job.settled),
    )
  }

  #find(id: string): Job {
    const job = this.#jobs.get(id)
    if (!job) throw new AppError('not-found', { path: `/api/pulls/${id}` })
    return job
  }

  #forgetOld(): void {
    const over = [...this.#jobs.values()].filter((job) => isOver(job.pull))
    for (const job of over.slice(0, Math.max(0, over.length - KEPT))) this.#jobs.delete(job.pull.id)
  }
}

export function isOver(pull: Pull): boolean {
  return pull.state === 'done' || pull.state === 'failed' || pull.state === 'cancelled'
}

function update(job: Job, change: Partial<Pull>): void {
  const { notice: _, etaSeconds: __, ...pull } = job.pull
  job.pull = { ...pull, ...change }
  for (const wake of job.wake) wake()
}

function nextChange(job: Job, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      job.wake.delete(done)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    job.wake.add(done)
    signal?.addEventListener('abort', done, { once: true })
  })
}
