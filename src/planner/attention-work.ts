/**
 * Operations of attention for one token that looks back on so many, in all layers: scores and values of each head, two operations a product.
 * Windows look back on themselves only. Sparse attention scores index keys of all rows and then attends to those that it selects
 * (DeepSeek-V3.2, arXiv 2512.02556 2.1); V4's rows stand for several tokens (shared facts models.md 3.1).
 */
import type { ShapeFacts } from './shape-facts.ts'

export function attentionWork(facts: ShapeFacts, tokens: number): number {
  const { layers, windows, recurrent, compression } = facts
  let work = 0
  for (let layer = 0; layer < layers; layer += 1) {
    if (recurrent[layer]) continue
    const window = windows[layer] ?? 0
    const seen = window > 0 ? Math.min(window, tokens) : tokens
    work += compression ? compressedWork(facts, compression.ratios[layer] ?? 0, tokens, seen) : layerWork(facts, seen)
  }
  return work
}

function layerWork(facts: ShapeFacts, seen: number): number {
  const { heads, headDim, valueDim, latent, index } = facts
  const row = latent ? latent.nope + latent.rope + latent.value : headDim + valueDim
  if (!index) return 2 * heads * row * seen
  return 2 * heads * row * Math.min(seen, index.topK || seen) + 2 * index.heads * index.dim * seen
}

/** Rows of the window, and compressed ones: of the short ratio only those that the index selects. */
function compressedWork(facts: ShapeFacts, ratio: number, tokens: number, window: number): number {
  const { heads, headDim, index } = facts
  const rows = ratio > 0 ? tokens / ratio : 0
  const isIndexed = index !== undefined && ratio > 0 && ratio <= 4
  const attended = isIndexed ? Math.min(rows, index.topK || rows) : rows
  return 2 * heads * 2 * headDim * (window + attended) + (isIndexed ? 2 * index.heads * index.dim * rows : 0)
}
