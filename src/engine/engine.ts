/** A way to run one model: the embedded engine, an external program, or a hosted API. All speak in GenerateEvents. */
import type { EmbedRequest, EmbedResult, GenerateEvent, GenerateRequest, Prompt, RerankRequest, RerankResult } from '../shared/generate.ts'

export const ENGINE_KINDS = ['llama', 'scripted'] as const
export type EngineKind = (typeof ENGINE_KINDS)[number]

export type KvType = 'f16' | 'q8_0' | 'q4_0'
export type KvLayout = 'unified' | 'split'

/** What a deployment asks of its engine. Absent means "choose well". */
export interface EngineSettings {
  /** Tokens that one request may use (prompt + answer). */
  context?: number
  /** Requests that run at the same time. */
  parallel?: number
  kvType?: KvType
  kvLayout?: KvLayout | 'auto'
  /** Bytes that the KV cache may take. */
  kvBytes?: number
  /** Bytes of KV cache that one token takes (all layers, this KV type); from the model's header. */
  kvBytesPerToken?: number
  /** Bytes of ordinary memory for the prefix cache's second tier. */
  cacheBytes?: number
  /** Bytes of disk for its third tier; 0 turns it off. */
  diskCacheBytes?: number
  threads?: number
  /** CPU kernel variant, e.g. `haswell`; absent means probed. */
  kernel?: string
  /** Layers on the GPU; -1 is all. */
  gpuLayers?: number
  /** Highest time between two tokens of a running answer that a prefill may cause, in ms. */
  targetStepMs?: number
  speculation?: boolean
}

/** What is known once the engine is ready. */
export interface EngineInfo {
  kind: EngineKind
  /** e.g. `icelake`, `cuda`. */
  kernel?: string
  architecture: string
  /** Tokens that one request may use now. */
  context: number
  /** … that it could use on this machine when the context is made again. */
  largestContext: number
  trainedContext: number
  parallel: number
  kvLayout?: KvLayout
  kvType?: KvType
  vocabularySize: number
  hasChatTemplate: boolean
  canEmbed: boolean
  /** Bytes on this machine, measured. */
  memory: { weights: number; kv: number; compute: number }
  loadMs: number
}

export interface EngineStats {
  running: number
  waiting: number
  /** KV cells: of running sequences, held by the prefix cache, free. */
  cells: { running: number; cached: number; free: number; total: number }
  cache: { memoryBytes: number; diskBytes: number; hitTokens: number; computedTokens: number }
  tokens: { prompt: number; generated: number; drafted: number; accepted: number }
  /** The last step: its wall time, and the part that was not in llama_decode. */
  step: { count: number; ms: number; overheadMs: number }
}

export type EngineState = 'stopped' | 'starting' | 'ready' | 'draining' | 'failed'

export interface Engine {
  readonly kind: EngineKind
  readonly state: EngineState
  /** The process that holds the model, while there is one. */
  readonly pid?: number | undefined
  /** Known from `ready` on. */
  readonly info: EngineInfo | undefined
  /** Loads the model. Rejects with an AppError (`engine-start-failed`, `invalid-model-file`, `not-enough-memory`, …). */
  start(signal?: AbortSignal): Promise<EngineInfo>
  /** Ends exactly once, with `finish` or `error`; aborting ends it with `error` code `cancelled` and frees everything within one step. */
  generate(request: GenerateRequest, signal?: AbortSignal): AsyncIterable<GenerateEvent>
  embed(request: EmbedRequest, signal?: AbortSignal): Promise<EmbedResult>
  /** Token ids of a prompt as the model would see it (a conversation through its template). */
  tokenize(prompt: Prompt): Promise<number[]>
  detokenize(tokens: readonly number[]): Promise<string>
  /** The text that the model would read for this prompt. */
  render(prompt: Prompt): Promise<string>
  /** Closes the thoughts of a running request (all choices), so that its answer begins. False when it is not running, or not thinking. */
  closeThought(requestId: string): Promise<boolean>
  /** Throws `cannot-rerank` when the model has no rank pooling. */
  rerank(request: RerankRequest, signal?: AbortSignal): Promise<RerankResult>
  stats(): Promise<EngineStats>
  /** Waits up to `drainMs` for running requests, then ends the rest with `shutting-down`. Idempotent. */
  stop(drainMs?: number): Promise<void>
  /** Called on every change of state; `failed` means that it gave up restarting. */
  onStateChange(listener: (state: EngineState) => void): () => void
}
