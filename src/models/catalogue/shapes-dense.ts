/** config.json of the dense models, by the names that the file itself uses. Source: shared/facts/models.json. */
import type { Shape } from './repository.ts'

export const LLM_7B: Shape = {
  num_hidden_layers: 30,
  hidden_size: 4096,
  num_attention_heads: 32,
  num_key_value_heads: 32,
  head_dim: 128,
  intermediate_size: 11_008,
  vocab_size: 102_400,
  max_position_embeddings: 4096,
  rope_theta: 10_000,
  rope_scaling: null,
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
  quantization_config: null,
  qkv_bias: false,
  qk_norm: false,
  bos_token_id: 100_000,
  eos_token_id: 100_001,
}

export const LLM_67B: Shape = {
  ...LLM_7B,
  num_hidden_layers: 95,
  hidden_size: 8192,
  num_attention_heads: 64,
  num_key_value_heads: 8,
  intermediate_size: 22_016,
}

export const CODER_1B_BASE: Shape = {
  num_hidden_layers: 24,
  hidden_size: 2048,
  num_attention_heads: 16,
  num_key_value_heads: 16,
  head_dim: 128,
  intermediate_size: 5504,
  vocab_size: 32_256,
  max_position_embeddings: 16_384,
  rope_theta: 100_000,
  rope_scaling: { type: 'linear', factor: 4 },
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
  quantization_config: null,
  qkv_bias: false,
  qk_norm: false,
  bos_token_id: 32_013,
  eos_token_id: 32_014,
}

export const CODER_1B: Shape = { ...CODER_1B_BASE, eos_token_id: 32_021 }

export const CODER_5B_MQA: Shape = {
  ...CODER_1B_BASE,
  num_hidden_layers: 32,
  hidden_size: 4096,
  num_attention_heads: 32,
  num_key_value_heads: 1,
  intermediate_size: 11_008,
}

export const CODER_6B_BASE: Shape = { ...CODER_5B_MQA, num_key_value_heads: 32 }

export const CODER_6B: Shape = { ...CODER_6B_BASE, eos_token_id: 32_021 }

export const CODER_33B_BASE: Shape = {
  ...CODER_1B_BASE,
  num_hidden_layers: 62,
  hidden_size: 7168,
  num_attention_heads: 56,
  num_key_value_heads: 8,
  intermediate_size: 19_200,
}

export const CODER_33B: Shape = { ...CODER_33B_BASE, eos_token_id: 32_021 }

export const CODER_7B_V15: Shape = { ...LLM_7B, eos_token_id: 100_015 }

export const QWEN_1B: Shape = {
  ...LLM_7B,
  num_hidden_layers: 28,
  hidden_size: 1536,
  num_attention_heads: 12,
  num_key_value_heads: 2,
  intermediate_size: 8960,
  vocab_size: 151_936,
  max_position_embeddings: 131_072,
  qkv_bias: true,
  bos_token_id: 151_646,
  eos_token_id: 151_643,
}

export const QWEN_7B: Shape = {
  ...QWEN_1B,
  hidden_size: 3584,
  num_attention_heads: 28,
  num_key_value_heads: 4,
  intermediate_size: 18_944,
  vocab_size: 152_064,
}

export const QWEN_14B: Shape = {
  ...QWEN_7B,
  num_hidden_layers: 48,
  hidden_size: 5120,
  num_attention_heads: 40,
  num_key_value_heads: 8,
  intermediate_size: 13_824,
  rope_theta: 1_000_000,
}

export const QWEN_32B: Shape = { ...QWEN_14B, num_hidden_layers: 64, intermediate_size: 27_648 }

export const LLAMA_8B: Shape = {
  ...CODER_5B_MQA,
  num_key_value_heads: 8,
  intermediate_size: 14_336,
  vocab_size: 128_256,
  max_position_embeddings: 131_072,
  rope_theta: 500_000,
  rope_scaling: { rope_type: 'llama3', factor: 8, original_max_position_embeddings: 8192, low_freq_factor: 1, high_freq_factor: 4 },
  bos_token_id: 128_000,
  eos_token_id: 128_001,
}

export const LLAMA_70B: Shape = {
  ...LLAMA_8B,
  num_hidden_layers: 80,
  hidden_size: 8192,
  num_attention_heads: 64,
  intermediate_size: 28_672,
}

export const QWEN3_8B: Shape = {
  ...LLAMA_8B,
  num_hidden_layers: 36,
  intermediate_size: 12_288,
  vocab_size: 151_936,
  rope_theta: 1_000_000,
  rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32_768 },
  qk_norm: true,
  bos_token_id: 151_643,
  eos_token_id: 151_645,
}

export const PROVER_V2_7B: Shape = { ...LLM_7B, max_position_embeddings: 32_768 }
