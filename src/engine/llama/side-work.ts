/** What a model does beside writing answers: embeddings and relevance scores, each in a context that is made when first asked for. */
import { createEmbedder } from './embedder.ts'
import type { Alone, Embedder } from './embedder.ts'
import type { LlamaModel } from './model.ts'
import { assertTokens, promptTokens } from './prompt-tokens.ts'
import { createReranker, pairTokens } from './reranker.ts'
import type { Reranker } from './reranker.ts'

export interface SideWorkOptions {
  model: LlamaModel
  threads: number
  /** Tokens of a request's window now. */
  window(): number
  /** Does something alone with the model's threads. */
  alone: Alone
}

export class SideWork {
  readonly #options: SideWorkOptions
  #embedder: Embedder | undefined
  #reranker: Reranker | undefined
  /** The end of the last call: each context serves one at a time. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: SideWorkOptions) {
    this.#options = options
  }

  /** Throws `not-an-embedding-model`, `prompt-too-long`, `empty-prompt`, `invalid-token`, and the signal's reason. */
  async embed(
    inputs: readonly (string | number[])[],
    signal: AbortSignal,
  ): Promise<{ vectors: Float32Array[]; dimensions: number; promptTokens: number }> {
    const { model, threads, window } = this.#options
    const lists = await Promise.all(
      inputs.map((input) =>
        typeof input === 'string' ? promptTokens(model, { type: 'text', text: input, addSpecial: true, parseSpecial: false }) : input,
      ),
    )
    for (const list of lists) assertTokens(model, list)
    return this.#next(signal, async (alone) => {
      const context = Math.min(window(), model.shape.trainedContext)
      const embedder = (this.#embedder ??= await alone(() => createEmbedder(model, { context, threads })))
      return { vectors: await embedder.embed(lists, alone), dimensions: embedder.dimensions, promptTokens: countTokens(lists) }
    })
  }

  /** Throws `cannot-rerank`, `prompt-too-long`, and the signal's reason. */
  async rerank(query: string, documents: readonly string[], signal: AbortSignal): Promise<{ scores: number[]; promptTokens: number }> {
    const { model, threads, window } = this.#options
    return this.#next(signal, async (alone) => {
      const reranker = (this.#reranker ??= await alone(() => createReranker(model, { context: window(), threads })))
      const pairs = documents.map((document) => pairTokens(model, query, document))
      return { scores: await reranker.score(pairs, alone), promptTokens: countTokens(pairs) }
    })
  }

  /** One call after another; within a call answers go on between two computations. */
  #next<T>(signal: AbortSignal, work: (alone: Alone) => Promise<T>): Promise<T> {
    const alone: Alone = (action) =>
      this.#options.alone(() => {
        signal.throwIfAborted()
        return action()
      })
    const result = this.#last.then(() => work(alone))
    this.#last = result.catch(() => {})
    return result
  }
}

function countTokens(lists: readonly (readonly number[])[]): number {
  return lists.reduce((sum, list) => sum + list.length, 0)
}
