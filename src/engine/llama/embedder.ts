/**
 * Embeddings: one vector a text, in a context of its own. libllama gives one row a token; the rows become one vector here, since its own
 * pooling only looks at one computation at a time, and a long text takes several.
 */
import { AppError } from '../../shared/errors.ts'
import type { BatchBuffer, ContextPointer } from './binding-types.ts'
import type { LlamaModel, ModelShape } from './model.ts'
import { planChunks, VectorPool } from './embedding-plan.ts'
import type { Chunk, Pooling } from './embedding-plan.ts'

export interface Embedder {
  /** Numbers in a vector. */
  readonly dimensions: number
  /** Tokens that one input may have. */
  readonly window: number
  /**
   * One vector an input, not normalised. One call at a time; `alone` is given each of its computations.
   * Throws `prompt-too-long` for an input longer than the window, `empty-prompt` for one without tokens.
   */
  embed(tokenLists: readonly (readonly number[])[], alone: Alone): Promise<Float32Array[]>
  /** Idempotent; not while `embed` runs. */
  close(): void
}

/** Does something when nobody else computes: between two of them others have their turn. */
export type Alone = <T>(action: () => Promise<T>) => Promise<T>

export interface EmbedderOptions {
  /** Tokens that one input may have; at most what the model was trained for. */
  context: number
  threads: number
}

const SLOTS = 64
/** Tokens of one computation. libllama also computes a row of logits for each, and keeps them. */
const CHUNK_TOKENS = 256
/** A model that looks both ways needs a whole input in one computation; this bounds the logits that come with it. */
const MAX_LOGITS_BYTES = 2 * 2 ** 30

/** Throws `not-an-embedding-model` for rerankers and models that libllama cannot run so, `engine-start-failed` without memory. */
export async function createEmbedder(model: LlamaModel, options: EmbedderOptions): Promise<Embedder> {
  const { binding, shape, pointer } = model
  const pooling = choosePooling(shape)
  const isCausal = model.metadata(`${shape.architecture}.attention.causal`) !== 'false'
  const window = windowOf(shape, options.context, isCausal)
  const chunkTokens = isCausal ? Math.max(CHUNK_TOKENS, SLOTS) : Math.max(window, SLOTS)
  const context = await binding.createContext(pointer, {
    n_ctx: window + chunkTokens,
    n_batch: chunkTokens,
    n_ubatch: chunkTokens,
    n_seq_max: SLOTS,
    n_threads: options.threads,
    n_threads_batch: options.threads,
    embeddings: true,
    // None: all rows come out.
    pooling_type: 0,
    kv_unified: true,
  })
  if (!context) {
    const reason = `libllama cannot make a context for embeddings of ${window} tokens`
    throw new AppError('engine-start-failed', { model: nameOf(shape), reason, log: '' })
  }
  return new NativeEmbedder({ model, context, pooling, window, chunkTokens, isCausal })
}

/** Models that were not made for embeddings get the mean of their tokens. */
function choosePooling(shape: ModelShape): Pooling {
  if (shape.pooling === 'rank') throw new AppError('not-an-embedding-model', { model: nameOf(shape), reason: 'it ranks texts' })
  if (shape.hasEncoder && shape.hasDecoder) {
    throw new AppError('not-an-embedding-model', { model: nameOf(shape), reason: 'it is an encoder-decoder model' })
  }
  return shape.pooling === undefined || shape.pooling === 'none' ? 'mean' : shape.pooling
}

function windowOf(shape: ModelShape, asked: number, isCausal: boolean): number {
  const window = Math.max(1, Math.min(asked, shape.trainedContext || asked))
  return isCausal ? window : Math.min(window, Math.floor(MAX_LOGITS_BYTES / 4 / shape.vocabularySize))
}

function nameOf(shape: ModelShape): string {
  return shape.name ?? shape.architecture
}

interface EmbedderState {
  model: LlamaModel
  context: ContextPointer
  pooling: Pooling
  window: number
  chunkTokens: number
  isCausal: boolean
}

class NativeEmbedder implements Embedder {
  readonly dimensions: number
  readonly window: number
  #state: EmbedderState
  #batch: BatchBuffer
  #isClosed = false

  constructor(state: EmbedderState) {
    const { binding, pointer } = state.model
    this.#state = state
    this.window = state.window
    this.dimensions = binding.outputEmbeddingLength(pointer)
    this.#batch = binding.createBatch(binding.batchCapacity(state.context))
  }

  async embed(tokenLists: readonly (readonly number[])[], alone: Alone): Promise<Float32Array[]> {
    if (this.#isClosed) throw new Error('the embedder is closed')
    for (const tokens of tokenLists) this.#check(tokens.length)
    const pool = new VectorPool(this.#state.pooling, this.dimensions, tokenLists)
    const { chunkTokens, isCausal } = this.#state
    const lengths = tokenLists.map((tokens) => tokens.length)
    this.#clear()
    for (const chunk of planChunks(lengths, { chunkTokens, slots: SLOTS, whole: !isCausal }))
      await alone(() => this.#compute(chunk, tokenLists, pool))
    return pool.vectors()
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#batch.free()
    this.#state.model.binding.freeContext(this.#state.context)
  }

  #check(needed: number): void {
    if (needed === 0) throw new AppError('empty-prompt')
    const possible = Math.max(this.window, this.#state.model.shape.trainedContext)
    if (needed > this.window) throw new AppError('prompt-too-long', { needed, window: this.window, possible })
  }

  async #compute(chunk: Chunk, tokenLists: readonly (readonly number[])[], pool: VectorPool): Promise<void> {
    const { model, context } = this.#state
    const count = this.#fill(chunk, tokenLists)
    const code = await model.binding.decode(context, this.#batch.native)
    if (code !== 0) throw new Error(`llama_decode of embeddings: code ${code}, ${count} tokens`)
    if (model.usesGpu) await model.binding.synchronize(context)
    const address = model.binding.embeddings(context)
    if (address === undefined) {
      throw new AppError('not-an-embedding-model', { model: nameOf(model.shape), reason: 'libllama returned no vectors' })
    }
    const rows = model.binding.viewFloats(address, count * this.dimensions)
    let row = 0
    for (const part of chunk) {
      for (let index = part.start; index < part.end; index++, row++) pool.add(part.input, index, rows.subarray(row * this.dimensions))
      if (part.end === tokenLists[part.input]?.length) this.#clear(part.slot)
    }
  }

  #fill(chunk: Chunk, tokenLists: readonly (readonly number[])[]): number {
    const { token, position, output, slot, native } = this.#batch
    let at = 0
    for (const part of chunk) {
      for (let index = part.start; index < part.end; index++, at++) {
        token[at] = tokenLists[part.input]?.[index] ?? 0
        position[at] = index
        slot(at, part.slot)
        output[at] = 1
      }
    }
    native.n_tokens = at
    return at
  }

  /** One slot, or all. Models that look both ways have no memory to clear. */
  #clear(slot?: number): void {
    const { model, context } = this.#state
    const memory = model.binding.memory(context)
    if (!memory) return
    if (slot === undefined) model.binding.clearMemory(memory)
    else model.binding.removeCells(memory, slot, -1, -1)
  }
}
