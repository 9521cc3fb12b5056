/** What a model does beside writing answers: embeddings and relevance scores, each in a context that is made when first asked for. */
import { createEmbedder } from './embedder.ts'
import type { Embedder } from './embedder.ts'
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
  alone<T>(action: () => Promise<T>): Promise<T>
}

export class SideWork {
  readonly #options: SideWorkOptions
  #embedder: Embedder | undefined
  #reranker: Reranker | undefined

  constructor(options: SideWorkOptions) {
    this.#options = options
  }

  /** Throws `not-an-embedding-model`, `prompt-too-long`, `empty-prompt`, `invalid-token`. */
  async embed(inputs: readonly (string | number[])[]): Promise<{ vectors: Float32Array[]; dimensions: number; promptTokens: number }> {
    const { model, threads, window, alone } = this.#options
    const lists = await Promise.all(
      inputs.map((input) =>
        typeof input === 'string' ? promptTokens(model, { type: 'text', text: input, addSpecial: true, parseSpecial: false }) : input,
      ),
    )
    for (const list of lists) assertTokens(model, list)
    const vectors = await alone(async () => {
      this.#embedder ??= await createEmbedder(model, { context: Math.min(window(), model.shape.trainedContext), threads })
      return this.#embedder.embed(lists)
    })
    return { vectors, dimensions: this.#embedder?.dimensions ?? 0, promptTokens: countTokens(lists) }
  }

  /** Throws `cannot-rerank`, `prompt-too-long`. */
  async rerank(query: string, documents: readonly string[]): Promise<{ scores: number[]; promptTokens: number }> {
    const { model, threads, window, alone } = this.#options
    const { scores, pairs } = await alone(async () => {
      this.#reranker ??= await createReranker(model, { context: window(), threads })
      const made = documents.map((document) => pairTokens(model, query, document))
      return { scores: await this.#reranker.score(made), pairs: made }
    })
    return { scores, promptTokens: countTokens(pairs) }
  }
}

function countTokens(lists: readonly (readonly number[])[]): number {
  return lists.reduce((sum, list) => sum + list.length, 0)
}
