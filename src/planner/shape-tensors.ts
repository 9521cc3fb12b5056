/**
 * The tensors that a model of this shape has, by formula, under GGUF's names: what is planned with when no header with tensors is at hand,
 * and what other quantisations of it would be made of. Parameter counts are exact for dense, expert and latent-attention models
 * (held against the catalogue by a test). Sources: llama.cpp src/models/*.cpp `load_arch_tensors`; config.json of the families.
 */
import { plannedTensor } from './planned-tensor.ts'
import type { PlannedTensor } from './planned-tensor.ts'
import type { ShapeFacts } from './shape-facts.ts'
import { compressedLayer } from './shape-tensors-compressed.ts'

/** Empty when the shape does not say enough. `architecture`: libllama's or config.json's name. */
export function shapeTensors(architecture: string, shape: ShapeFacts): PlannedTensor[] {
  if (shape.layers === 0 || shape.hidden === 0 || shape.vocabulary === 0) return []
  const facts = withFamilyHabits(architecture, shape)
  const { hidden, vocabulary } = facts
  const layers = Array.from({ length: facts.layers }, (_, layer) => layerTensors(architecture, facts, layer)).flat()
  return [
    plannedTensor('token_embd.weight', [vocabulary, hidden], 'embedding'),
    ...(facts.isTied ? [] : [plannedTensor('output.weight', [vocabulary, hidden], 'output')]),
    plannedTensor('output_norm.weight', [hidden], 'output'),
    ...headTensors(facts),
    ...layers,
    ...draftTensors(architecture, facts),
    ...(facts.lookup ? [plannedTensor('engram.weight', [facts.lookup.rows, facts.lookup.width], 'lookup')] : []),
  ]
}

/**
 * What a family always has, and its config.json does not say: biases of Qwen2, norms of queries and keys in Qwen3 and Gemma 3, Gemma's head,
 * Llama 4's shared expert.
 */
function withFamilyHabits(architecture: string, facts: ShapeFacts): ShapeFacts {
  return {
    ...facts,
    hasQkvBias: facts.hasQkvBias || architecture.startsWith('qwen2'),
    hasQkNorm: facts.hasQkNorm || /^(qwen3|gemma3)/.test(architecture),
    isTied: facts.isTied || architecture.startsWith('gemma'),
    sharedWidth: architecture === 'llama4' && facts.experts > 0 ? facts.expertWidth : facts.sharedWidth,
  }
}

function layerTensors(architecture: string, facts: ShapeFacts, layer: number): PlannedTensor[] {
  const { hidden } = facts
  const isGemma = architecture.startsWith('gemma')
  const norms = ['attn_norm', 'ffn_norm', ...(isGemma ? ['post_attention_norm', 'post_ffw_norm'] : [])]
  const tensor = tensorsOfLayer(layer)
  return [
    ...norms.map((name) => tensor(name, [hidden], 'dense')),
    ...(facts.compression
      ? compressedLayer(facts, layer)
      : facts.latent
        ? latentAttention(facts, layer)
        : hasDeltaNet(architecture, facts, layer)
          ? deltaNet(facts, layer)
          : groupedAttention(architecture, facts, layer)),
    ...(layer < facts.denseLayers ? denseFeedForward(facts, layer) : mixture(architecture, facts, layer)),
  ]
}

/** Qwen3-Next and its followers. */
function hasDeltaNet(architecture: string, facts: ShapeFacts, layer: number): boolean {
  return /^qwen3_?(next|5)/.test(architecture) && facts.recurrent[layer] !== undefined
}

function deltaNet({ hidden, recurrent }: ShapeFacts, layer: number): PlannedTensor[] {
  const { inner, keys } = recurrent[layer] ?? { inner: 0, keys: 0 }
  const tensor = tensorsOfLayer(layer)
  return [
    tensor('attn_qkv', [2 * keys + inner, hidden], 'attention'),
    tensor('attn_gate', [inner, hidden], 'attention'),
    tensor('ssm_out', [hidden, inner], 'attention'),
  ]
}

type LayerTensor = (name: string, shape: readonly number[], part: PlannedTensor['part']) => PlannedTensor

export function tensorsOfLayer(layer: number): LayerTensor {
  return (name, shape, part) => plannedTensor(`blk.${layer}.${/\.(weight|bias)$/.test(name) ? name : `${name}.weight`}`, shape, part, layer)
}

function groupedAttention(architecture: string, facts: ShapeFacts, layer: number): PlannedTensor[] {
  const { hidden, heads, headDim, valueDim, hasQkvBias, hasQkNorm } = facts
  const kvHeads = facts.kvHeads[layer] ?? heads
  const tensor = tensorsOfLayer(layer)
  // Queries of hybrids bring a gate along.
  const gate = facts.recurrent.some(Boolean) && architecture.startsWith('qwen3') ? 2 : 1
  const [q, k, v] = [gate * heads * headDim, kvHeads * headDim, kvHeads * valueDim]
  const isGptOss = /^gpt[-_]oss$/.test(architecture)
  return [
    tensor('attn_q', [q, hidden], 'attention'),
    tensor('attn_k', [k, hidden], 'attention'),
    tensor('attn_v', [v, hidden], 'attention'),
    tensor('attn_output', [hidden, heads * valueDim], 'attention'),
    ...(hasQkvBias
      ? [tensor('attn_q.bias', [q], 'attention'), tensor('attn_k.bias', [k], 'attention'), tensor('attn_v.bias', [v], 'attention')]
      : []),
    ...(hasQkNorm ? [tensor('attn_q_norm', [headDim], 'attention'), tensor('attn_k_norm', [headDim], 'attention')] : []),
    ...(isGptOss ? [tensor('attn_output.bias', [hidden], 'attention'), tensor('attn_sinks', [heads], 'attention')] : []),
  ]
}

/** As llama.cpp stores it: kv_b split into k_b (transposed) and v_b, so that the cache holds one latent row. */
function latentAttention(facts: ShapeFacts, layer: number): PlannedTensor[] {
  const { hidden, heads, latent, index, queryRank } = facts
  if (!latent) return []
  const { rank, rope, nope, value } = latent
  const tensor = tensorsOfLayer(layer)
  const query = heads * (nope + rope)
  return [
    ...(queryRank > 0
      ? [
          tensor('attn_q_a', [queryRank, hidden], 'attention'),
          tensor('attn_q_a_norm', [queryRank], 'attention'),
          tensor('attn_q_b', [query, queryRank], 'attention'),
        ]
      : [tensor('attn_q', [query, hidden], 'attention')]),
    tensor('attn_kv_a_mqa', [rank + rope, hidden], 'attention'),
    tensor('attn_kv_a_norm', [rank], 'attention'),
    tensor('attn_k_b', [heads, rank, nope], 'attention'),
    tensor('attn_v_b', [heads, value, rank], 'attention'),
    tensor('attn_output', [hidden, heads * value], 'attention'),
    ...(index
      ? [
          tensor('indexer.attn_k', [index.dim, hidden], 'attention'),
          tensor('indexer.k_norm', [index.dim], 'attention'),
          tensor('indexer.k_norm.bias', [index.dim], 'attention'),
          tensor('indexer.proj', [index.heads, hidden], 'attention'),
          tensor('indexer.attn_q_b', [index.heads * index.dim, queryRank], 'attention'),
        ]
      : []),
  ]
}

function denseFeedForward({ hidden, denseWidth }: ShapeFacts, layer: number): PlannedTensor[] {
  const tensor = tensorsOfLayer(layer)
  return [
    tensor('ffn_gate', [denseWidth, hidden], 'dense'),
    tensor('ffn_up', [denseWidth, hidden], 'dense'),
    tensor('ffn_down', [hidden, denseWidth], 'dense'),
  ]
}

function mixture(architecture: string, facts: ShapeFacts, layer: number): PlannedTensor[] {
  const { hidden, experts, expertWidth, sharedWidth: shared, hasCorrectionBias, hashLayers, activeExperts, vocabulary } = facts
  const tensor = tensorsOfLayer(layer)
  const isGptOss = /^gpt[-_]oss$/.test(architecture)
  const isHashed = layer < hashLayers
  return [
    tensor('ffn_gate_inp', [experts, hidden], 'dense'),
    ...(isHashed ? [tensor('ffn_gate_tid2eid', [vocabulary, activeExperts], 'dense')] : []),
    ...(hasCorrectionBias && !isHashed ? [tensor('exp_probs_b.bias', [experts], 'dense')] : []),
    tensor('ffn_gate_exps', [experts, expertWidth, hidden], 'experts'),
    tensor('ffn_up_exps', [experts, expertWidth, hidden], 'experts'),
    tensor('ffn_down_exps', [experts, hidden, expertWidth], 'experts'),
    ...(shared > 0
      ? [
          tensor('ffn_gate_shexp', [shared, hidden], 'dense'),
          tensor('ffn_up_shexp', [shared, hidden], 'dense'),
          tensor('ffn_down_shexp', [hidden, shared], 'dense'),
        ]
      : []),
    ...(isGptOss
      ? [
          tensor('ffn_gate_inp.bias', [experts], 'dense'),
          tensor('ffn_gate_exps.bias', [experts, expertWidth], 'experts'),
          tensor('ffn_up_exps.bias', [experts, expertWidth], 'experts'),
          tensor('ffn_down_exps.bias', [experts, hidden], 'experts'),
        ]
      : []),
  ]
}

/** V4's head that merges the parallel residual streams. */
function headTensors({ hidden, hyperConnections: streams }: ShapeFacts): PlannedTensor[] {
  if (streams === 0) return []
  return [
    plannedTensor('hc_head_fn.weight', [streams, streams * hidden], 'output'),
    plannedTensor('hc_head_base.weight', [streams], 'output'),
    plannedTensor('hc_head_scale.weight', [1], 'output'),
  ]
}

/**
 * Each layer of multi-token prediction: a layer like the last one, a projection of two rows to one, norms, and in the published files its own
 * copies of embedding and head. Source: DeepSeek-V3 README_WEIGHTS.md. V4.1's drafts are of another shape and are not counted here.
 */
function draftTensors(architecture: string, facts: ShapeFacts): PlannedTensor[] {
  if (facts.draftLayers === 0 || facts.experts === 0 || facts.lookup) return []
  const { hidden, vocabulary, layers } = facts
  return Array.from({ length: facts.draftLayers }, (_, draft) => [
    ...layerTensors(architecture, facts, layers - 1),
    plannedTensor(`nextn.${draft}.eh_proj.weight`, [hidden, 2 * hidden], 'draft'),
    plannedTensor(`nextn.${draft}.norms.weight`, [3 * hidden], 'draft'),
    ...(facts.compression
      ? []
      : ['embed_tokens', 'shared_head_head'].map((name) => plannedTensor(`nextn.${draft}.${name}.weight`, [vocabulary, hidden], 'draft'))),
  ])
    .flat()
    .map(({ name, rows, columns, dimensions }) => ({ name, rows, columns, dimensions, part: 'draft' }))
}
