/** The numbers that the planner needs of a config.json, with the names' synonyms and defaults resolved. Pure. */
import type { ModelShape } from '../models/headers/model-header.ts'

export interface RecurrentFacts {
  /** Bytes of state and convolution of one layer for each sequence, in F32. */
  bytes: number
  /** Elements: of values, and of all keys. */
  inner: number
  keys: number
}

export interface ShapeFacts {
  layers: number
  hidden: number
  vocabulary: number
  heads: number
  /** Of each layer; 0 = that layer keeps no keys. */
  kvHeads: readonly number[]
  headDim: number
  valueDim: number
  isTied: boolean
  hasQkvBias: boolean
  hasQkNorm: boolean
  /** Multi-head latent attention; absent for all others. */
  latent?: { rank: number; rope: number; nope: number; value: number }
  /** DeepSeek sparse attention's index keys. */
  index?: { heads: number; dim: number; topK: number }
  denseWidth: number
  expertWidth: number
  experts: number
  activeExperts: number
  /** Of the experts that work for every token, together. */
  sharedWidth: number
  /** Layers before the first with experts. */
  denseLayers: number
  hasCorrectionBias: boolean
  /** Tokens that layer `i` looks back at most; 0 = all. */
  windows: readonly number[]
  /** V4 and V4.1: tokens that one compressed row stands for, by layer; 0 = only the window. */
  compression?: { ratios: readonly number[]; sources?: readonly number[]; indexSources?: readonly number[] }
  /** Of queries in latent and compressed attention; 0 = none. */
  queryRank: number
  hyperConnections: number
  outputRank: number
  outputGroups: number
  hashLayers: number
  /** Layers of multi-token prediction beside the main model. */
  draftLayers: number
  /** Lookup tables of n-grams (Engram): rows of all tables, elements of a row. */
  lookup?: { rows: number; width: number; rowBytes: number }
  /** By layer; undefined = that layer has keys and values. */
  recurrent: readonly (RecurrentFacts | undefined)[]
}

/** Missing numbers are 0, so that no plan is ever negative or NaN. */
export function shapeFacts(shape: ModelShape): ShapeFacts {
  const read = readerOf(shape)
  const layers = read('num_hidden_layers')
  const hidden = read('hidden_size')
  const heads = read('num_attention_heads')
  const headDim = read('head_dim') || (heads > 0 ? Math.floor(hidden / heads) : 0)
  const experts = read('n_routed_experts', 'num_experts', 'num_local_experts')
  const latent = latentOf(shape, read)
  const index = read('index_head_dim')
  const compression = compressionOf(shape)
  const lookup = lookupOf(shape)
  return {
    layers,
    hidden,
    vocabulary: read('vocab_size'),
    heads,
    kvHeads: kvHeadsOf(shape, layers, heads),
    headDim,
    valueDim: read('value_head_dim') || headDim,
    isTied: shape['tie_word_embeddings'] === true,
    hasQkvBias: shape['qkv_bias'] === true || shape['attention_bias'] === true,
    hasQkNorm: shape['qk_norm'] === true || shape['use_qk_norm'] === true,
    ...(latent ? { latent } : {}),
    ...(index > 0 ? { index: { heads: read('index_n_heads'), dim: index, topK: read('index_topk') } } : {}),
    // Llama 4 has two widths.
    denseWidth: read('intermediate_size_mlp', 'intermediate_size'),
    expertWidth: read('moe_intermediate_size', 'intermediate_size'),
    experts,
    activeExperts: Math.min(experts, read('num_experts_per_tok', 'moe_topk', 'num_activated_experts') || experts),
    sharedWidth: read('shared_expert_intermediate_size') || read('n_shared_experts') * read('moe_intermediate_size', 'intermediate_size'),
    denseLayers: experts > 0 ? Math.min(layers, read('first_k_dense_replace')) : layers,
    hasCorrectionBias: shape['topk_method'] === 'noaux_tc',
    windows: windowsOf(shape, layers),
    ...(compression ? { compression } : {}),
    queryRank: read('q_lora_rank'),
    hyperConnections: read('hc_mult'),
    outputRank: read('o_lora_rank'),
    outputGroups: read('o_groups'),
    hashLayers: read('num_hash_layers'),
    draftLayers: read('num_nextn_predict_layers'),
    ...(lookup ? { lookup } : {}),
    recurrent: recurrentOf(shape, layers),
  }
}

type Read = (...keys: string[]) => number

function readerOf(shape: Readonly<Record<string, unknown>>): Read {
  return (...keys) => {
    for (const key of keys) {
      const value = shape[key]
      if (typeof value === 'number' && Number.isFinite(value) && value > 0) return Math.floor(value)
    }
    return 0
  }
}

/** `use_mla: false` is DeepSeek-OCR, which has V2's names and ordinary attention. */
function latentOf(shape: ModelShape, read: Read): ShapeFacts['latent'] {
  const rank = read('kv_lora_rank')
  if (rank === 0 || shape['use_mla'] === false) return undefined
  return { rank, rope: read('qk_rope_head_dim'), nope: read('qk_nope_head_dim'), value: read('v_head_dim') }
}

function kvHeadsOf(shape: ModelShape, layers: number, heads: number): number[] {
  const value: unknown = shape['num_key_value_heads']
  const each = Array.isArray(value) ? numbersOf(value) : numbersOf(shape['num_key_value_heads_per_layer'])
  const one = typeof value === 'number' && value >= 0 ? value : heads
  return Array.from({ length: layers }, (_, layer) => (each.length > 0 ? (each[layer] ?? each.at(-1) ?? 0) : one))
}

/**
 * Which layers look back over a window only. `layer_types` says it layer by layer; `sliding_window_pattern` n means that every n-th layer
 * sees everything (Gemma 3). A window with neither holds for all layers, unless `use_sliding_window` is false (Qwen2).
 */
function windowsOf(shape: ModelShape, layers: number): number[] {
  const window = readerOf(shape)('sliding_window')
  const types = Array.isArray(shape['layer_types']) ? (shape['layer_types'] as readonly unknown[]) : undefined
  const pattern = readerOf(shape)('sliding_window_pattern', '_sliding_window_pattern')
  const isOff = window === 0 || shape['use_sliding_window'] === false
  return Array.from({ length: layers }, (_, layer) => {
    if (isOff) return 0
    if (types) return types[layer] === 'sliding_attention' ? window : 0
    if (pattern > 0) return (layer + 1) % pattern === 0 ? 0 : window
    return window
  })
}

function compressionOf(shape: ModelShape): ShapeFacts['compression'] {
  const ratios = numbersOf(shape['compress_ratios_main_layers'] ?? shape['compress_ratios'])
  if (ratios.length === 0) return undefined
  const sources = numbersOf(shape['kv_source_layer_ids'])
  const indexSources = numbersOf(shape['index_source_layer_ids'])
  const layers = readerOf(shape)('num_hidden_layers')
  return {
    ratios: ratios.slice(0, layers),
    ...(sources.length > 0 ? { sources } : {}),
    ...(indexSources.length > 0 ? { indexSources } : {}),
  }
}

/** 264 bytes a row of 256 FP8 values: 8 of scales (V4.1, shared facts models.md 3.2). */
function lookupOf(shape: ModelShape): ShapeFacts['lookup'] {
  const table: unknown = shape['engram']
  if (typeof table !== 'object' || table === null || Array.isArray(table)) return undefined
  const values = table as Readonly<Record<string, unknown>>
  const rows = numbersOf(values['rows_per_layer']).reduce((sum, count) => sum + count, 0)
  const width = typeof values['row_dim'] === 'number' ? values['row_dim'] : 0
  return rows > 0 && width > 0 ? { rows, width, rowBytes: width + Math.ceil(width / 32) } : undefined
}

/**
 * Layers of linear attention or state space. Bytes: convolution `(kernel − 1) × (inner + 2 × groups × state)` and state `state × inner`,
 * both F32. Source: llama.cpp src/llama-hparams.cpp `n_embd_r`, `n_embd_s`; for gated delta nets inner = value heads × value length,
 * groups = key heads, state = key length.
 */
function recurrentOf(shape: ModelShape, layers: number): (RecurrentFacts | undefined)[] {
  const read = readerOf(shape)
  const valueWidth = read('linear_num_value_heads') * read('linear_value_head_dim')
  const inner = valueWidth || read('ssm_inner_size', 'mamba_d_ssm', 'd_inner') || read('mamba_expand', 'expand') * read('hidden_size')
  const state = read('linear_key_head_dim', 'ssm_state_size', 'mamba_d_state', 'state_size')
  const groups = read('linear_num_key_heads', 'ssm_group_count', 'mamba_n_groups', 'n_groups')
  const kernel = read('linear_conv_kernel_dim', 'ssm_conv_kernel', 'mamba_d_conv', 'conv_kernel')
  if (inner === 0 || state === 0) return Array.from({ length: layers }, () => undefined)
  const bytes = 4 * (Math.max(0, kernel - 1) * (inner + 2 * groups * state) + state * inner)
  const types = Array.isArray(shape['layer_types']) ? (shape['layer_types'] as readonly unknown[]) : undefined
  const interval = read('full_attention_interval')
  const heads = kvHeadsOf(shape, layers, read('num_attention_heads'))
  return Array.from({ length: layers }, (_, layer) => {
    const hasAttention = types
      ? types[layer] === 'full_attention' || types[layer] === 'attention'
      : interval > 0
        ? (layer + 1) % interval === 0
        : (heads[layer] ?? 0) > 0
    return hasAttention ? undefined : { bytes, inner, keys: groups * state }
  })
}

function numbersOf(value: unknown): number[] {
  return Array.isArray(value) ? value.filter((item): item is number => typeof item === 'number' && Number.isFinite(item) && item >= 0) : []
}
