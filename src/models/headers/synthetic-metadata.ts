/**
 * The metadata that llama.cpp's converter would write for a config.json: what libllama needs to build the model's graph, no more.
 * Source: llama.cpp conversion/{base,llama,qwen,deepseek}.py `set_gguf_parameters`.
 */
import type { ModelShape } from './model-header.ts'
import type { SyntheticValue } from './synthetic-value.ts'

export const SYNTHETIC_ARCHITECTURES = ['llama', 'qwen2', 'qwen3', 'qwen3moe', 'deepseek2', 'deepseek32'] as const
export type SyntheticArchitecture = (typeof SYNTHETIC_ARCHITECTURES)[number]

export function isSynthetic(architecture: string): architecture is SyntheticArchitecture {
  return (SYNTHETIC_ARCHITECTURES as readonly string[]).includes(architecture)
}

/** Undefined when the architecture is not one of the list, or the shape lacks something. */
export function shapeMetadata(architecture: string, shape: ModelShape): Record<string, SyntheticValue> | undefined {
  if (!isSynthetic(architecture)) return undefined
  const get = numberReader(shape)
  const [layers, hidden, heads] = [get('num_hidden_layers'), get('hidden_size'), get('num_attention_heads')]
  if (layers === 0 || hidden === 0 || heads === 0) return undefined
  const values = {
    block_count: uint(layers),
    context_length: uint(get('max_position_embeddings') || 4096),
    embedding_length: uint(hidden),
    feed_forward_length: uint(get('intermediate_size') || get('moe_intermediate_size') || hidden),
    'attention.head_count': uint(heads),
    'attention.layer_norm_rms_epsilon': float(get('rms_norm_eps') || 1e-6),
    'rope.freq_base': float(get('rope_theta') || 10_000),
    ...(isLatent(architecture) ? latentMetadata(shape) : groupedMetadata(shape, hidden, heads)),
    ...(architecture === 'deepseek32' ? indexerMetadata(shape) : {}),
    ...expertMetadata(architecture, shape),
  }
  const prefixed = Object.entries(values).map(([key, value]) => [`${architecture}.${key}`, value] as const)
  return { 'general.architecture': { type: 'string', value: architecture }, ...Object.fromEntries(prefixed) }
}

function groupedMetadata(shape: ModelShape, hidden: number, heads: number): Record<string, SyntheticValue> {
  const get = numberReader(shape)
  const length = get('head_dim') || Math.floor(hidden / heads)
  return {
    'attention.head_count_kv': uint(get('num_key_value_heads') || heads),
    'attention.key_length': uint(length),
    'attention.value_length': uint(length),
    'rope.dimension_count': uint(length),
  }
}

/** One latent head, as files since April 2025. */
function latentMetadata(shape: ModelShape): Record<string, SyntheticValue> {
  const get = numberReader(shape)
  const [rank, rope, nope, value] = [get('kv_lora_rank'), get('qk_rope_head_dim'), get('qk_nope_head_dim'), get('v_head_dim')]
  return {
    'attention.head_count_kv': uint(1),
    ...(get('q_lora_rank') > 0 ? { 'attention.q_lora_rank': uint(get('q_lora_rank')) } : {}),
    'attention.kv_lora_rank': uint(rank),
    'attention.key_length': uint(rank + rope),
    'attention.value_length': uint(rank),
    'attention.key_length_mla': uint(nope + rope),
    'attention.value_length_mla': uint(value),
    'rope.dimension_count': uint(rope),
  }
}

function expertMetadata(architecture: SyntheticArchitecture, shape: ModelShape): Record<string, SyntheticValue> {
  const get = numberReader(shape)
  const experts = expertsOf(shape)
  if (experts === 0) return isLatent(architecture) ? { leading_dense_block_count: uint(get('num_hidden_layers')) } : {}
  return {
    expert_count: uint(experts),
    expert_used_count: uint(get('num_experts_per_tok') || 1),
    expert_feed_forward_length: uint(get('moe_intermediate_size')),
    ...(isLatent(architecture)
      ? {
          leading_dense_block_count: uint(get('first_k_dense_replace')),
          expert_shared_count: uint(get('n_shared_experts')),
          expert_weights_scale: float(get('routed_scaling_factor') || 1),
          expert_weights_norm: { type: 'bool', value: shape['norm_topk_prob'] === true },
          expert_gating_func: uint(shape['scoring_func'] === 'sigmoid' ? 2 : 1),
        }
      : {}),
  }
}

/** Of the sparse attention of V3.2. */
function indexerMetadata(shape: ModelShape): Record<string, SyntheticValue> {
  const get = numberReader(shape)
  return {
    'attention.indexer.head_count': uint(get('index_n_heads')),
    'attention.indexer.key_length': uint(get('index_head_dim')),
    'attention.indexer.top_k': uint(get('index_topk')),
  }
}

/** Latent attention, a few dense layers, then experts. */
export function isLatent(architecture: SyntheticArchitecture): boolean {
  return architecture === 'deepseek2' || architecture === 'deepseek32'
}

/** Under the names that families use. */
export function expertsOf(shape: ModelShape): number {
  const get = numberReader(shape)
  return get('n_routed_experts') || get('num_experts') || get('num_local_experts')
}

/** 0 for what is missing or not a number. */
export function numberReader(shape: ModelShape): (key: string) => number {
  return (key) => {
    const value = shape[key]
    return typeof value === 'number' && Number.isFinite(value) ? value : 0
  }
}

function uint(value: number): SyntheticValue {
  return { type: 'u32', value: Math.max(0, Math.floor(value)) }
}

function float(value: number): SyntheticValue {
  return { type: 'f32', value }
}
