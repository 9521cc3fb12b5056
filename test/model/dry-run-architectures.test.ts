/** Headers made from config.json, each architecture once: libllama builds its graph from them, and counts what our formulas count. */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { dryRun } from '../../src/engine/llama/dry-run.ts'
import { catalogueHeader } from '../../src/models/headers/catalogue-header.ts'
import { parseConfig } from '../../src/models/headers/config-shape.ts'
import type { ModelHeader } from '../../src/models/headers/model-header.ts'
import { syntheticGguf } from '../../src/models/headers/synthetic-gguf.ts'
import { kvSize } from '../../src/planner/kv-cache.ts'
import { kvModelOf } from '../../src/planner/kv-streams.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-dry-architectures-'))
  vi.stubEnv('TMPDIR', folder)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})

/** As on the hub, what matters of it. */
const CONFIGS: Readonly<Record<string, Record<string, unknown>>> = {
  'THUDM/GLM-4-9B-0414': {
    model_type: 'glm4',
    num_hidden_layers: 40,
    hidden_size: 4096,
    num_attention_heads: 32,
    num_key_value_heads: 2,
    head_dim: 128,
    intermediate_size: 13_696,
    vocab_size: 151_552,
    max_position_embeddings: 32_768,
    partial_rotary_factor: 0.5,
    attention_bias: true,
    tie_word_embeddings: false,
  },
  'microsoft/Phi-3.5-mini-instruct': {
    model_type: 'phi3',
    num_hidden_layers: 32,
    hidden_size: 3072,
    num_attention_heads: 32,
    num_key_value_heads: 32,
    intermediate_size: 8192,
    vocab_size: 32_064,
    max_position_embeddings: 131_072,
    tie_word_embeddings: false,
  },
  'mistralai/Ministral-3-8B-Instruct': {
    model_type: 'mistral3',
    text_config: {
      model_type: 'ministral3',
      num_hidden_layers: 34,
      hidden_size: 4096,
      num_attention_heads: 32,
      num_key_value_heads: 8,
      head_dim: 128,
      intermediate_size: 14_336,
      vocab_size: 131_072,
      max_position_embeddings: 262_144,
    },
  },
  'meta-llama/Llama-4-Scout-17B-16E': {
    model_type: 'llama4',
    text_config: {
      model_type: 'llama4_text',
      num_hidden_layers: 48,
      hidden_size: 5120,
      num_attention_heads: 40,
      num_key_value_heads: 8,
      head_dim: 128,
      intermediate_size: 8192,
      intermediate_size_mlp: 16_384,
      interleave_moe_layer_step: 1,
      num_local_experts: 16,
      num_experts_per_tok: 1,
      vocab_size: 202_048,
      max_position_embeddings: 262_144,
      attention_chunk_size: 8192,
      tie_word_embeddings: false,
    },
  },
  'Qwen/Qwen3-Next-80B-A3B-Instruct': {
    model_type: 'qwen3_next',
    num_hidden_layers: 48,
    hidden_size: 2048,
    num_attention_heads: 16,
    num_key_value_heads: 2,
    head_dim: 256,
    intermediate_size: 5120,
    moe_intermediate_size: 512,
    shared_expert_intermediate_size: 512,
    num_experts: 512,
    num_experts_per_tok: 10,
    full_attention_interval: 4,
    linear_conv_kernel_dim: 4,
    linear_key_head_dim: 128,
    linear_value_head_dim: 128,
    linear_num_key_heads: 16,
    linear_num_value_heads: 32,
    partial_rotary_factor: 0.25,
    vocab_size: 151_936,
    max_position_embeddings: 262_144,
    tie_word_embeddings: false,
  },
  'Qwen/Qwen1.5-MoE-A2.7B': {
    model_type: 'qwen2_moe',
    num_hidden_layers: 24,
    hidden_size: 2048,
    num_attention_heads: 16,
    num_key_value_heads: 16,
    intermediate_size: 5632,
    moe_intermediate_size: 1408,
    shared_expert_intermediate_size: 5632,
    num_experts: 60,
    num_experts_per_tok: 4,
    vocab_size: 151_936,
    max_position_embeddings: 8192,
    tie_word_embeddings: false,
  },
  'google/gemma-2-9b-it': {
    model_type: 'gemma2',
    num_hidden_layers: 42,
    hidden_size: 3584,
    num_attention_heads: 16,
    num_key_value_heads: 8,
    head_dim: 256,
    intermediate_size: 14_336,
    vocab_size: 256_000,
    max_position_embeddings: 8192,
    sliding_window: 4096,
  },
  'HuggingFaceTB/SmolLM3-3B': {
    model_type: 'smollm3',
    num_hidden_layers: 36,
    hidden_size: 2048,
    num_attention_heads: 16,
    num_key_value_heads: 4,
    intermediate_size: 11_008,
    vocab_size: 128_256,
    max_position_embeddings: 65_536,
    tie_word_embeddings: true,
  },
}
const CATALOGUED = ['google/gemma-3-1b-it', 'openai/gpt-oss-20b', 'zai-org/GLM-4.5-Air', 'deepseek-ai/deepseek-moe-16b-chat']

function headerOf(name: string): ModelHeader {
  const known = catalogueHeader(name)
  if (known) return known
  const config = parseConfig(Buffer.from(JSON.stringify(CONFIGS[name])), 'config.json')
  return { source: 'config', ...config, quantization: 'BF16', files: [], readBytes: 0, requests: 0 }
}

it.each([...CATALOGUED, ...Object.keys(CONFIGS)])(
  '%s: weights and cache as libllama counts them are those of the formulas',
  async (name) => {
    const header = headerOf(name)
    const model = syntheticGguf(header)
    expect(model, header.architecture).toBeDefined()
    if (!model) return
    const common = { parallel: 2, kvLayout: 'split' } as const
    const wishes = [{ ...common, context: 4096, kvType: 'f16' } as const, { ...common, context: 32_768, kvType: 'q8_0' } as const]
    const answers = await dryRun(model, wishes)
    const weights = model.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0)
    for (const [index, { context, kvType, parallel, kvLayout }] of wishes.entries()) {
      const said = answers[index]
      const own = kvSize(kvModelOf(header.shape), {
        context,
        users: parallel,
        type: kvType,
        layout: kvLayout,
        allocation: 'llama',
        fullWindows: true,
      })
      // The log prints hundredths of a MiB.
      expect(Math.abs((said?.kv ?? 0) - own.bytes) / own.bytes, `cache at ${context} ${kvType}`).toBeLessThan(0.003)
      expect(said?.compute, `compute at ${context}`).toBeGreaterThan(0)
    }
    expect(Math.abs((answers[0]?.weights ?? 0) - weights) / weights).toBeLessThan(0.005)
  },
  60_000,
)
