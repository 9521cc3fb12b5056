/**
 * How the architectures that headers are made for differ from Llama's layer. Source: llama.cpp src/models/*.cpp `load_arch_hparams` and
 * `load_arch_tensors`, conversion/*.py (2026-09-28).
 */
import type { ModelShape } from './model-header.ts'

export interface ArchitectureTraits {
  attention: 'grouped' | 'latent'
  /** On queries, keys and values; `config` = as `attention_bias` says. */
  hasBias?: boolean | 'config'
  /** Of queries and keys; `config` = as `use_qk_norm` says. */
  hasHeadNorms?: boolean | 'config'
  /** Vectors of a layer beside those of its heads. */
  norms: readonly string[]
  /** Queries, keys and values are one matrix. */
  isFused?: boolean
  /** Gate and up are one matrix, called up. */
  isGateInUp?: boolean
  /** Every layer before `first_k_dense_replace` is dense. */
  hasDenseLead?: boolean
  /** Width of the expert that works for every token: so many routed ones, one, or as the config says with a gate of its own. */
  shared?: 'count' | 'one' | 'gated'
  /** A correction of the router is always there, or where `topk_method` says so. */
  routerBias?: 'always' | 'config'
  /** Biases everywhere, and an attention sink for each head (gpt-oss). */
  hasSinks?: boolean
  /** Head and embeddings are one unless the config says otherwise. */
  isTied?: boolean
  /** Gated delta nets between full attention (Qwen3-Next). */
  hasDeltaNets?: boolean
}

const USUAL = ['attn_norm', 'ffn_norm']
const SANDWICH = ['attn_norm', 'post_attention_norm', 'ffn_norm', 'post_ffw_norm']
const AFTER = ['attn_norm', 'post_attention_norm']

export const TRAITS = {
  llama: { attention: 'grouped', norms: USUAL },
  llama4: { attention: 'grouped', norms: USUAL, shared: 'one' },
  mistral3: { attention: 'grouped', norms: USUAL },
  smollm3: { attention: 'grouped', norms: USUAL },
  qwen2: { attention: 'grouped', norms: USUAL, hasBias: true },
  qwen2moe: { attention: 'grouped', norms: USUAL, hasBias: true, shared: 'gated' },
  qwen3: { attention: 'grouped', norms: USUAL, hasHeadNorms: true },
  qwen3moe: { attention: 'grouped', norms: USUAL, hasHeadNorms: true },
  qwen3next: { attention: 'grouped', norms: AFTER, hasHeadNorms: true, shared: 'gated', hasDeltaNets: true },
  deepseek: { attention: 'grouped', norms: USUAL, hasDenseLead: true, shared: 'count' },
  deepseek2: { attention: 'latent', norms: USUAL, hasDenseLead: true, shared: 'count', routerBias: 'config' },
  deepseek32: { attention: 'latent', norms: USUAL, hasDenseLead: true, shared: 'count', routerBias: 'config' },
  gemma2: { attention: 'grouped', norms: SANDWICH, isTied: true },
  gemma3: { attention: 'grouped', norms: SANDWICH, hasHeadNorms: true, isTied: true },
  'gpt-oss': { attention: 'grouped', norms: AFTER, hasBias: true, hasSinks: true },
  glm4: { attention: 'grouped', norms: SANDWICH, hasBias: 'config', isGateInUp: true },
  glm4moe: {
    attention: 'grouped',
    norms: AFTER,
    hasBias: 'config',
    hasHeadNorms: 'config',
    hasDenseLead: true,
    shared: 'count',
    routerBias: 'always',
  },
  phi3: { attention: 'grouped', norms: USUAL, isFused: true, isGateInUp: true },
} as const satisfies Readonly<Record<string, ArchitectureTraits>>

export type SyntheticArchitecture = keyof typeof TRAITS

export function isSynthetic(architecture: string): architecture is SyntheticArchitecture {
  return Object.hasOwn(TRAITS, architecture)
}

export function traitsOf(architecture: SyntheticArchitecture): ArchitectureTraits {
  return TRAITS[architecture]
}

/** Under the names that families use. */
export function expertsOf(shape: ModelShape): number {
  const get = numberReader(shape)
  return get('n_routed_experts') || get('num_experts') || get('num_local_experts')
}

/** Mixtral, gpt-oss and Llama 4 call it as a dense model does. */
export function expertWidthOf(shape: ModelShape): number {
  const get = numberReader(shape)
  return get('moe_intermediate_size') || get('intermediate_size')
}

/** Llama 4 has two widths, and only every so many layers experts. */
export function denseWidthOf(shape: ModelShape): number {
  const get = numberReader(shape)
  return get('intermediate_size_mlp') || get('intermediate_size')
}

export function isDenseLayer(architecture: SyntheticArchitecture, shape: ModelShape, layer: number): boolean {
  const get = numberReader(shape)
  if (expertsOf(shape) === 0) return true
  if (traitsOf(architecture).hasDenseLead === true && layer < get('first_k_dense_replace')) return true
  const step = get('interleave_moe_layer_step')
  return architecture === 'llama4' && step > 0 && (layer + 1) % step !== 0
}

/** Of Qwen3-Next every fourth layer, unless the config says otherwise. */
export function isDeltaNet(architecture: SyntheticArchitecture, shape: ModelShape, layer: number): boolean {
  if (traitsOf(architecture).hasDeltaNets !== true) return false
  return (layer + 1) % (numberReader(shape)('full_attention_interval') || 4) !== 0
}

export function headLength(shape: ModelShape): number {
  const get = numberReader(shape)
  return get('head_dim') || Math.floor(get('hidden_size') / Math.max(1, get('num_attention_heads')))
}

/** 0 for what is missing or not a number. */
export function numberReader(shape: ModelShape): (key: string) => number {
  return (key) => {
    const value = shape[key]
    return typeof value === 'number' && Number.isFinite(value) ? value : 0
  }
}
