/** One tensor of a model as the planner sees it, read from a header or made from the shape; and which part of the model it is. */
export const TENSOR_PARTS = ['embedding', 'output', 'attention', 'dense', 'experts', 'lookup', 'draft', 'vision'] as const
/**
 * `dense`: feed-forward that every token uses (shared experts, routers and norms too); `experts`: the routed ones;
 * `lookup`: n-gram tables that may stay on disk; `draft`: multi-token prediction, not loaded unless wished.
 */
export type TensorPart = (typeof TENSOR_PARTS)[number]

export interface PlannedTensor {
  /** As GGUF names it, when made from a shape. */
  name: string
  part: TensorPart
  /** Undefined outside of the layers. */
  layer?: number
  /** Product of all dimensions but the last. */
  rows: number
  columns: number
  dimensions: number
}

/** `shape`: outermost first. */
export function plannedTensor(name: string, shape: readonly number[], part: TensorPart, layer?: number): PlannedTensor {
  const columns = shape.at(-1) ?? 1
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1)
  return { name, part, rows, columns, dimensions: shape.length, ...(layer === undefined ? {} : { layer }) }
}

export function elementsOf(tensor: PlannedTensor): number {
  return tensor.rows * tensor.columns
}

/** Names of GGUF and of Hugging Face files. `layers`: of the main model; later ones are drafts. */
export function placeOf(name: string, layers: number): { part: TensorPart; layer?: number } {
  const found = /(?:^|\.)(?:blk|layers|h)\.(\d+)\./.exec(name)?.[1]
  if (/(^|\.)(visual|vision|vision_tower|vision_model|mm|v)\./.test(name)) return { part: 'vision' }
  if (/engram/.test(name)) return { part: 'lookup' }
  if (/(^|\.)(mtp|nextn|dspark)\b/.test(name)) return { part: 'draft' }
  if (found === undefined) return { part: outerPart(name) }
  const layer = Number(found)
  if (layers > 0 && layer >= layers) return { part: 'draft' }
  if (/_exps\.|\.experts\./.test(name)) return { part: 'experts', layer }
  return { part: /attn|self_attn|attention|indexer|\.hc_attn/.test(name) ? 'attention' : 'dense', layer }
}

function outerPart(name: string): TensorPart {
  return /^(model\.|language_model\.|transformer\.)*(embed_tokens|token_embd|wte|tok_embeddings|embed)\b/.test(name)
    ? 'embedding'
    : 'output'
}
