/**
 * A GGUF's metadata by the names of config.json, so that one reader serves every source.
 * Keys: llama.cpp src/llama-arch.cpp `LLM_KV_NAMES`; what they hold: conversion/deepseek.py and its neighbours.
 */
import type { GgufHeader, GgufValue } from '../gguf.ts'
import type { ModelShape } from './model-header.ts'

type MutableShape = { -readonly [Key in keyof ModelShape]: ModelShape[Key] }

/** Beside config.json's own names: `num_key_value_heads_per_layer` where layers differ, and `ssm_*` of recurrent layers. */
export function shapeOfGguf(header: GgufHeader): ModelShape {
  const read = readerOf(header.metadata)
  const name = read.architecture
  const extra = read.number('nextn_predict_layers') ?? 0
  const layers = Math.max(0, (read.number('block_count') ?? 0) - extra)
  return present({
    num_hidden_layers: layers,
    hidden_size: read.number('embedding_length'),
    vocab_size: vocabularySize(header, read),
    max_position_embeddings: read.number('context_length'),
    intermediate_size: largest(read.numbers('feed_forward_length')),
    rms_norm_eps: read.number('attention.layer_norm_rms_epsilon'),
    rope_theta: read.number('rope.freq_base'),
    rope_scaling: ropeScaling(read),
    tie_word_embeddings: !header.tensors.some((tensor) => tensor.name === 'output.weight'),
    num_nextn_predict_layers: extra > 0 ? extra : undefined,
    ...attention(read, layers),
    ...latent(read),
    ...experts(read),
    ...windows(read, name, layers),
    ...recurrent(read),
  })
}

/** Latent attention as one head of the latent's size, or (in files from before April 2025) as full keys and values. */
export function mlaLayoutOf(header: GgufHeader): 'latent' | 'legacy' | undefined {
  const read = readerOf(header.metadata)
  if (read.number('attention.kv_lora_rank') === undefined) return undefined
  const hasMla = (read.number('attention.key_length_mla') ?? 0) > 0 && (read.number('attention.value_length_mla') ?? 0) > 0
  return hasMla ? 'latent' : 'legacy'
}

interface MetadataReader {
  architecture: string
  number(key: string): number | undefined
  numbers(key: string): readonly number[]
  flags(key: string): readonly boolean[]
  text(key: string): string | undefined
}

/** Keys without their architecture. */
function readerOf(metadata: ReadonlyMap<string, GgufValue>): MetadataReader {
  const named = metadata.get('general.architecture')
  const architecture = typeof named === 'string' ? named : ''
  const values = (key: string): readonly unknown[] => {
    const value = metadata.get(`${architecture}.${key}`)
    return typeof value === 'object' ? (value.values ?? []) : value === undefined ? [] : [value]
  }
  const numbers = (key: string): number[] => values(key).filter((item) => typeof item === 'number' && Number.isFinite(item)) as number[]
  return {
    architecture,
    number: (key) => numbers(key)[0],
    numbers,
    flags: (key) => values(key).filter((item) => typeof item === 'boolean'),
    text: (key) => values(key).find((item) => typeof item === 'string'),
  }
}

function vocabularySize(header: GgufHeader, read: MetadataReader): number | undefined {
  const tokens = header.metadata.get('tokenizer.ggml.tokens')
  if (typeof tokens === 'object' && tokens.length > 0) return tokens.length
  return read.number('vocab_size') ?? header.tensors.find((tensor) => tensor.name === 'token_embd.weight')?.shape[1]
}

function attention(read: MetadataReader, layers: number): MutableShape {
  const heads = largest(read.numbers('attention.head_count'))
  const kvHeads = read.numbers('attention.head_count_kv')
  const differ = new Set(kvHeads).size > 1
  const isLatent = read.number('attention.kv_lora_rank') !== undefined
  return present({
    num_attention_heads: heads,
    num_key_value_heads: isLatent ? heads : (largest(kvHeads) ?? heads),
    num_key_value_heads_per_layer: differ ? kvHeads.slice(0, layers) : undefined,
    v_head_dim: isLatent ? undefined : valueLength(read),
    head_dim: isLatent && read.architecture !== 'deepseek4' ? undefined : headLength(read, heads),
  })
}

function headLength(read: MetadataReader, heads: number | undefined): number | undefined {
  const width = read.number('embedding_length')
  return read.number('attention.key_length') ?? (width !== undefined && heads ? Math.floor(width / heads) : undefined)
}

/** Only where values are not as long as keys. */
function valueLength(read: MetadataReader): number | undefined {
  const value = read.number('attention.value_length')
  return value === read.number('attention.key_length') ? undefined : value
}

function latent(read: MetadataReader): MutableShape {
  const rank = read.number('attention.kv_lora_rank')
  const rope = read.number('rope.dimension_count')
  const common = present({
    q_lora_rank: read.number('attention.q_lora_rank'),
    o_lora_rank: read.number('attention.output_lora_rank'),
    o_groups: read.number('attention.output_group_count'),
    index_n_heads: read.number('attention.indexer.head_count'),
    index_head_dim: read.number('attention.indexer.key_length'),
    index_topk: read.number('attention.indexer.top_k'),
    hc_mult: read.number('hyper_connection.count'),
  })
  if (rank === undefined) return read.architecture === 'deepseek4' ? { ...common, ...present({ qk_rope_head_dim: rope }) } : common
  const key = read.number('attention.key_length_mla') ?? read.number('attention.key_length')
  const value = read.number('attention.value_length_mla') ?? read.number('attention.value_length')
  return present({
    ...common,
    kv_lora_rank: rank,
    qk_rope_head_dim: rope,
    qk_nope_head_dim: key !== undefined && rope !== undefined ? key - rope : undefined,
    v_head_dim: value,
  })
}

function experts(read: MetadataReader): MutableShape {
  const count = read.number('expert_count')
  if (count === undefined || count === 0) return {}
  return present({
    n_routed_experts: count,
    num_experts_per_tok: read.number('expert_used_count'),
    n_shared_experts: read.number('expert_shared_count'),
    moe_intermediate_size: read.number('expert_feed_forward_length') ?? largest(read.numbers('feed_forward_length')),
    first_k_dense_replace: read.number('leading_dense_block_count') ?? 0,
    num_hash_layers: read.number('hash_layer_count'),
  })
}

/** Windows that libllama knows by the architecture alone. Source: src/llama-model.cpp `set_swa_pattern`. */
const PATTERNS: Readonly<Record<string, number>> = { gemma2: 2, gemma3: 6, cohere2: 4, 'gpt-oss': 2 }

function windows(read: MetadataReader, architecture: string, layers: number): MutableShape {
  const window = read.number('attention.sliding_window')
  const flags = read.flags('attention.sliding_window_pattern')
  const ratios = read.numbers('attention.compress_ratios')
  return present({
    sliding_window: window === 0 ? undefined : window,
    sliding_window_pattern: read.number('attention.sliding_window_pattern') ?? (window ? PATTERNS[architecture] : undefined),
    layer_types: flags.length > 0 ? flags.slice(0, layers).map((slides) => (slides ? 'sliding_attention' : 'full_attention')) : undefined,
    compress_ratios_main_layers: ratios.length > 0 ? ratios.slice(0, layers) : undefined,
    compress_ratios_extra: ratios.length > layers ? ratios.slice(layers) : undefined,
  })
}

function recurrent(read: MetadataReader): MutableShape {
  return present({
    ssm_inner_size: read.number('ssm.inner_size'),
    ssm_state_size: read.number('ssm.state_size'),
    ssm_conv_kernel: read.number('ssm.conv_kernel'),
    ssm_group_count: read.number('ssm.group_count'),
    full_attention_interval: read.number('full_attention_interval'),
  })
}

function ropeScaling(read: MetadataReader): ModelShape['rope_scaling'] {
  const type = read.text('rope.scaling.type')
  const factor = read.number('rope.scaling.factor')
  if (type === undefined && factor === undefined) return undefined
  return present({
    type: type ?? 'linear',
    factor,
    original_max_position_embeddings: read.number('rope.scaling.original_context_length'),
  }) as ModelShape['rope_scaling']
}

function largest(values: readonly number[]): number | undefined {
  return values.length > 0 ? Math.max(...values) : undefined
}

function present(values: Record<string, ModelShape[string]>): MutableShape {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as MutableShape
}
