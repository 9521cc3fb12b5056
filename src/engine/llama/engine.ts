/** The embedded engine as the platform sees it: one worker process, restarted when it dies, and the requests that it serves. */
import { deferred, delay } from '../../base/async.ts'
import type { Deferred } from '../../base/async.ts'
import type { Logger } from '../../base/logger.ts'
import { AppError, toWireError } from '../../shared/errors.ts'
import type {
  EmbedRequest,
  EmbedResult,
  GenerateEvent,
  GenerateRequest,
  Prompt,
  RerankRequest,
  RerankResult,
} from '../../shared/generate.ts'
import type { Engine, EngineInfo, EngineSettings, EngineState, EngineStats } from '../engine.ts'
import { EngineLog } from './engine-log.ts'
import { chooseKernel } from './kernels.ts'
import { LiveRequest } from './live-request.ts'
import type { LoadedModel } from './messages.ts'
import { sumNativeMemory } from './native-log.ts'
import { findNativePackage } from './native-package.ts'
import { prepareRequest } from './prepare-request.ts'
import { PromptRenderer } from './prompt-renderer.ts'
import { workerOptions } from './worker-options.ts'
import { startWorker } from './worker-process.ts'
import type { WorkerProcess } from './worker-process.ts'

export { dryRun } from './dry-run.ts'
export type { DryRunMemory, DryRunModel, DryRunWishes } from './dry-run.ts'
export { chooseKernel } from './kernels.ts'
export { findNativePackage } from './native-package.ts'

export interface LlamaEngineOptions {
  /** For messages. */
  model: string
  file: string
  settings: EngineSettings
  /** Native logs go there. */
  logFile: string
  /** Third tier of the prefix cache. */
  kvCacheFolder: string
  /** Kernel probe results. */
  cacheFolder: string
  logger: Logger
  /** Variables of the worker process. */
  environment: Readonly<Record<string, string | undefined>>
}

/** Deaths within CRASH_WINDOW_MS after which it gives up. */
const MAX_CRASHES = 5
const CRASH_WINDOW_MS = 60_000
const FIRST_BACK_OFF_MS = 100
const LONGEST_BACK_OFF_MS = 5_000
/** A request that saw this many workers die is not given to another. */
const MAX_SENDS = 2
/** What the worker may take to write its cache down when it is stopped. */
const PERSIST_LIMIT_MS = 3_000

export function createLlamaEngine(options: LlamaEngineOptions): Engine {
  return new LlamaEngine(options)
}

class LlamaEngine implements Engine {
  readonly kind = 'llama' as const
  readonly #options: LlamaEngineOptions
  readonly #live = new Map<number, LiveRequest>()
  readonly #listeners = new Set<(state: EngineState) => void>()
  #state: EngineState = 'stopped'
  #info: EngineInfo | undefined
  #model: LoadedModel | undefined
  #worker: WorkerProcess | undefined
  #renderer: PromptRenderer | undefined
  readonly #log: EngineLog
  #crashes: number[] = []
  #nextId = 1
  /** Resolved when the state leaves `starting` after a crash. */
  #restarted: Deferred<void> | undefined
  #stopping: Promise<void> | undefined

  constructor(options: LlamaEngineOptions) {
    this.#options = options
    this.#log = new EngineLog(options.logFile)
  }

  get state(): EngineState {
    return this.#state
  }

  get info(): EngineInfo | undefined {
    return this.#info
  }

  get pid(): number | undefined {
    return this.#worker?.pid
  }

  onStateChange(listener: (state: EngineState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async start(signal?: AbortSignal): Promise<EngineInfo> {
    if (this.#state !== 'stopped' && this.#state !== 'failed') throw new Error(`start() in state ${this.#state}`)
    this.#stopping = undefined
    this.#crashes = []
    this.#setState('starting')
    const abort = (): void => this.#worker?.kill()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      signal?.throwIfAborted()
      return await this.#launch()
    } catch (error) {
      this.#setState('failed')
      if (signal?.aborted) throw new AppError('cancelled')
      throw await this.#log.startError(error, this.#options.model)
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  async *generate(request: GenerateRequest, signal?: AbortSignal): AsyncIterable<GenerateEvent> {
    const live = await this.#open(request, signal).catch((error: unknown) => error)
    if (!(live instanceof LiveRequest)) return yield { type: 'error', error: toWireError(live) }
    const cancel = (): void => this.#cancel(live)
    signal?.addEventListener('abort', cancel, { once: true })
    if (signal?.aborted) cancel()
    try {
      yield* live.events
    } finally {
      signal?.removeEventListener('abort', cancel)
      this.#cancel(live)
    }
  }

  async embed(request: EmbedRequest, signal?: AbortSignal): Promise<EmbedResult> {
    signal?.throwIfAborted()
    const result = (await (await this.#ready()).ask({ type: 'embed', inputs: request.inputs }, signal)) as EmbedResult
    return request.normalize ? { ...result, vectors: result.vectors.map(unitLength) } : result
  }

  async tokenize(prompt: Prompt): Promise<number[]> {
    const worker = await this.#ready()
    const { text } = await this.#rendererOf().render(prompt)
    return (await worker.ask({ type: 'tokenize', prompt: text })) as number[]
  }

  async render(prompt: Prompt): Promise<string> {
    const worker = await this.#ready()
    const { text } = await this.#rendererOf().render(prompt)
    if (text.type === 'text') return text.text
    return this.detokenize((await worker.ask({ type: 'tokenize', prompt: text })) as number[])
  }

  async closeThought(requestId: string): Promise<boolean> {
    const live = [...this.#live.values()].find((each) => each.requestId === requestId && !each.ended)
    if (!live || !this.#worker || this.#state !== 'ready') return false
    return (await this.#worker.ask({ type: 'close-thought', generation: live.command.id })) as boolean
  }

  async rerank(request: RerankRequest, signal?: AbortSignal): Promise<RerankResult> {
    signal?.throwIfAborted()
    const { query, documents } = request
    return (await (await this.#ready()).ask({ type: 'rerank', query, documents }, signal)) as RerankResult
  }

  async detokenize(tokens: readonly number[]): Promise<string> {
    return (await (await this.#ready()).ask({ type: 'detokenize', tokens: [...tokens] })) as string
  }

  async stats(): Promise<EngineStats> {
    return (await (await this.#ready()).ask({ type: 'stats' })) as EngineStats
  }

  stop(drainMs: number = 0): Promise<void> {
    if (this.#state === 'stopped' || this.#state === 'failed') return this.#stopping ?? Promise.resolve()
    return (this.#stopping ??= this.#drain(drainMs))
  }

  // ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #open(request: GenerateRequest, signal: AbortSignal | undefined): Promise<LiveRequest> {
    const worker = await this.#ready()
    const { command, ...rest } = await prepareRequest(request, {
      renderer: this.#rendererOf(),
      window: this.#info?.largestContext ?? 0,
      countTokens: async (prompt) => ((await worker.ask({ type: 'tokenize', prompt })) as number[]).length,
    })
    if (signal?.aborted) throw new AppError('cancelled')
    const id = this.#nextId++
    const endChoice = (choice: number): void => this.#worker?.send({ type: 'end-choice', id, choice })
    const live = new LiveRequest({ ...rest, requestId: request.id, command: { ...command, id }, endChoice })
    this.#live.set(id, live)
    if (this.#state === 'ready') this.#send(live)
    return live
  }

  #send(live: LiveRequest): void {
    live.sent++
    this.#worker?.send(live.command)
  }

  #cancel(live: LiveRequest): void {
    if (!this.#live.delete(live.command.id) || live.ended) return
    this.#worker?.send({ type: 'cancel', id: live.command.id })
    live.fail(new AppError('cancelled'))
  }

  /** The worker, when it can be asked; waits while it is being restarted. */
  async #ready(): Promise<WorkerProcess> {
    while (this.#state === 'starting' && this.#restarted) await this.#restarted.promise
    if (this.#state === 'draining') throw new AppError('shutting-down')
    if (this.#state !== 'ready' || !this.#worker)
      throw new AppError('engine-unavailable', { model: this.#options.model, reason: this.#state })
    return this.#worker
  }

  #rendererOf(): PromptRenderer {
    const { model, logger } = this.#options
    this.#renderer ??= new PromptRenderer({ name: model, model: () => this.#model, logger })
    return this.#renderer
  }

  // ── the worker's life ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #launch(): Promise<EngineInfo> {
    const { settings, logFile, cacheFolder, logger, environment } = this.#options
    const nativePackage = findNativePackage()
    const kernel = await chooseKernel({ nativePackage, cacheFile: `${cacheFolder}/kernel.json`, override: settings.kernel, logger })
    await this.#log.begin()
    const worker: WorkerProcess = startWorker(
      { logFile, environment },
      {
        onEvent: (id, event) => this.#live.get(id)?.take(event),
        onResized: (context, kvLayout) => this.#info && (this.#info = { ...this.#info, context, kvLayout }),
        onExit: (reason) => this.#onExit(worker, reason),
      },
    )
    this.#worker = worker
    const model = await worker.load(workerOptions(this.#options, kernel.variant))
    this.#model = model
    this.#info = await this.#describe(model)
    this.#setState('ready')
    for (const live of this.#live.values()) this.#send(live)
    return this.#info
  }

  async #describe(model: LoadedModel): Promise<EngineInfo> {
    const { kernel, architecture, context, largestContext, trainedContext, parallel, kvLayout, vocabularySize, canEmbed, loadMs } = model
    return {
      kind: this.kind,
      kernel,
      architecture,
      context,
      largestContext,
      trainedContext,
      parallel,
      kvLayout,
      kvType: this.#options.settings.kvType ?? 'f16',
      vocabularySize,
      hasChatTemplate: model.chatTemplate !== undefined,
      canEmbed,
      memory: sumNativeMemory(await this.#log.read()),
      loadMs,
    }
  }

  #onExit(worker: WorkerProcess, reason: string): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    if (this.#state !== 'ready') return
    this.#options.logger.warn('the engine ended unexpectedly', { model: this.#options.model, reason })
    for (const [id, live] of this.#live) {
      if (!live.started && live.sent < MAX_SENDS) continue
      this.#live.delete(id)
      live.fail(new AppError('engine-crashed', { model: this.#options.model, reason }))
    }
    void this.#restart()
  }

  /** Back-off doubles with each death within the window; too many, and it gives up. */
  async #restart(): Promise<void> {
    this.#restarted = deferred()
    this.#setState('starting')
    try {
      while (this.#state === 'starting') {
        const crashes = this.#countCrash()
        if (crashes > MAX_CRASHES) return this.#giveUp()
        await delay(Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** (crashes - 1)))
        if (this.#state !== 'starting') return
        const started = await this.#launch().catch((error: unknown) => {
          this.#options.logger.error('the engine did not start again', { model: this.#options.model, error })
        })
        if (started) return
      }
    } finally {
      this.#restarted.resolve()
      this.#restarted = undefined
    }
  }

  #countCrash(): number {
    const now = Date.now()
    this.#crashes = [...this.#crashes.filter((time) => now - time < CRASH_WINDOW_MS), now]
    return this.#crashes.length
  }

  #giveUp(): void {
    this.#failAll(
      new AppError('engine-unavailable', { model: this.#options.model, reason: `it ended ${MAX_CRASHES} times within a minute` }),
    )
    this.#setState('failed')
  }

  async #drain(drainMs: number): Promise<void> {
    this.#setState('draining')
    const limit = Date.now() + drainMs
    while (this.#live.size > 0 && [...this.#live.values()].some((live) => !live.ended) && Date.now() < limit) await delay(20)
    this.#failAll(new AppError('shutting-down'))
    await this.#worker?.stop(PERSIST_LIMIT_MS)
    await this.#renderer?.close()
    this.#worker = undefined
    this.#renderer = undefined
    this.#info = undefined
    this.#setState('stopped')
  }

  #failAll(error: AppError): void {
    for (const live of this.#live.values()) live.fail(error)
    this.#live.clear()
  }

  #setState(state: EngineState): void {
    if (this.#state === state) return
    this.#state = state
    for (const listener of this.#listeners) listener(state)
  }
}

/** Euclidean norm 1; a zero vector stays. */
function unitLength(vector: Float32Array): Float32Array {
  const norm = Math.hypot(...vector)
  return norm === 0 ? vector : vector.map((value) => value / norm)
}
