/** The life of one model on one engine: its state, who uses it, and what it holds. */
import type { Engine } from '../engine/engine.ts'
import type { Deployment, DeploymentState, Model } from '../shared/api.ts'
import { AppError, toWireError } from '../shared/errors.ts'
import type { WireError } from '../shared/generate.ts'
import { nextState } from './deployment-state.ts'
import type { DeploymentEvent } from './deployment-state.ts'

export interface DeploymentWishes {
  context?: number
  parallel?: number
}

export class ModelDeployment {
  readonly model: Model
  wishes: DeploymentWishes = {}
  /** Seconds that it stays when idle; -1 = for ever. */
  keepAlive: number
  /** The user asked for it to stay; requests do not change that, and it makes room last. */
  isPinned = false
  engine: Engine | undefined
  /** Requests that hold it: running, or waiting for its start. */
  users = 0
  /** How many of the users wait for a start. */
  waitingForStart = 0
  /** Grows with every change. */
  changes = 0
  /** Tokens that one request could have if the model were started again for it; from the last plan. */
  largestContext = 0
  /** Memory it holds or has reserved. */
  bytes = 0
  lastUsedAt: number
  startedAt: number | undefined
  expiresAt: number | undefined
  error: WireError | undefined
  /** Set while a start is under way, shared by all who wait for it. */
  starting: Promise<Engine> | undefined
  stopping: Promise<void> | undefined
  startAbort: AbortController | undefined
  cancelExpiry: (() => void) | undefined
  readonly #listeners = new Set<() => void>()
  #state: DeploymentState = 'stopped'

  constructor(options: { model: Model; keepAlive: number; now: number }) {
    this.model = options.model
    this.keepAlive = options.keepAlive
    this.lastUsedAt = options.now
  }

  get state(): DeploymentState {
    return this.#state
  }

  /** Nobody uses it, and it could be stopped this moment. */
  get isIdle(): boolean {
    return this.#state === 'ready' && this.users === 0
  }

  /** It has, or is about to have, memory. */
  get holdsMemory(): boolean {
    return this.bytes > 0
  }

  /** Throws (a bug of ours) when the event cannot happen in this state. */
  apply(event: DeploymentEvent): void {
    const next = nextState(this.#state, event)
    if (!next) throw new Error(`deployment ${this.model.name}: "${event}" cannot happen while ${this.#state}`)
    this.#state = next
    this.changed()
  }

  fail(error: unknown): void {
    this.error = toWireError(error)
    this.apply('fail')
  }

  /** Resolves at the next change of state or of users. */
  nextChange(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new AppError('cancelled'))
      const done = (): void => {
        this.#listeners.delete(done)
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = (): void => {
        this.#listeners.delete(done)
        reject(new AppError('cancelled'))
      }
      this.#listeners.add(done)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  changed(): void {
    this.changes += 1
    for (const listener of this.#listeners) listener()
  }

  /** As the API shows it. Running and waiting come from the engine when it answers. */
  async describe(): Promise<Deployment> {
    const stats = this.#state === 'ready' && this.engine ? await this.engine.stats().catch(() => undefined) : undefined
    const running = stats?.running ?? Math.max(0, this.users - this.waitingForStart)
    return {
      model: this.model.name,
      engine: this.engine?.kind ?? 'llama',
      state: this.#state,
      ...(this.#state === 'failed' && this.error ? { error: this.error } : {}),
      ...(this.engine?.pid === undefined ? {} : { pid: this.engine.pid }),
      ...(this.startedAt === undefined ? {} : { startedAt: this.startedAt }),
      lastUsedAt: this.lastUsedAt,
      ...(this.expiresAt === undefined ? {} : { expiresAt: this.expiresAt }),
      ...(this.engine?.info ? { info: describeInfo(this.engine.info) } : {}),
      running,
      waiting: stats?.waiting ?? this.waitingForStart,
    }
  }
}

function describeInfo(info: NonNullable<Engine['info']>): NonNullable<Deployment['info']> {
  return {
    ...(info.kernel === undefined ? {} : { kernel: info.kernel }),
    context: info.context,
    largestContext: info.largestContext,
    parallel: info.parallel,
    ...(info.kvLayout === undefined ? {} : { kvLayout: info.kvLayout }),
    memory: { weights: Math.round(info.memory.weights), kv: Math.round(info.memory.kv), compute: Math.round(info.memory.compute) },
    loadMs: info.loadMs,
  }
}
