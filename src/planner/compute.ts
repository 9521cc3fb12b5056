/**
 * Compute buffers (activations) by formula, where no dry run of libllama says them. Bytes.
 * llama.cpp keeps what is alive at once in a micro-batch of 512 tokens, in F32, beside the mask in F16 (flash attention on). What that is was
 * found by dry runs of libllama v0.5.0 (2026-09-28) over six shapes (dense, experts, latent attention) and four windows each; it is the largest of
 * dense feed-forward 3 × width + 4 × hidden · experts k × (2 × width + hidden) + 8 × hidden ·
 * latent attention 4 × hidden + heads × (2 × rank + 2 × rope + nope + value) · logits outputs × vocabulary + 2 × hidden × tokens.
 * Shapes of other kinds (hyper-connections, index scores) are a guess.
 */
import { MICRO_BATCH } from './kv-streams.ts'
import type { ShapeFacts } from './shape-facts.ts'

export interface ComputeRow {
  vocabulary: number
  hidden: number
  /** Elements that are alive at once for each token of a micro-batch. */
  alive: number
}

/** `cells`: of the longest sequence, or of the whole pool. `outputs`: tokens whose logits are computed at once (all of a micro-batch when unified). */
export function llamaComputeBytes({ vocabulary, hidden, alive }: ComputeRow, cells: number, outputs: number): number {
  const layers = MICRO_BATCH * (alive * 4 + cells * 2)
  const logits = outputs * vocabulary * 4 + 2 * MICRO_BATCH * hidden * 4
  return Math.max(layers, logits) + Math.min(outputs, MOST_ROWS_KEPT) * vocabulary * 4
}

/** Of logits that are handed over at once: one for each slot. */
const MOST_ROWS_KEPT = 36

/** The unified layout reserves logits for every token of a micro-batch. */
export function outputsOf(layout: 'unified' | 'split', users: number): number {
  return layout === 'unified' ? MICRO_BATCH : Math.min(users, MICRO_BATCH)
}

export function computeRowOf(facts: ShapeFacts): ComputeRow {
  const { vocabulary, hidden } = facts
  return { vocabulary, hidden, alive: Math.max(denseRow(facts), expertRow(facts), attentionRow(facts)) }
}

function denseRow({ denseWidth, hidden }: ShapeFacts): number {
  return 3 * denseWidth + 4 * hidden
}

function expertRow({ experts, activeExperts, expertWidth, hidden }: ShapeFacts): number {
  return experts > 0 ? activeExperts * (2 * expertWidth + hidden) + 8 * hidden : 0
}

function attentionRow({ latent, heads, hidden, headDim, index, hyperConnections }: ShapeFacts): number {
  const scores = index ? index.heads * index.dim : 0
  if (latent) return 4 * hidden + heads * (2 * latent.rank + 2 * latent.rope + latent.nope + latent.value) + scores
  return (4 + 3 * Math.max(0, hyperConnections - 1)) * hidden + 2 * heads * headDim + scores
}

/** Tokens that vLLM computes at once (`max_num_batched_tokens`) and sequences that it samples for (`max_num_seqs`), by default. */
const BATCHED_TOKENS = 8192
const SAMPLED_SEQUENCES = 256
/** CUDA graphs and workspaces of a rank; from seeing vLLM's start-up log ("graph capturing took … GiB"), about. */
const GRAPH_BYTES = 1_000_000_000

/** Of one tensor-parallel rank: 16-bit activations of a batch, logits in F32, CUDA graphs. */
export function pagedComputeBytes(facts: ShapeFacts, tensorParallel: number): number {
  const { hidden, vocabulary, alive } = computeRowOf(facts)
  const rows = BATCHED_TOKENS * 2 * (4 * hidden + Math.max(0, alive - 4 * hidden) / tensorParallel)
  return Math.ceil(rows + (SAMPLED_SEQUENCES * vocabulary * 4) / tensorParallel) + GRAPH_BYTES
}
