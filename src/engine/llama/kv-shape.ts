/** Chooses the KV cache's layout and size from what a deployment wants and what memory there is. Pure. */
import type { KvShape } from './kv-pool.ts'

export interface KvWishes {
  /** Tokens that one sequence may use. */
  window: number
  parallel: number
  layout: 'auto' | 'unified' | 'split'
  kvBytes: number
  kvBytesPerToken: number
  trainedContext: number
}

/** libllama rounds a sequence's cells up to a multiple of this (`llama_context`: `GGML_PAD(n_ctx_seq, 256)`). */
const CELL_PADDING = 256
/** Sequence ids beyond the running ones, for cached prefixes in the unified layout. */
const CACHE_SLOTS = 32
/** libllama's `LLAMA_MAX_SEQ`. */
const MAX_SLOTS = 256

/** Tokens that a single sequence could use here at most. */
export function largestWindow(wishes: Pick<KvWishes, 'kvBytes' | 'kvBytesPerToken' | 'trainedContext'>): number {
  const cells = Math.floor(wishes.kvBytes / wishes.kvBytesPerToken / CELL_PADDING) * CELL_PADDING
  return Math.max(CELL_PADDING, Math.min(wishes.trainedContext, cells))
}

/**
 * Split (faster with private contexts) when every slot can have a whole window; else unified, where all share what there is.
 * Every shape can hold at least one sequence of `window` tokens.
 */
export function chooseKvShape(wishes: KvWishes): KvShape {
  const largest = largestWindow(wishes)
  const window = Math.min(pad(wishes.window), pad(largest))
  const budget = Math.max(window, Math.floor(wishes.kvBytes / wishes.kvBytesPerToken))
  const fits = wishes.parallel * window <= budget
  const layout = wishes.layout === 'auto' ? (fits ? 'split' : 'unified') : wishes.layout
  const usable = Math.min(window, wishes.trainedContext)
  if (layout === 'unified') {
    const cells = Math.max(window, Math.floor(Math.min(budget, wishes.parallel * window) / CELL_PADDING) * CELL_PADDING)
    return { layout, parallel: wishes.parallel, slots: Math.min(MAX_SLOTS, wishes.parallel + CACHE_SLOTS), window: usable, cells }
  }
  const parallel = fits ? wishes.parallel : Math.max(1, Math.floor(budget / window))
  return { layout, parallel, slots: parallel, window: usable, cells: parallel * window }
}

function pad(tokens: number): number {
  return Math.ceil(tokens / CELL_PADDING) * CELL_PADDING
}
