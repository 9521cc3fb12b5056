import { describe, expect, test } from 'vitest'

import { ggufBytes, tinyModelBytes } from '../../test/fakes/gguf-header.ts'
import type { MetadataItem } from '../../test/fakes/gguf-header.ts'
import { memorySource } from './byte-source.ts'
import { parseGguf } from './gguf.ts'
import { factsOf, mergeHeaders, splitCountOf } from './model-facts.ts'
import type { ModelFacts } from './model-facts.ts'

const u32 = (value: number): MetadataItem => ({ type: 'u32', value })

async function facts(architecture: string, keys: Record<string, MetadataItem>): Promise<ModelFacts> {
  const metadata = Object.fromEntries(
    Object.entries(keys).map(([key, value]) => [
      key.includes('.') && /^(general|tokenizer)\./.test(key) ? key : `${architecture}.${key}`,
      value,
    ]),
  )
  const data = ggufBytes({
    metadata: { 'general.architecture': { type: 'string', value: architecture }, ...metadata },
    tensors: [{ name: 'token_embd.weight', shape: [32, 10] }],
  })
  return factsOf(await parseGguf(memorySource(data), 'x.gguf'))
}

// Expected bytes per token: the catalogue research's kv_cache.llamacpp_f16_bytes_per_token.
describe('KV bytes per token are those that libllama allocates', () => {
  test('grouped queries: R1-Distill-Qwen-1.5B', async () => {
    const model = await facts('qwen2', {
      block_count: u32(28),
      embedding_length: u32(1536),
      'attention.head_count': u32(12),
      'attention.head_count_kv': u32(2),
    })
    expect(model.attention).toBe('gqa')
    expect(model.kvBytesPerToken('f16')).toBe(28_672)
    expect(model.kvBytesPerToken('q8_0')).toBe((28_672 / 2 / 32) * 34)
    expect(model.kvBytesPerToken('q4_0')).toBe((28_672 / 2 / 32) * 18)
  })

  test('all heads: deepseek-coder-6.7b', async () => {
    const model = await facts('llama', { block_count: u32(32), embedding_length: u32(4096), 'attention.head_count': u32(32) })
    expect(model.attention).toBe('mha')
    expect(model.kvBytesPerToken('f16')).toBe(524_288)
  })

  const deepseek = { block_count: u32(61), embedding_length: u32(7168), 'attention.head_count': u32(128) }

  test('the MLA latent, K alone: DeepSeek-V3', async () => {
    const model = await facts('deepseek2', {
      ...deepseek,
      'attention.head_count_kv': u32(1),
      'attention.key_length': u32(576),
      'attention.value_length': u32(512),
      'attention.key_length_mla': u32(192),
      'attention.value_length_mla': u32(128),
      'attention.kv_lora_rank': u32(512),
    })
    expect(model.attention).toBe('mla')
    expect(model.kvBytesPerToken('f16')).toBe(70_272)
  })

  test('old files of DeepSeek-V3 without the latent take 71 times as much', async () => {
    const model = await facts('deepseek2', {
      ...deepseek,
      'attention.head_count_kv': u32(128),
      'attention.key_length': u32(192),
      'attention.value_length': u32(128),
    })
    expect(model.kvBytesPerToken('f16')).toBe(4_997_120)
  })

  test('the indexer of DeepSeek-V3.2 adds its keys', async () => {
    const model = await facts('deepseek32', {
      ...deepseek,
      'attention.head_count_kv': u32(1),
      'attention.key_length': u32(576),
      'attention.value_length': u32(512),
      'attention.key_length_mla': u32(192),
      'attention.value_length_mla': u32(128),
      'attention.indexer.key_length': u32(128),
    })
    expect(model.kvBytesPerToken('f16')).toBe(70_272 + 61 * 128 * 2)
  })

  test('layers without a cache of their own count nothing, and have a state instead', async () => {
    const model = await facts('hybrid', {
      block_count: u32(4),
      embedding_length: u32(64),
      'attention.head_count': u32(4),
      'attention.head_count_kv': { type: 'u32s', value: [0, 2, 0, 2] },
      'ssm.inner_size': u32(128),
      'ssm.state_size': u32(16),
      'ssm.conv_kernel': u32(4),
      'ssm.group_count': u32(1),
    })
    expect(model.kvBytesPerToken('f16')).toBe(2 * 2 * 2 * 16 * 2)
    expect(model.stateBytesPerSequence).toBe(2 * 4 * (3 * (128 + 32) + 16 * 128))
  })
})

test('parameters, weights and names are those of the file', async () => {
  const header = await parseGguf(memorySource(tinyModelBytes({ vocabulary: 8 })), 'x.gguf')
  expect(factsOf(header)).toMatchObject({
    architecture: 'llama',
    name: 'Tiny',
    parameters: 64 * 8 + 64 * 64,
    weightBytes: 4 * (64 * 8 + 64 * 64),
    outerWeightBytes: 4 * 64 * 8,
    quantization: 'F32',
    trainedContext: 2048,
    layers: 2,
    vocabularySize: 8,
    license: 'apache-2.0',
  })
})

describe('what is no language model is refused with the reason', () => {
  test.each([
    ['clip', {}, /vision part/],
    ['llama', {}, /block_count is missing/],
    ['llama', { block_count: u32(100_000), embedding_length: u32(8) }, /block_count is 100000/],
    ['llama', { block_count: u32(2) }, /embedding_length is missing/],
    ['llama', { 'general.type': { type: 'string', value: 'adapter' } }, /adapter/],
  ] as const)('%s %j', async (architecture, keys, message) => {
    await expect(facts(architecture, keys)).rejects.toThrow(message)
  })
})

test('parts of a split model are counted together, and missing parts are told', async () => {
  const part = async (count: number): Promise<Awaited<ReturnType<typeof parseGguf>>> => {
    const data = ggufBytes({ metadata: { 'split.count': u32(count) }, tensors: [{ name: `a${count}`, shape: [32] }] })
    return parseGguf(memorySource(data), 'x.gguf')
  }
  const [first, second] = [await part(2), await part(2)]
  expect(splitCountOf(first)).toBe(2)
  const merged = mergeHeaders([first, second])
  expect(merged.tensors).toHaveLength(2)
  expect(merged.bytes).toBe(first.bytes + second.bytes)
  expect(() => mergeHeaders([first], 'x.gguf')).toThrow(/has 2 parts, and 1 are here/)
})
