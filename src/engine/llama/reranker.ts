/** Relevance of documents to a query, for models whose file says rank pooling: one score a pair, in a context of its own. */
import { AppError } from '../../shared/errors.ts'
import type { BatchBuffer, ContextPointer } from './binding-types.ts'
import type { Alone } from './embedder.ts'
import type { LlamaModel } from './model.ts'

export interface Reranker {
  /** Tokens that one query and one document may have together. */
  readonly window: number
  /** One score a pair, higher is more relevant. One call at a time; `alone` is given each computation. Throws `prompt-too-long`. */
  score(pairs: readonly (readonly number[])[], alone: Alone): Promise<number[]>
}

const SLOTS = 16
/** Pairs are computed whole, so this is also the longest pair; it bounds the memory for it. */
const MAX_WINDOW = 8192
const RANK_POOLING = 4

/** Throws `cannot-rerank` when the file names no rank pooling, `engine-start-failed` without memory. */
export async function createReranker(model: LlamaModel, options: { context: number; threads: number }): Promise<Reranker> {
  const { binding, shape, pointer } = model
  const name = shape.name ?? shape.architecture
  if (shape.pooling !== 'rank') throw new AppError('cannot-rerank', { model: name })
  const window = Math.min(Math.max(1, shape.trainedContext || options.context), MAX_WINDOW)
  const batch = Math.max(window, SLOTS)
  const context = await binding.createContext(pointer, {
    n_ctx: batch,
    n_batch: batch,
    n_ubatch: batch,
    n_seq_max: SLOTS,
    n_threads: options.threads,
    n_threads_batch: options.threads,
    embeddings: true,
    pooling_type: RANK_POOLING,
    kv_unified: true,
  })
  if (!context) {
    throw new AppError('engine-start-failed', {
      model: name,
      reason: `libllama cannot make a context for pairs of ${window} tokens`,
      log: '',
    })
  }
  return new NativeReranker(model, context, window)
}

/**
 * A query and a document as the model was trained on them: by the file's own `rerank` template, or BOS query EOS SEP document EOS, as far
 * as the vocabulary adds these (llama.cpp, tools/server: format_prompt_rerank).
 */
export function pairTokens(model: LlamaModel, query: string, document: string): number[] {
  const { binding, vocabulary, pointer, shape } = model
  const template = binding.chatTemplate(pointer, 'rerank')
  if (template !== undefined) {
    const text = template.replaceAll('{query}', () => query).replaceAll('{document}', () => document)
    return model.tokenize(text, { addSpecial: false, parseSpecial: true })
  }
  const plain = { addSpecial: false, parseSpecial: false }
  const separator = binding.separatorToken(vocabulary)
  const end = shape.endToken ?? separator
  const ends = binding.addsEnd(vocabulary) && end >= 0 ? [end] : []
  const begin = shape.addsBegin && shape.beginToken !== undefined ? [shape.beginToken] : []
  const between = binding.addsSeparator(vocabulary) && separator >= 0 ? [separator] : []
  return [...begin, ...model.tokenize(query, plain), ...ends, ...between, ...model.tokenize(document, plain), ...ends]
}

class NativeReranker implements Reranker {
  readonly window: number
  readonly #model: LlamaModel
  readonly #context: ContextPointer
  readonly #batch: BatchBuffer

  constructor(model: LlamaModel, context: ContextPointer, window: number) {
    this.#model = model
    this.#context = context
    this.window = window
    this.#batch = model.binding.createBatch(model.binding.batchCapacity(context))
  }

  async score(pairs: readonly (readonly number[])[], alone: Alone): Promise<number[]> {
    const longest = pairs.reduce((most, pair) => Math.max(most, pair.length), 0)
    if (longest > this.window) throw new AppError('prompt-too-long', { needed: longest, window: this.window, possible: this.window })
    const scores: number[] = []
    for (const group of groupPairs(pairs, { tokens: this.window, slots: SLOTS })) scores.push(...(await alone(() => this.#compute(group))))
    return scores
  }

  async #compute(group: readonly (readonly number[])[]): Promise<number[]> {
    const { binding, shape, usesGpu } = this.#model
    this.#fill(group)
    const memory = binding.memory(this.#context)
    if (memory) binding.clearMemory(memory)
    const code = await binding.decode(this.#context, this.#batch.native)
    if (code !== 0) throw new Error(`llama_decode of pairs: code ${code}`)
    if (usesGpu) await binding.synchronize(this.#context)
    return group.map((_, slot) => {
      const address = binding.sequenceEmbedding(this.#context, slot)
      const score = address === undefined ? undefined : binding.viewFloats(address, 1)[0]
      if (score === undefined) throw new AppError('cannot-rerank', { model: shape.name ?? shape.architecture })
      return score
    })
  }

  #fill(group: readonly (readonly number[])[]): void {
    const { token, position, output, slot, native } = this.#batch
    let at = 0
    group.forEach((pair, index) => {
      for (let place = 0; place < pair.length; place++, at++) {
        token[at] = pair[place] ?? 0
        position[at] = place
        slot(at, index)
        output[at] = 1
      }
    })
    native.n_tokens = at
  }
}

/** Neighbours that fit into one computation. */
export function groupPairs<T extends { length: number }>(pairs: readonly T[], limit: { tokens: number; slots: number }): T[][] {
  const groups: T[][] = []
  let tokens = 0
  for (const pair of pairs) {
    const last = groups.at(-1)
    if (last && last.length < limit.slots && tokens + pair.length <= limit.tokens) {
      last.push(pair)
      tokens += pair.length
    } else {
      groups.push([pair])
      tokens = pair.length
    }
  }
  return groups
}
