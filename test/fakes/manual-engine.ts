/** An engine that does nothing by itself: tests say when it starts, speaks, crashes and stops. Counts what must never happen. */
import type { Engine, EngineInfo, EngineState, EngineStats } from '../../src/engine/engine.ts'
import { AsyncQueue, deferred } from '../../src/base/async.ts'
import type { Deferred } from '../../src/base/async.ts'
import { AppError, toWireError } from '../../src/shared/errors.ts'
import type { GenerateEvent } from '../../src/shared/generate.ts'

const USAGE = { promptTokens: 3, cachedTokens: 1, completionTokens: 2, reasoningTokens: 0 }
const TIMINGS = { queuedMs: 0, promptMs: 10, promptTokens: 2, decodeMs: 20, decodeTokens: 2, draftedTokens: 0, acceptedTokens: 0 }

export interface ManualEngineOptions {
  weightBytes?: number
  parallel?: number
  /** Ready at once instead of when `finishStart` is called. */
  startsAtOnce?: boolean
}

interface RunningRequest {
  queue: AsyncQueue<GenerateEvent>
}

export class ManualEngine implements Engine {
  readonly kind = 'scripted' as const
  state: EngineState = 'stopped'
  info: EngineInfo | undefined
  /** Requests that had not ended when `stop` was called. */
  runningAtStop: number | undefined
  stops = 0
  readonly requests = new Set<RunningRequest>()
  readonly #listeners = new Set<(state: EngineState) => void>()
  readonly #options: ManualEngineOptions
  #start: Deferred<EngineInfo> | undefined

  constructor(options: ManualEngineOptions = {}) {
    this.#options = options
  }

  async start(signal?: AbortSignal): Promise<EngineInfo> {
    this.#setState('starting')
    this.#start = deferred()
    signal?.addEventListener('abort', () => this.failStart(new AppError('cancelled')), { once: true })
    if (this.#options.startsAtOnce) this.finishStart()
    return this.#start.promise
  }

  finishStart(): void {
    const { weightBytes = 100, parallel = 2 } = this.#options
    this.info = {
      kind: 'scripted',
      architecture: 'test',
      context: 1024,
      largestContext: 2048,
      trainedContext: 2048,
      parallel,
      vocabularySize: 10,
      hasChatTemplate: true,
      canEmbed: true,
      memory: { weights: weightBytes, kv: 0, compute: 0 },
      loadMs: 5,
    }
    this.#setState('ready')
    this.#start?.resolve(this.info)
  }

  failStart(error: unknown): void {
    if (this.state !== 'starting') return
    this.#setState('failed')
    this.#start?.reject(error)
  }

  async *generate(_request: unknown, signal?: AbortSignal): AsyncGenerator<GenerateEvent, void, undefined> {
    const request = { queue: new AsyncQueue<GenerateEvent>() }
    this.requests.add(request)
    const onAbort = (): void => this.#endWith(request, new AppError('cancelled'))
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      yield* request.queue
    } finally {
      this.requests.delete(request)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** The oldest request gets a text and ends. */
  finishOne(): void {
    const [request] = this.requests
    if (!request) return
    request.queue.push({ type: 'text-delta', choice: 0, text: 'hello' })
    request.queue.push({ type: 'choice-end', choice: 0, reason: 'stop' })
    request.queue.push({ type: 'finish', usage: USAGE, timings: TIMINGS })
    request.queue.end()
    this.requests.delete(request)
  }

  /** The process dies: what runs ends with an error. It comes back with `recover`, or gives up with `giveUp`. */
  crash(): void {
    if (this.state !== 'ready') return
    for (const request of this.requests) this.#endWith(request, new AppError('engine-crashed', { model: 'm', reason: 'killed' }))
    this.#setState('starting')
  }

  recover(): void {
    if (this.info && this.state === 'starting') this.#setState('ready')
  }

  giveUp(): void {
    if (this.info && this.state === 'starting') this.#setState('failed')
  }

  async embed(): Promise<{ vectors: Float32Array[]; dimensions: number; promptTokens: number }> {
    return { vectors: [new Float32Array([1, 0])], dimensions: 2, promptTokens: 1 }
  }

  async tokenize(): Promise<number[]> {
    return [1, 2, 3]
  }

  async detokenize(): Promise<string> {
    return 'abc'
  }

  async render(): Promise<string> {
    return 'abc'
  }

  /** Ids that were asked for. */
  readonly closedThoughts: string[] = []

  async closeThought(requestId: string): Promise<boolean> {
    this.closedThoughts.push(requestId)
    return true
  }

  async rerank(): Promise<{ scores: number[]; promptTokens: number }> {
    return { scores: [1], promptTokens: 1 }
  }

  async stats(): Promise<EngineStats> {
    return {
      running: this.requests.size,
      waiting: 0,
      cells: { running: 0, cached: 0, free: 0, total: 0 },
      cache: { memoryBytes: 0, diskBytes: 0, hitTokens: 0, computedTokens: 0 },
      tokens: { prompt: 0, generated: 0, drafted: 0, accepted: 0 },
      step: { count: 0, ms: 0, overheadMs: 0 },
    }
  }

  async stop(): Promise<void> {
    this.stops += 1
    this.runningAtStop ??= this.requests.size
    for (const request of this.requests) this.#endWith(request, new AppError('shutting-down'))
    this.failStart(new AppError('shutting-down'))
    if (this.state !== 'stopped') this.#setState('stopped')
  }

  onStateChange(listener: (state: EngineState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #endWith(request: RunningRequest, error: AppError): void {
    request.queue.push({ type: 'error', error: toWireError(error) })
    request.queue.end()
    this.requests.delete(request)
  }

  #setState(state: EngineState): void {
    this.state = state
    for (const listener of this.#listeners) listener(state)
  }
}
