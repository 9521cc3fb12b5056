/** How deployments start, restart, make room for each other, stop, and end by being idle. */
import type { Logger } from '../base/logger.ts'
import type { Engine, EngineInfo, EngineSettings } from '../engine/engine.ts'
import type { Hardware, Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import { abortable } from './abortable.ts'
import type { Clock } from './clock.ts'
import type { ModelDeployment } from './deployment.ts'
import { MemoryBudget, makeRoom } from './make-room.ts'
import type { DeploymentPlan, PlanDeployment } from './make-room.ts'
import type { Holder } from './room.ts'

/** May load the engine's code first. */
export type CreateEngine = (model: Model, settings: EngineSettings) => Engine | Promise<Engine>

export interface LivesOptions {
  createEngine: CreateEngine
  plan: PlanDeployment
  probe: () => Promise<Hardware>
  /** Settings that the user fixed; they win over the plan's. */
  settings: EngineSettings
  /** How long a stop waits for running requests, ms. */
  drainMs: number
  clock: Clock
  logger: Logger
}

export class DeploymentLives {
  readonly #options: LivesOptions
  readonly #all: () => ModelDeployment[]
  readonly #budget = new MemoryBudget()
  #lastStart: Promise<unknown> = Promise.resolve()

  constructor(options: LivesOptions, all: () => ModelDeployment[]) {
    this.#options = options
    this.#all = all
  }

  /** Joins a start that is under way. The state must be stopped, failed or starting. */
  start(deployment: ModelDeployment): Promise<Engine> {
    if (deployment.starting) return deployment.starting
    deployment.apply('start')
    deployment.error = undefined
    deployment.startAbort = new AbortController()
    const before = this.#lastStart
    // One start at a time: two that measured the same free memory would both take it.
    const starting = before
      .then(() => this.#startNow(deployment))
      .finally(() => {
        deployment.starting = undefined
        deployment.startAbort = undefined
        deployment.changed()
      })
    deployment.starting = starting
    this.#lastStart = starting.catch(() => {})
    return starting
  }

  async #startNow(deployment: ModelDeployment): Promise<Engine> {
    const { logger } = this.#options
    const signal = deployment.startAbort?.signal
    try {
      if (signal?.aborted) throw new AppError('shutting-down')
      if (deployment.users === 0) throw new AppError('cancelled')
      const plan = await this.#makeRoom(deployment)
      if (signal?.aborted) throw new AppError('shutting-down')
      const engine = await this.#createEngine(deployment, plan)
      const info = await abortable(engine.start(signal), signal)
      deployment.bytes = measuredBytes(plan, info)
      deployment.startedAt = this.#options.clock.now()
      if (deployment.state === 'starting') deployment.apply('started')
      logger.info('model ready', {
        model: deployment.model.name,
        kernel: info.kernel,
        context: info.context,
        loadMs: Math.round(info.loadMs),
      })
      this.scheduleExpiry(deployment)
      return engine
    } catch (error) {
      await this.#discardEngine(deployment)
      if (deployment.state === 'starting') deployment.fail(error)
      // Nobody waited any more: that is no failure to show.
      if (deployment.state === 'failed' && error instanceof AppError && error.code === 'cancelled') deployment.apply('stopped')
      throw signal?.aborted ? new AppError('shutting-down') : error
    }
  }

  async #createEngine(deployment: ModelDeployment, plan: DeploymentPlan): Promise<Engine> {
    deployment.bytes = plan.hostBytes
    deployment.largestContext = plan.largestContext ?? 0
    const settings = { ...plan.settings, ...defined(this.#options.settings) }
    const engine = await this.#options.createEngine(deployment.model, settings)
    deployment.engine = engine
    engine.onStateChange((state) => this.#onEngineState(deployment, engine, state))
    return engine
  }

  /** The engine restarts by itself after a crash; here that is only mirrored, until it gives up. */
  #onEngineState(deployment: ModelDeployment, engine: Engine, state: Engine['state']): void {
    if (deployment.engine !== engine || deployment.starting) return
    if (state === 'starting' && deployment.state === 'ready') deployment.apply('restarting')
    if (state === 'ready' && deployment.state === 'starting') {
      deployment.apply('started')
      this.scheduleExpiry(deployment)
    }
    if (state === 'failed' && (deployment.state === 'ready' || deployment.state === 'starting')) {
      this.cancelExpiry(deployment)
      deployment.fail(new AppError('engine-unavailable', { model: deployment.model.name, reason: 'it crashed again and again' }))
      void this.#discardEngine(deployment)
    }
  }

  #makeRoom(deployment: ModelDeployment): Promise<DeploymentPlan> {
    const others = (): (Holder & { deployment: ModelDeployment })[] =>
      this.#all()
        .filter((other) => other !== deployment && other.holdsMemory)
        .map((other) => ({
          deployment: other,
          bytes: other.bytes,
          lastUsedAt: other.lastUsedAt,
          get isIdle() {
            return other.isIdle
          },
          isPinned: other.isPinned,
        }))
    return makeRoom(deployment.model, deployment.wishes, this.#budget, {
      probe: this.#options.probe,
      plan: this.#options.plan,
      holders: others,
      evict: async (holder) => {
        this.#options.logger.info('stopping an idle model to make room', {
          model: holder.deployment.model.name,
          for: deployment.model.name,
        })
        await this.stop(holder.deployment)
      },
      version: () => this.#all().reduce((sum, other) => sum + other.changes, 0),
      holderChange: () =>
        this.#holderChange(
          deployment,
          others().map((holder) => holder.deployment),
        ),
    })
  }

  async #holderChange(deployment: ModelDeployment, holders: readonly ModelDeployment[]): Promise<void> {
    const done = new AbortController()
    const settled = deployment.startAbort ? AbortSignal.any([deployment.startAbort.signal, done.signal]) : done.signal
    const ignore = (): void => {}
    try {
      const changes = holders.map((holder) => holder.nextChange(settled))
      const own = deployment.nextChange(settled)
      for (const change of [...changes, own]) change.catch(ignore)
      await Promise.race([...changes, own])
    } finally {
      done.abort()
    }
    if (deployment.users === 0) throw new AppError('cancelled')
  }

  /** Drains and stops; joins a stop that is under way. */
  stop(deployment: ModelDeployment, drainMs = this.#options.drainMs): Promise<void> {
    deployment.stopping ??= this.#stopNow(deployment, drainMs).finally(() => {
      deployment.stopping = undefined
      deployment.changed()
    })
    return deployment.stopping
  }

  async #stopNow(deployment: ModelDeployment, drainMs: number): Promise<void> {
    this.cancelExpiry(deployment)
    if (deployment.state === 'stopped') return
    if (deployment.state === 'failed') return deployment.apply('stopped')
    deployment.apply('drain')
    deployment.startAbort?.abort()
    await deployment.starting?.catch(() => {})
    await this.#discardEngine(deployment, drainMs)
    deployment.startedAt = undefined
    deployment.apply('stopped')
  }

  async #discardEngine(deployment: ModelDeployment, drainMs = 0): Promise<void> {
    const engine = deployment.engine
    try {
      await engine?.stop(drainMs)
    } catch (error) {
      this.#options.logger.error('an engine did not stop cleanly', { model: deployment.model.name, error })
    } finally {
      if (deployment.engine === engine) deployment.engine = undefined
      if (!deployment.engine) deployment.bytes = 0
    }
  }

  /** Counts the idle time from now on. */
  scheduleExpiry(deployment: ModelDeployment): void {
    this.cancelExpiry(deployment)
    if (!deployment.isIdle || deployment.keepAlive < 0) return
    const ms = deployment.keepAlive * 1000
    deployment.expiresAt = this.#options.clock.now() + ms
    deployment.cancelExpiry = this.#options.clock.timer(ms, () => {
      if (deployment.isIdle) void this.stop(deployment)
    })
  }

  cancelExpiry(deployment: ModelDeployment): void {
    deployment.cancelExpiry?.()
    deployment.cancelExpiry = undefined
    deployment.expiresAt = undefined
  }
}

/** The plan's bytes, or more when the engine turned out to hold more. */
function measuredBytes(plan: DeploymentPlan, { memory }: EngineInfo): number {
  const isOnHost = plan.hostBytes >= plan.memory.total
  return isOnHost ? Math.max(plan.hostBytes, memory.weights + memory.kv + memory.compute) : plan.hostBytes
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Partial<T>
}
