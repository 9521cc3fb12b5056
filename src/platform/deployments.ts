/** All deployments of this server: started on demand, stopped when idle for long or when another needs the room. */
import type { Engine } from '../engine/engine.ts'
import type { Deployment, Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import { abortable } from './abortable.ts'
import { assertAdmissible } from './admission.ts'
import { DeploymentLives } from './deployment-lives.ts'
import type { LivesOptions } from './deployment-lives.ts'
import { ModelDeployment } from './deployment.ts'
import type { DeploymentWishes } from './deployment.ts'

export interface DeploymentsOptions extends LivesOptions {
  wishes: DeploymentWishes
  /** Seconds; -1 = for ever. */
  keepAlive: number
  maxWaiting: number
}

/** The right to use an engine. While it is held the deployment is busy. */
export interface Lease {
  engine: Engine
  model: Model
  /** Tokens; see ModelDeployment. */
  largestContext: number
  /** Idempotent. */
  release(): void
}

export interface AcquireOptions {
  signal?: AbortSignal | undefined
  /** Seconds; replaces the deployment's own from now on, unless it is pinned. */
  keepAlive?: number | undefined
}

export class Deployments {
  readonly #options: DeploymentsOptions
  readonly #all = new Map<string, ModelDeployment>()
  readonly #lives: DeploymentLives
  #closed = false

  constructor(options: DeploymentsOptions) {
    this.#options = options
    this.#lives = new DeploymentLives(options, () => [...this.#all.values()])
  }

  /** The one that `default` means. */
  get first(): Model | undefined {
    return this.#all.values().next().value?.model
  }

  get models(): Model[] {
    return [...this.#all.values()].map((deployment) => deployment.model)
  }

  get(name: string): ModelDeployment | undefined {
    return this.#all.get(name)
  }

  isReady(): boolean {
    return [...this.#all.values()].some((deployment) => deployment.state === 'ready')
  }

  /** Those that run, or tried to. */
  async list(): Promise<Deployment[]> {
    const shown = [...this.#all.values()].filter((deployment) => deployment.state !== 'stopped')
    return Promise.all(shown.map((deployment) => deployment.describe()))
  }

  /** Starts the model (again, when its settings differ) and waits until it is ready. */
  async start(model: Model, wishes: DeploymentWishes & AcquireOptions): Promise<Deployment> {
    const deployment = this.#deploymentOf(model)
    const { context = deployment.wishes.context, parallel = deployment.wishes.parallel } = wishes
    const differs = context !== deployment.wishes.context || parallel !== deployment.wishes.parallel
    if (differs && deployment.state !== 'stopped' && deployment.state !== 'failed') await this.#lives.stop(deployment)
    deployment.wishes = { ...(context === undefined ? {} : { context }), ...(parallel === undefined ? {} : { parallel }) }
    if (wishes.keepAlive !== undefined) deployment.isPinned = false
    const lease = await this.acquire(model, wishes)
    deployment.isPinned ||= wishes.keepAlive === -1
    lease.release()
    return deployment.describe()
  }

  /** Drains and stops; requests that still run after that end with `shutting-down`. */
  async stop(name: string): Promise<Deployment> {
    const deployment = this.#all.get(name)
    if (!deployment) throw new AppError('engine-unavailable', { model: name, reason: 'stopped' })
    deployment.isPinned = false
    await this.#lives.stop(deployment)
    return deployment.describe()
  }

  /** Forgets a deployment that does not run. Throws `model-in-use` when it does. */
  forget(name: string): void {
    const deployment = this.#all.get(name)
    if (!deployment) return
    const isAtRest = (deployment.state === 'stopped' || deployment.state === 'failed') && deployment.users === 0
    if (!isAtRest) throw new AppError('model-in-use', { model: name })
    this.#all.delete(name)
  }

  /** Throws `queue-full`, `shutting-down`, `cancelled`, or why the model could not be started. */
  async acquire(model: Model, { signal, keepAlive }: AcquireOptions = {}): Promise<Lease> {
    if (this.#closed) throw new AppError('shutting-down')
    const deployment = this.#deploymentOf(model)
    assertAdmissible({ users: deployment.users, parallel: deployment.engine?.info?.parallel ?? 1 }, this.#options.maxWaiting)
    this.#enter(deployment, keepAlive)
    const release = once(() => this.#leave(deployment))
    try {
      const engine = await this.#whenReady(deployment, signal)
      return { engine, model: deployment.model, largestContext: deployment.largestContext, release }
    } catch (error) {
      release()
      throw error
    }
  }

  async close(drainMs: number): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#all.values()].map((deployment) => this.#lives.stop(deployment, drainMs)))
  }

  #deploymentOf(model: Model): ModelDeployment {
    const known = this.#all.get(model.name)
    if (known) return known
    const { keepAlive, wishes, clock } = this.#options
    const deployment = new ModelDeployment({ model, keepAlive, now: clock.now() })
    deployment.wishes = wishes
    this.#all.set(model.name, deployment)
    return deployment
  }

  #enter(deployment: ModelDeployment, keepAlive: number | undefined): void {
    deployment.users += 1
    deployment.lastUsedAt = this.#options.clock.now()
    if (keepAlive !== undefined && !deployment.isPinned) deployment.keepAlive = keepAlive
    this.#lives.cancelExpiry(deployment)
  }

  #leave(deployment: ModelDeployment): void {
    deployment.users -= 1
    deployment.lastUsedAt = this.#options.clock.now()
    this.#lives.scheduleExpiry(deployment)
    deployment.changed()
  }

  async #whenReady(deployment: ModelDeployment, signal: AbortSignal | undefined): Promise<Engine> {
    deployment.waitingForStart += 1
    try {
      return await this.#readyEngine(deployment, signal)
    } finally {
      deployment.waitingForStart -= 1
    }
  }

  async #readyEngine(deployment: ModelDeployment, signal: AbortSignal | undefined): Promise<Engine> {
    for (;;) {
      if (signal?.aborted) throw new AppError('cancelled')
      if (this.#closed) throw new AppError('shutting-down')
      if (deployment.state === 'ready' && deployment.engine) return deployment.engine
      if (deployment.state === 'stopped' || deployment.state === 'failed') {
        await abortable(this.#lives.start(deployment), signal)
      } else if (deployment.starting) await abortable(deployment.starting, signal)
      else await deployment.nextChange(signal)
    }
  }
}

function once(action: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    action()
  }
}
