import fc from 'fast-check'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { PLAN_KV_TYPES } from '../shared/plan.ts'
import { REPOSITORIES, repositoryOf } from '../models/catalogue/repositories.ts'
import { bytesPerToken, kvSize } from './kv-cache.ts'
import type { KvWish } from './kv-cache.ts'
import { kvModelOf } from './kv-streams.ts'
import type { KvModel } from './kv-streams.ts'

const LLAMA: KvWish = { context: 4096, users: 1, type: 'f16', layout: 'split', allocation: 'llama' }

function modelOf(id: string, layout: 'latent' | 'legacy' = 'latent'): KvModel {
  const shape = repositoryOf(id)?.shape
  if (!shape) throw new Error(`no shape of ${id}`)
  return kvModelOf(shape, layout)
}

const bytes = (id: string, wish: Partial<KvWish> = {}, layout: 'latent' | 'legacy' = 'latent'): number =>
  kvSize(modelOf(id, layout), { ...LLAMA, ...wish }).bytes

describe('R1 and V3', () => {
  test('take 9.21 GB at 131,072 tokens', () => {
    expect(bytes('DeepSeek-R1', { context: 131_072 })).toBe(9_210_691_584)
    expect(bytes('DeepSeek-V3', { context: 131_072 })).toBe(9_210_691_584)
  })

  test('take 71 times as much in the layout of old GGUF files', () => {
    expect(bytesPerToken(modelOf('DeepSeek-R1', 'legacy'), LLAMA)).toBe(4_997_120)
    expect(Math.floor(bytes('DeepSeek-R1', {}, 'legacy') / bytes('DeepSeek-R1'))).toBe(71)
  })

  test('take 8.5 of 16 bits with q8_0, 4.5 of 16 with q4_0, half with fp8', () => {
    const f16 = bytes('DeepSeek-R1')
    expect(bytes('DeepSeek-R1', { type: 'q8_0' })).toBe((f16 * 8.5) / 16)
    expect(bytes('DeepSeek-R1', { type: 'q4_0' })).toBe((f16 * 4.5) / 16)
    expect(bytes('DeepSeek-R1', { type: 'fp8' })).toBe(f16 / 2)
  })
})

describe('layouts', () => {
  test('split pads each sequence to 256 cells, unified the pool', () => {
    const wish = { context: 1000, users: 3 }
    expect(bytes('DeepSeek-R1', { ...wish, layout: 'split' })).toBe(3 * 1024 * 70_272)
    expect(bytes('DeepSeek-R1', { ...wish, layout: 'unified' })).toBe(3072 * 70_272)
    expect(bytes('DeepSeek-R1', { context: 900, users: 3, layout: 'unified' })).toBe(2816 * 70_272)
  })

  test('V4 never shares cells between sequences', () => {
    const one = bytes('DeepSeek-V4-Flash', { layout: 'unified' })
    expect(bytes('DeepSeek-V4-Flash', { layout: 'unified', users: 5 })).toBe(5 * one)
  })

  test('a sliding window keeps itself and a micro-batch, or everything when it is asked to be full', () => {
    // gpt-oss-20b: 12 layers of a window of 128 and 12 of everything, 8 key heads of 64.
    const row = 2 * 8 * 64 * 2
    expect(bytes('gpt-oss-20b', { context: 32_768 })).toBe(12 * row * 768 + 12 * row * 32_768)
    expect(bytes('gpt-oss-20b', { context: 32_768, fullWindows: true })).toBe(24 * row * 32_768)
    expect(bytes('gpt-oss-20b', { context: 512 })).toBe(24 * row * 512)
  })
})

describe('what other engines store', () => {
  test('fp8 rows of V3.2 and V4 have their own layout', () => {
    const fp8 = { type: 'fp8', allocation: 'paged' } as const
    expect(bytesPerToken(modelOf('DeepSeek-V3.2'), fp8)).toBe(48_068)
    expect(bytesPerToken(modelOf('DeepSeek-V4-Flash'), fp8)).toBe(3850.25)
    expect(bytesPerToken(modelOf('DeepSeek-V4-Pro'), fp8)).toBe(5511.4375)
    expect(bytesPerToken(modelOf('DeepSeek-V4.1-Flash'), fp8)).toBe(1790)
  })
})

describe('recurrent and hybrid models', () => {
  const hybrid = {
    num_hidden_layers: 48,
    hidden_size: 2048,
    num_attention_heads: 16,
    num_key_value_heads: 2,
    head_dim: 256,
    full_attention_interval: 4,
    linear_num_value_heads: 32,
    linear_num_key_heads: 16,
    linear_key_head_dim: 128,
    linear_value_head_dim: 128,
    linear_conv_kernel_dim: 4,
    vocab_size: 151_936,
  }

  test('keep keys in every fourth layer and a state of fixed size in the others', () => {
    const state = 4 * (3 * (4096 + 2 * 16 * 128) + 128 * 4096)
    const model = kvModelOf(hybrid)
    expect(kvSize(model, LLAMA).bytes).toBe(12 * 4096 * 2 * 512 * 2 + 36 * state)
    expect(kvSize(model, { ...LLAMA, users: 4 }).fixedBytesPerSequence).toBe(36 * state)
    expect(model.scheme).toBe('recurrent')
  })
})

const factsFile = fileURLToPath(new URL('../../../shared/facts/models.json', import.meta.url))
interface Fact {
  id: string
  kv_cache: { [key: string]: unknown } | null
  kv_cache_bytes_f16_one_sequence_at: Record<string, number> | null
}

const inHouse = existsSync(factsFile)
describe.skipIf(!inHouse)(`against shared/facts/models.json${inHouse ? '' : ' (skipped: the facts lie beside our checkout only)'}`, () => {
  const facts = inHouse ? (JSON.parse(readFileSync(factsFile, 'utf8')) as Fact[]) : []
  const known = facts.filter((fact) => fact.kv_cache_bytes_f16_one_sequence_at !== null && repositoryOf(fact.id)?.shape)

  test('every size of every model is the same to the byte', () => {
    let compared = 0
    for (const { id, kv_cache_bytes_f16_one_sequence_at: sizes } of known) {
      const model = modelOf(id)
      for (const [context, expected] of Object.entries(sizes ?? {})) {
        const { bytes: all, parts } = kvSize(model, { ...LLAMA, context: Number(context) })
        // The facts count V4.1's streams alone; its windows are a constant beside them.
        const window = model.scheme === 'V4.1' ? (parts.find((part) => part.stream === 'compressed-window')?.bytes ?? 0) : 0
        expect(all - window, `${id} at ${context}`).toBe(expected)
        compared += 1
      }
    }
    expect(known.length).toBeGreaterThanOrEqual(70)
    expect(compared).toBeGreaterThan(330)
  })

  test('so are the bytes per token, the legacy layout, fp8 and the fixed part', () => {
    for (const { id, kv_cache: kv } of known) {
      const model = modelOf(id)
      const perToken =
        kv?.['llamacpp_f16_bytes_per_token'] ?? kv?.['llamacpp_f16_bytes_per_token_asymptotic'] ?? kv?.['bf16_bytes_per_token_asymptotic']
      expect(bytesPerToken(model, LLAMA), id).toBe(perToken)
      const legacy = kv?.['legacy_gguf_full_mha_f16_bytes_per_token']
      if (typeof legacy === 'number') expect(bytesPerToken(modelOf(id, 'legacy'), LLAMA), id).toBe(legacy)
      const fp8 =
        kv?.['vllm_fp8_bytes_per_token'] ?? kv?.['vllm_sglang_fp8_bytes_per_token_asymptotic'] ?? kv?.['fp8_bytes_per_token_asymptotic']
      if (typeof fp8 === 'number') expect(bytesPerToken(model, { type: 'fp8', allocation: 'paged' }), id).toBe(fp8)
      const fixed = kv?.['fixed_bytes_llamacpp_per_sequence']
      if (typeof fixed !== 'number') continue
      const { parts, fixedBytesPerSequence } = kvSize(model, { ...LLAMA, context: 65_536 })
      expect(fixedBytesPerSequence + (parts.find((part) => part.stream === 'compressed-window')?.bytes ?? 0), id).toBe(fixed)
    }
  })
})

test('the catalogue says the same bytes per token for every model that has a shape', () => {
  const known = REPOSITORIES.filter((model) => model.shape && model.kv?.bytesPerToken)
  expect(known.length).toBeGreaterThan(70)
  for (const model of known) expect(bytesPerToken(modelOf(model.id), LLAMA), model.id).toBe(model.kv?.bytesPerToken)
})

test('the cache never shrinks with context or users, nor grows with a smaller type', () => {
  const models = REPOSITORIES.filter((model) => model.shape)
  const wishes = fc.record({
    model: fc.constantFrom(...models),
    context: fc.integer({ min: 1, max: 1_048_576 }),
    users: fc.integer({ min: 1, max: 256 }),
    type: fc.constantFrom(...PLAN_KV_TYPES),
    layout: fc.constantFrom('unified' as const, 'split' as const),
    allocation: fc.constantFrom('llama' as const, 'paged' as const),
    fullWindows: fc.boolean(),
    more: fc.integer({ min: 0, max: 100_000 }),
  })
  fc.assert(
    fc.property(wishes, ({ model, more, ...wish }) => {
      const kv = modelOf(model.id)
      const size = kvSize(kv, wish)
      expect(size.bytes).toBeGreaterThan(0)
      expect(size.parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(size.bytes)
      expect(kvSize(kv, { ...wish, context: wish.context + more }).bytes).toBeGreaterThanOrEqual(size.bytes)
      expect(kvSize(kv, { ...wish, users: wish.users + 1 }).bytes).toBeGreaterThanOrEqual(size.bytes)
      expect(kvSize(kv, { ...wish, type: 'q4_0' }).bytes).toBeLessThanOrEqual(kvSize(kv, { ...wish, type: 'q8_0' }).bytes)
      expect(kvSize(kv, { ...wish, type: 'q8_0' }).bytes).toBeLessThanOrEqual(kvSize(kv, { ...wish, type: 'f16' }).bytes)
    }),
    { numRuns: 150 },
  )
})
