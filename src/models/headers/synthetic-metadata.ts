/**
 * The metadata that llama.cpp's converter would write for a config.json: what libllama needs to build the model's graph, no more.
 * Source: llama.cpp conversion/*.py `set_gguf_parameters`.
 */
import type { ModelShape } from './model-header.ts'
import { denseWidthOf, expertsOf, expertWidthOf, headLength, isSynthetic, numberReader, traitsOf } from './synthetic-traits.ts'
import type { SyntheticArchitecture } from './synthetic-traits.ts'
import type { SyntheticValue } from './synthetic-value.ts'

type Values = Record<string, SyntheticValue>

/** Undefined when the architecture is not one of the list, or the shape lacks something. */
export function shapeMetadata(architecture: string, shape: ModelShape): Values | undefined {
  if (!isSynthetic(architecture)) return undefined
  const get = numberReader(shape)
  const [layers, hidden, heads] = [get('num_hidden_layers'), get('hidden_size'), get('num_attention_heads')]
  if (layers === 0 || hidden === 0 || heads === 0) return undefined
  const values: Values = {
    block_count: uint(layers),
    context_length: uint(get('max_position_embeddings') || 4096),
    embedding_length: uint(hidden),
    feed_forward_length: uint(denseWidthOf(shape) || get('moe_intermediate_size') || hidden),
    'attention.head_count': uint(heads),
    'attention.layer_norm_rms_epsilon': float(get('rms_norm_eps') || 1e-6),
    'rope.freq_base': float(get('rope_theta') || 10_000),
    ...(traitsOf(architecture).attention === 'latent' ? latentMetadata(shape) : groupedMetadata(shape, heads)),
    ...windowMetadata(architecture, shape),
    ...(architecture === 'deepseek32' ? indexerMetadata(shape) : {}),
    ...(traitsOf(architecture).hasDeltaNets === true ? deltaNetMetadata(shape) : {}),
    ...expertMetadata(architecture, shape),
  }
  const prefixed = Object.entries(values).map(([key, value]) => [`${architecture}.${key}`, value] as const)
  return { 'general.architecture': { type: 'string', value: architecture }, ...Object.fromEntries(prefixed) }
}

/** Some turn only a part of each head (GLM, Phi-4-mini, Qwen3-Next). */
function groupedMetadata(shape: ModelShape, heads: number): Values {
  const get = numberReader(shape)
  const length = headLength(shape)
  return {
    'attention.head_count_kv': uint(get('num_key_value_heads') || heads),
    'attention.key_length': uint(length),
    'attention.value_length': uint(length),
    'rope.dimension_count': uint(length * (get('partial_rotary_factor') || 1)),
  }
}

/** One latent head, as files since April 2025. */
function latentMetadata(shape: ModelShape): Values {
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

/** libllama knows the pattern by the architecture; Llama 4's chunks too. */
function windowMetadata(architecture: SyntheticArchitecture, shape: ModelShape): Values {
  const window = numberReader(shape)('sliding_window')
  const hasWindows = architecture === 'gemma2' || architecture === 'gemma3' || architecture === 'gpt-oss'
  return hasWindows && window > 0 ? { 'attention.sliding_window': uint(window) } : {}
}

function expertMetadata(architecture: SyntheticArchitecture, shape: ModelShape): Values {
  const get = numberReader(shape)
  const { hasDenseLead, shared, routerBias } = traitsOf(architecture)
  const experts = expertsOf(shape)
  if (experts === 0) return hasDenseLead === true ? { leading_dense_block_count: uint(get('num_hidden_layers')) } : {}
  return {
    expert_count: uint(experts),
    expert_used_count: uint(get('num_experts_per_tok') || get('experts_per_token') || 1),
    expert_feed_forward_length: uint(expertWidthOf(shape)),
    ...(hasDenseLead === true ? { leading_dense_block_count: uint(get('first_k_dense_replace')) } : {}),
    ...(shared === 'count' ? { expert_shared_count: uint(get('n_shared_experts')) } : {}),
    ...(shared === 'gated' ? { expert_shared_feed_forward_length: uint(get('shared_expert_intermediate_size')) } : {}),
    ...(shared === 'one' ? { interleave_moe_layer_step: uint(get('interleave_moe_layer_step') || 1) } : {}),
    ...(routerBias === undefined
      ? {}
      : {
          expert_weights_scale: float(get('routed_scaling_factor') || 1),
          expert_weights_norm: { type: 'bool', value: shape['norm_topk_prob'] === true },
          expert_gating_func: uint(shape['scoring_func'] === 'sigmoid' || routerBias === 'always' ? 2 : 1),
        }),
  }
}

/** Of the sparse attention of V3.2. */
function indexerMetadata(shape: ModelShape): Values {
  const get = numberReader(shape)
  return {
    'attention.indexer.head_count': uint(get('index_n_heads')),
    'attention.indexer.key_length': uint(get('index_head_dim')),
    'attention.indexer.top_k': uint(get('index_topk')),
  }
}

function deltaNetMetadata(shape: ModelShape): Values {
  const get = numberReader(shape)
  const valueHeads = get('linear_num_value_heads')
  return {
    'ssm.conv_kernel': uint(get('linear_conv_kernel_dim')),
    'ssm.state_size': uint(get('linear_key_head_dim')),
    'ssm.group_count': uint(get('linear_num_key_heads')),
    'ssm.time_step_rank': uint(valueHeads),
    'ssm.inner_size': uint(get('linear_value_head_dim') * valueHeads),
    full_attention_interval: uint(get('full_attention_interval') || 4),
  }
}

function uint(value: number): SyntheticValue {
  return { type: 'u32', value: Math.max(0, Math.floor(value)) }
}

function float(value: number): SyntheticValue {
  return { type: 'f32', value }
}
