import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { REPOSITORIES, repositoryOf } from '../models/catalogue/repositories.ts'
import type { HeaderTensor, ModelHeader } from '../models/headers/model-header.ts'
import { GGUF_QUANTIZATIONS, recipeTypes } from './gguf-recipe.ts'
import { elementsOf, placeOf } from './planned-tensor.ts'
import { shapeFacts } from './shape-facts.ts'
import { shapeTensors } from './shape-tensors.ts'
import { typeForRow } from './tensor-types.ts'
import { quantizationNamed, QUANTIZATIONS, weightsOf } from './weights.ts'

function headerOf(id: string): ModelHeader {
  const model = repositoryOf(id)
  if (!model?.shape) throw new Error(`no shape of ${id}`)
  const { shape, llamaCpp, modelType, context } = model
  const common = { files: [], readBytes: 0, requests: 0, quantization: 'BF16', trainedContext: context ?? 0 }
  return { source: 'catalogue', architecture: llamaCpp.arch ?? modelType, shape, ...common }
}

const total = (id: string, quantization: string): number => weightsOf(headerOf(id), quantization).total

describe('parameters by formula', () => {
  const exact = REPOSITORIES.filter((model) => model.shape && model.parameters.exact !== null)

  test('are the exact count of every dense, expert and latent model of the catalogue', () => {
    expect(exact.length).toBeGreaterThan(80)
    for (const { id, parameters } of exact) expect(weightsOf(headerOf(id), 'BF16').parameters, id).toBe(parameters.exact)
  })

  test('agree with what is published of V4 and V4.1', () => {
    const billions = (id: string): number => weightsOf(headerOf(id), 'FP4+FP8').parameters / 1e9
    expect(billions('DeepSeek-V4-Flash')).toBeCloseTo(284, -0.5)
    expect(billions('DeepSeek-V4-Pro')).toBeGreaterThan(1550)
    expect(billions('DeepSeek-V4-Pro')).toBeLessThan(1620)
    expect(billions('DeepSeek-V4.1-Flash')).toBeCloseTo(552, -0.5)
  })

  test('of multi-token prediction are beside the model: 11.5B of its own, 14B with copies of embedding and head', () => {
    const draft = shapeTensors('deepseek2', shapeFacts(headerOf('DeepSeek-R1').shape)).filter((tensor) => tensor.part === 'draft')
    const own = draft.filter(({ name }) => !/embed_tokens|shared_head/.test(name))
    expect(own.reduce((sum, tensor) => sum + elementsOf(tensor), 0) / 1e9).toBeCloseTo(11.6, 1)
    expect(draft.reduce((sum, tensor) => sum + elementsOf(tensor), 0) / 1e9).toBeCloseTo(13.5, 1)
  })
})

// Sizes of real files, bytes (shared facts models.md 6). A file has some megabytes of metadata beside its tensors.
test.each([
  ['DeepSeek-R1', 'Q8_0', 713_286_514_368, 0.0001],
  ['DeepSeek-R1', 'BF16', 1_342_273_048_096, 0.0001],
  ['DeepSeek-R1', 'Q4_K_M', 404.4e9, 0.001],
  ['DeepSeek-R1-Distill-Qwen-7B', 'Q2_K', 3.02e9, 0.005],
  ['DeepSeek-R1-Distill-Qwen-7B', 'IQ2_M', 2.78e9, 0.005],
  ['DeepSeek-R1-Distill-Qwen-7B', 'Q3_K_M', 3.81e9, 0.005],
  ['DeepSeek-R1-Distill-Qwen-7B', 'Q4_0', 4.43e9, 0.005],
  ['DeepSeek-R1-Distill-Qwen-7B', 'Q4_K_S', 4.46e9, 0.005],
  ['DeepSeek-R1-Distill-Qwen-7B', 'Q4_K_M', 4.68e9, 0.005],
  ['DeepSeek-R1-Distill-Qwen-7B', 'Q5_K_S', 5.32e9, 0.005],
  ['DeepSeek-R1-Distill-Qwen-7B', 'Q6_K', 6.25e9, 0.005],
  ['DeepSeek-R1-Distill-Qwen-7B', 'Q8_0', 8.1e9, 0.005],
  ['DeepSeek-R1-Distill-Qwen-14B', 'Q2_K', 5.77e9, 0.005],
  ['DeepSeek-R1-Distill-Qwen-14B', 'IQ3_M', 6.92e9, 0.005],
  ['DeepSeek-R1-Distill-Qwen-14B', 'IQ4_XS', 8.12e9, 0.01],
  ['DeepSeek-R1-Distill-Qwen-32B', 'Q4_K_M', 19.85e9, 0.005],
  ['DeepSeek-R1-Distill-Llama-70B', 'Q4_K_M', 42.52e9, 0.005],
  ['DeepSeek-Coder-V2-Lite-Instruct', 'Q4_K_M', 10.36e9, 0.005],
  ['DeepSeek-V4-Flash-0731', 'MXFP4', 156e9, 0.01],
])('%s in %s is as large as the file that exists', (id, quantization, bytes, tolerance) => {
  expect(Math.abs(total(id, quantization) / bytes - 1)).toBeLessThan(tolerance)
})

test('the FP8 release of R1, with its prediction layer, is as large as the repository', () => {
  const { total: main, draft } = weightsOf(headerOf('DeepSeek-R1'), 'FP8')
  expect(Math.abs((main + draft) / 688_586_727_753 - 1)).toBeLessThan(0.001)
})

describe('rows that are no multiple of 256', () => {
  test.each([
    ['IQ2_XS', 'IQ4_NL'],
    ['Q2_K', 'Q4_0'],
    ['Q3_K', 'Q4_0'],
    ['Q4_K', 'Q5_0'],
    ['Q5_K', 'Q5_1'],
    ['Q6_K', 'Q8_0'],
    ['Q8_0', 'Q8_0'],
  ])('%s becomes %s', (wished, got) => {
    expect(typeForRow(wished, 1408)).toBe(got)
    expect(typeForRow(wished, 2048)).toBe(wished)
  })

  test('of 20 become F16', () => {
    expect(typeForRow('Q4_K', 20)).toBe('F16')
    expect(typeForRow('Q8_0', 20)).toBe('F16')
  })

  test('make V2-Lite more than a tenth larger than its bits per weight say', () => {
    expect(total('DeepSeek-V2-Lite', 'Q4_K_M') / ((15_706_484_224 * 4.82) / 8)).toBeGreaterThan(1.08)
  })
})

test("llama.cpp's mixes give more bits to the first, the last and every third layer", () => {
  const facts = shapeFacts(headerOf('DeepSeek-R1-Distill-Qwen-7B').shape)
  const tensors = shapeTensors('qwen2', facts)
  const recipe = { architecture: 'qwen2', layers: 28, headsPerKey: 7, experts: 0, isTied: false }
  const types = recipeTypes('Q4_K_M', tensors, recipe) ?? []
  const typeOf = (name: string): string | undefined => types[tensors.findIndex((tensor) => tensor.name === name)]
  expect([0, 3, 4, 5, 23, 24].map((layer) => typeOf(`blk.${layer}.ffn_down.weight`))).toEqual([
    'Q6_K',
    'Q4_K',
    'Q4_K',
    'Q6_K',
    'Q6_K',
    'Q6_K',
  ])
  expect(typeOf('output.weight')).toBe('Q6_K')
  expect(typeOf('blk.0.attn_norm.weight')).toBe('F32')
  expect(typeOf('blk.0.attn_q.bias')).toBe('F32')
})

describe('a header with tensors', () => {
  const shape = { num_hidden_layers: 1, hidden_size: 256, num_attention_heads: 2, num_key_value_heads: 2, vocab_size: 512 }
  const tensor = (name: string, rows: number, columns: number, bytes: number): HeaderTensor => ({
    name,
    shape: [rows, columns],
    type: 'Q8_0',
    bytes,
  })
  const header: ModelHeader = {
    source: 'gguf',
    architecture: 'llama',
    shape,
    tensors: [
      tensor('token_embd.weight', 512, 256, 139_264),
      tensor('blk.0.attn_q.weight', 256, 256, 69_632),
      tensor('blk.0.ffn_up_exps.weight', 1024, 256, 278_528),
      tensor('blk.1.nextn.eh_proj.weight', 256, 512, 139_264),
    ],
    quantization: 'Q8_0',
    trainedContext: 0,
    files: [],
    readBytes: 0,
    requests: 0,
  }

  test('is counted as it is, its drafts apart', () => {
    const weights = weightsOf(header)
    expect(weights).toMatchObject({ basis: 'exact', embedding: 139_264, draft: 139_264, isTied: true, total: 139_264 + 69_632 + 278_528 })
    expect(weights.layers).toEqual([{ attention: 69_632, dense: 0, experts: 278_528 }])
    expect(weights.parameters).toBe((512 + 256 + 1024) * 256)
  })

  test("is counted by llama.cpp's rules in another quantisation", () => {
    const weights = weightsOf(header, 'Q4_0')
    expect(weights).toMatchObject({ basis: 'recipe', quantization: 'Q4_0' })
    // Tied embeddings are the head, and get its type.
    expect(weights.embedding).toBe(512 * 210)
    expect(weights.layers[0]).toEqual({ attention: 256 * 8 * 18, dense: 0, experts: 1024 * 8 * 18 })
  })

  test('of a quantisation that no rule knows keeps its own size, and is a measured average else', () => {
    expect(weightsOf({ ...header, quantization: 'AQLM' }).basis).toBe('exact')
    const { tensors: _, ...bare } = header
    expect(weightsOf({ ...bare, shape: { hidden_size: 256 }, quantization: 'AQLM' })).toMatchObject({ basis: 'measured', total: 0 })
  })
})

test.each([
  ['blk.3.ffn_gate_exps.weight', 'experts', 3],
  ['model.layers.3.mlp.experts.7.up_proj.weight', 'experts', 3],
  ['model.layers.3.mlp.shared_experts.up_proj.weight', 'dense', 3],
  ['model.layers.3.self_attn.q_a_proj.weight', 'attention', 3],
  ['model.layers.61.eh_proj.weight', 'draft', undefined],
  ['mtp.0.enorm.weight', 'draft', undefined],
  ['lm_head.weight', 'output', undefined],
  ['model.norm.weight', 'output', undefined],
  ['model.embed_tokens.weight', 'embedding', undefined],
  ['token_embd.weight', 'embedding', undefined],
  ['vision.blocks.0.attn.weight', 'vision', undefined],
])('%s belongs to %s', (name, part, layer) => {
  expect(placeOf(name, 61)).toEqual({ part, ...(layer === undefined ? {} : { layer }) })
})

test('quantisations are found in any case, and by usual synonyms', () => {
  expect(['q4_k_m', 'FP16', 'fp8', 'q4', 'awq-4bit', 'mxfp4'].map(quantizationNamed)).toEqual([
    'Q4_K_M',
    'F16',
    'FP8',
    'Q4_K_M',
    'AWQ',
    'MXFP4',
  ])
  expect(quantizationNamed('Q9_X')).toBeUndefined()
})

test('no part is ever negative, parts add up, and fewer bits never take more', () => {
  const models = REPOSITORIES.filter((model) => model.shape).map((model) => model.id)
  fc.assert(
    fc.property(fc.constantFrom(...models), fc.constantFrom(...QUANTIZATIONS), (id, quantization) => {
      const weights = weightsOf(headerOf(id), quantization)
      const layers = weights.layers.flatMap(({ attention, dense, experts }) => [attention, dense, experts])
      const parts = [...layers, weights.embedding, weights.output, weights.lookup]
      expect(Math.min(...parts)).toBeGreaterThanOrEqual(0)
      expect(parts.reduce((sum, part) => sum + part, 0)).toBeCloseTo(weights.total, 0)
      expect(total(id, 'Q4_K_M')).toBeLessThan(total(id, 'Q8_0'))
      expect(total(id, 'Q2_K')).toBeLessThanOrEqual(total(id, 'Q4_K_M'))
    }),
    { numRuns: 20 },
  )
  expect(GGUF_QUANTIZATIONS.length).toBeGreaterThan(30)
})
