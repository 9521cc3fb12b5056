/** What a plan advises must hold when it is followed, and what it says of engines must be so. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { REPOSITORIES, repositoryOf } from '../models/catalogue/repositories.ts'
import type { ModelHeader } from '../models/headers/model-header.ts'
import type { Hardware } from '../shared/api.ts'
import { PlanRequestSchema } from '../shared/plan.ts'
import type { PlanReport, PlanRequest } from '../shared/plan.ts'
import { planReference } from './plan-reference.ts'

const GB = 1e9
const HERE: Hardware = {
  platform: 'linux-x64',
  cpu: { model: 'test', cores: 8, physicalCores: 8, features: ['avx2'] },
  memory: { totalBytes: 16 * GB, availableBytes: 14 * GB },
  disk: { path: '/', freeBytes: GB, totalBytes: GB },
  gpus: [],
}

function planOf(id: string, quantization: string, request: Omit<PlanRequest, 'model'> = {}): PlanReport {
  const model = repositoryOf(id)
  if (!model?.shape) throw new Error(`no shape of ${id}`)
  const { shape, llamaCpp, modelType, context } = model
  const common = { files: [], readBytes: 0, requests: 0, trainedContext: context ?? 0 }
  const header: ModelHeader = { source: 'catalogue', architecture: llamaCpp.arch ?? modelType, title: id, shape, quantization, ...common }
  return planReference(header, HERE, { model: id, ...request })
}

const notesOf = (plan: PlanReport): string => plan.notes.map((note) => note.en).join('\n')
const MODELS = REPOSITORIES.filter((model) => model.shape).map((model) => model.id)

test('each change, and each machine, that is advised fits when it is asked for, and takes what was said', () => {
  const anyCase = fc.record({
    id: fc.constantFrom(...MODELS),
    quantization: fc.constantFrom('BF16', 'FP8', 'FP4+FP8', 'Q4_K_M'),
    gpu: fc.constantFrom(undefined, '4060', '4090', '2x4090', '8x910B', '8xV100', '8xH20', '3x3090', 'S80', 'M4-16G'),
    context: fc.constantFrom(undefined, 32_768, 131_072),
    users: fc.constantFrom(undefined, 8, 300),
  })
  fc.assert(
    fc.property(anyCase, ({ id, quantization, gpu, context, users }) => {
      const request = {
        ...(gpu === undefined ? {} : { gpu }),
        ...(context === undefined ? {} : { context }),
        ...(users === undefined ? {} : { users }),
      }
      for (const change of planOf(id, quantization, request).changes) {
        const asked = PlanRequestSchema.parse({ ...request, ...change.request, model: id })
        const followed = planOf(id, quantization, asked)
        expect({ asked, fits: followed.fits }).toEqual({ asked, fits: true })
        expect(Math.abs(followed.memory.total - change.total)).toBeLessThan(2)
      }
    }),
    { numRuns: 25 },
  )
}, 30_000)

describe('the embedded engine', () => {
  test('does not answer more users at once than libllama has sequences, whatever the memory', () => {
    const plan = planOf('Qwen3-0.6B', 'Q4_K_M', { ram: '1T', users: 1000, context: 512 })
    expect(plan).toMatchObject({ fits: false, mostUsers: 256 })
    expect(plan.changes[0]?.request).toEqual({ users: 256 })
    expect(notesOf(plan)).toContain('256 users at once')
  })

  test('is planned where the cards are too small for the weights and memory helps, and vLLM where they hold them', () => {
    const r1 = planOf('DeepSeek-R1', 'FP8', { gpu: '4090', ram: '512G' })
    expect(r1).toMatchObject({ fits: true, placement: 'experts-in-memory', wishes: { engine: 'llama', quantization: 'Q4_K_M' } })
    expect(planOf('DeepSeek-R1', 'FP8', { gpu: '8xH20', ram: '1T' }).wishes).toMatchObject({ engine: 'vllm', quantization: 'FP8' })
  })

  test('keeps experts that were published in 4 bits as they are', () => {
    expect(planOf('DeepSeek-V4-Flash-0731', 'FP4+FP8', { ram: '256G' }).wishes.quantization).toBe('MXFP4')
  })

  test.each([
    ['llama', 'fp8', 'f16, q8_0, q4_0'],
    ['vllm', 'q8_0', 'bf16, f16, fp8'],
  ] as const)('%s refuses a cache in %s and names those that it has', (engine, kv, names) => {
    expect(() => planOf('Qwen3-8B', 'BF16', { gpu: '4090', engine, kv })).toThrow(names)
  })
})

describe('cards', () => {
  test('an odd or small card more does not make less fit', () => {
    const wishes = { engine: 'vllm', context: 32_768 } as const
    expect(planOf('DeepSeek-R1', 'FP8', { ...wishes, gpu: '8xH200' }).fits).toBe(true)
    const nine = planOf('DeepSeek-R1', 'FP8', { ...wishes, gpu: '8xH200+1xH200' })
    expect(nine).toMatchObject({ fits: true, parallelism: { tensor: 8, pipeline: 1, unused: 1 } })
    expect(planOf('Qwen3-8B', 'BF16', { ...wishes, gpu: 'H200+T4' }).fits).toBe(true)
    const small = planOf('DeepSeek-R1-Distill-Llama-70B', 'Q4_K_M', { gpu: '2x4090+X-1G@100GB/s', ram: '64G' })
    expect(small).toMatchObject({ fits: true, placement: 'layers-split' })
    expect(small.devices.filter((device) => device.kind === 'gpu')).toHaveLength(2)
  })

  test('one user has room wherever two have', () => {
    const kimi = { gpu: '20xH100', ram: '1T', engine: 'vllm' } as const
    for (const users of [2, 1]) expect(planOf('Kimi-K2-Instruct', 'FP8', { ...kimi, users }).fits).toBe(true)
  })

  test("V4's own weights are for Hopper and newer, MI325X and MI355X; on older cards llama.cpp is planned", () => {
    const engineOn = (gpu: string): string => planOf('DeepSeek-V4-Flash', 'FP4+FP8', { gpu, ram: '512G' }).wishes.engine
    expect(['8xA100', '8x4090', '8xL20', '4xMI300X'].map(engineOn)).toEqual(['llama', 'llama', 'llama', 'llama'])
    expect(['4xH100', '8xH20', '4xB200', '2xMI325X', '4xRTX PRO 6000'].map(engineOn)).toEqual(['vllm', 'vllm', 'vllm', 'vllm', 'vllm'])
    const notes = notesOf(planOf('DeepSeek-V4-Flash', 'FP4+FP8', { gpu: '8xA100', engine: 'vllm' }))
    expect(notes).toContain('no kernels for FP4+FP8')
  })
})

describe('the command', () => {
  const commandOf = (id: string, own: string, request: Omit<PlanRequest, 'model'>): string =>
    planOf(id, own, { engine: 'vllm', ...request }).parallelism?.command ?? ''

  test('makes FP8 of 16-bit weights while loading, and says where other files are needed', () => {
    expect(commandOf('Qwen3-32B', 'BF16', { gpu: '2x4090', quant: 'FP8' })).toContain('--quantization fp8')
    expect(commandOf('Qwen3-32B', 'BF16', { gpu: '4x4090' })).not.toContain('--quantization')
    expect(notesOf(planOf('Qwen3-32B', 'BF16', { gpu: '2x4090', quant: 'AWQ', engine: 'vllm' }))).toContain('needs a repository')
  })

  test("has what V4 and Ascend's integers need", () => {
    const v4 = commandOf('DeepSeek-V4-Flash', 'FP4+FP8', { gpu: '4xH100' })
    for (const flag of ['--kv-cache-dtype fp8', '--block-size 256', '--tokenizer-mode deepseek_v4', '--trust-remote-code'])
      expect(v4).toContain(flag)
    const ascend = commandOf('DeepSeek-R1', 'FP8', { gpu: '16x910B', quant: 'INT8' })
    expect(ascend).toContain('--quantization ascend')
  })
})

test('a Moore Threads card for games is sent neither to vLLM nor to the embedded engine', () => {
  const plan = planOf('Qwen3-8B', 'BF16', { gpu: 'S80', ram: '32G' })
  expect(plan).toMatchObject({ placement: 'memory', wishes: { engine: 'llama' } })
  expect(notesOf(plan)).toContain('MUSA')
})
