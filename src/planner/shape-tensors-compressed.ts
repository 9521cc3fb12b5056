/**
 * Attention of DeepSeek V4 and V4.1: one shared row for all heads, compressed streams, grouped output projection, hyper-connections.
 * Source: llama.cpp src/models/deepseek4.cpp `load_arch_tensors`. V4.1 is planned with the same tensors, its compressors only in the layers
 * that write rows, its index queries only in those that select: an estimate, since no source lists its tensors.
 */
import { plannedTensor } from './planned-tensor.ts'
import type { PlannedTensor } from './planned-tensor.ts'
import type { ShapeFacts } from './shape-facts.ts'

/** V4's ratio whose rows overlap by half (twice as wide a compressor) and which has index keys. */
const INDEXED_RATIO = 4

export function compressedLayer(facts: ShapeFacts, layer: number): PlannedTensor[] {
  const { hidden, heads, headDim, outputRank, outputGroups } = facts
  const { queryRank } = facts
  const tensor = attentionTensor(layer)
  return [
    tensor('attn_sinks', [heads]),
    tensor('attn_q_a', [queryRank, hidden]),
    tensor('attn_q_a_norm', [queryRank]),
    tensor('attn_q_b', [heads * headDim, queryRank]),
    tensor('attn_kv', [headDim, hidden]),
    tensor('attn_kv_norm', [headDim]),
    tensor('attn_output_a', [outputRank * outputGroups, Math.floor((heads * headDim) / Math.max(1, outputGroups))]),
    tensor('attn_output_b', [hidden, outputGroups * outputRank]),
    ...hyperConnections(facts, layer),
    ...compressor(facts, layer, queryRank),
  ]
}

function attentionTensor(layer: number): (name: string, shape: readonly number[]) => PlannedTensor {
  return (name, shape) => plannedTensor(`blk.${layer}.${name}.weight`, shape, 'attention', layer)
}

function hyperConnections({ hidden, hyperConnections: streams }: ShapeFacts, layer: number): PlannedTensor[] {
  const tensor = attentionTensor(layer)
  const mixed = (2 + streams) * streams
  return ['attn', 'ffn'].flatMap((name) => [
    tensor(`hc_${name}_fn`, [mixed, streams * hidden]),
    tensor(`hc_${name}_base`, [mixed]),
    tensor(`hc_${name}_scale`, [3]),
  ])
}

function compressor(facts: ShapeFacts, layer: number, queryRank: number): PlannedTensor[] {
  const { hidden, headDim, index, compression } = facts
  const ratio = compression?.ratios[layer] ?? 0
  if (!compression || ratio === 0) return []
  const tensor = attentionTensor(layer)
  const overlap = ratio <= INDEXED_RATIO ? 2 : 1
  const writes = compression.sources ? compression.sources.includes(layer) : true
  const hasIndexKeys = index !== undefined && writes && (compression.sources !== undefined || ratio === INDEXED_RATIO)
  const selects = index !== undefined && (compression.indexSources ? compression.indexSources.includes(layer) : ratio === INDEXED_RATIO)
  return [
    ...(writes
      ? [
          tensor('attn_compressor_kv', [overlap * headDim, hidden]),
          tensor('attn_compressor_gate', [overlap * headDim, hidden]),
          tensor('attn_compressor_ape', [ratio, overlap * headDim]),
          tensor('attn_compressor_norm', [headDim]),
        ]
      : []),
    ...(hasIndexKeys
      ? [
          tensor('indexer.compressor_kv', [2 * index.dim, hidden]),
          tensor('indexer.compressor_gate', [2 * index.dim, hidden]),
          tensor('indexer.compressor_ape', [ratio, 2 * index.dim]),
          tensor('indexer.compressor_norm', [index.dim]),
        ]
      : []),
    ...(selects ? [tensor('indexer.proj', [index.heads, hidden]), tensor('indexer.attn_q_b', [index.heads * index.dim, queryRank])] : []),
  ]
}
