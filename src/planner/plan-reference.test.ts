import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { REPOSITORIES, repositoryOf } from '../models/catalogue/repositories.ts'
import type { ModelHeader } from '../models/headers/model-header.ts'
import type { Hardware } from '../shared/api.ts'
import { PlanReportSchema } from '../shared/plan.ts'
import type { PlanReport, PlanRequest } from '../shared/plan.ts'
import { planReference } from './plan-reference.ts'
import type { PlanKnowledge } from './plan-reference.ts'

const GB = 1e9
const HERE: Hardware = {
  platform: 'linux-x64',
  cpu: { model: 'test', cores: 8, physicalCores: 8, features: ['avx2'] },
  memory: { totalBytes: 16 * GB, availableBytes: 14 * GB },
  disk: { path: '/', freeBytes: GB, totalBytes: GB },
  gpus: [],
}

function headerOf(id: string, quantization: string): ModelHeader {
  const model = repositoryOf(id)
  if (!model?.shape) throw new Error(`no shape of ${id}`)
  const { shape, llamaCpp, modelType, context } = model
  const common = { files: [], readBytes: 0, requests: 0, trainedContext: context ?? 0 }
  return { source: 'catalogue', architecture: llamaCpp.arch ?? modelType, title: id, shape, quantization, ...common }
}

function planOf(id: string, quantization: string, request: Omit<PlanRequest, 'model'> = {}, known: PlanKnowledge = {}): PlanReport {
  return planReference(headerOf(id, quantization), HERE, { model: id, ...request }, known)
}

describe('worked examples of shared facts models.md 7.5', () => {
  test('R1-Distill-Qwen-7B in Q4_K_M with 8K fits a card of 8 GB', () => {
    const plan = planOf('DeepSeek-R1-Distill-Qwen-7B', 'Q4_K_M', { gpu: 'RTX 4060', context: 8192 })
    expect(plan).toMatchObject({ fits: true, placement: 'gpu', kv: { bytes: 469_762_048, scheme: 'GQA' } })
  })

  test('R1-Distill-Qwen-32B in Q4_K_M with 24K is too much for a card of 24 GB, with 8K and q8_0 it is not', () => {
    const large = planOf('DeepSeek-R1-Distill-Qwen-32B', 'Q4_K_M', { gpu: '4090', ram: '64G', context: 24_576 })
    expect(large).toMatchObject({ fits: true, placement: 'partly-on-gpu' })
    expect(planOf('DeepSeek-R1-Distill-Qwen-32B', 'Q4_K_M', { gpu: '4090', context: 8192, kv: 'q8_0' }).placement).toBe('gpu')
  })

  test('R1 in Q4_K_M lies with its experts in memory and its attention on one card', () => {
    const plan = planOf('DeepSeek-R1', 'Q4_K_M', { gpu: '4090', ram: '512G', context: 32_768 })
    expect(plan).toMatchObject({ fits: true, placement: 'experts-in-memory' })
    const [card, memory] = plan.devices
    expect(card?.parts.kv).toBeCloseTo(2_302_672_896, 0)
    expect(card?.layers).toBe(61)
    expect(memory?.parts.experts).toBeGreaterThan(350 * GB)
  })

  test('R1 in FP8 on 8 cards of 96 GB leaves some gigabytes each, and every rank holds the whole latent cache', () => {
    const plan = planOf('DeepSeek-R1', 'FP8', { gpu: '8xH20-96G', context: 32_768 })
    expect(plan).toMatchObject({ fits: true, placement: 'tensor-parallel', parallelism: { tensor: 8, pipeline: 1 } })
    for (const device of plan.devices) expect(device.parts.kv).toBe(2_302_672_896)
    expect(plan.notes.map((note) => note.en).join()).toContain('does not split a latent cache')
  })

  test('V4-Flash as it was released takes about 160 GB at 131,072 tokens, and not much more at a million', () => {
    const plan = planOf('DeepSeek-V4-Flash-0731', 'FP4+FP8', { gpu: '4xH100', context: 131_072 })
    expect(plan.memory.weights / GB).toBeCloseTo(156, -0.7)
    expect(plan).toMatchObject({ fits: true, largestContext: 1_048_576, wishes: { kv: 'fp8' } })
  })
})

describe('when it does not fit', () => {
  const plan = planOf('DeepSeek-R1', 'FP8', { gpu: '8xH20', context: 131_072, users: 32 })

  test('says what would, least loss first, and each change really fits', () => {
    expect(plan.fits).toBe(false)
    expect(plan.changes.length).toBeGreaterThan(2)
    expect(plan.changes.map((change) => change.rank)).toEqual(plan.changes.map((change) => change.rank).toSorted((a, b) => a - b))
    for (const { request } of plan.changes) {
      const changed = { gpu: '8xH20', context: 131_072, users: 32, ...request } as Omit<PlanRequest, 'model'>
      expect(planOf('DeepSeek-R1', 'FP8', changed).fits, JSON.stringify(request)).toBe(true)
    }
  })

  test('names the smallest machine that would do', () => {
    const hardware = plan.changes.find((change) => change.kind === 'hardware')
    expect(hardware?.request['gpu']).toMatch(/^\d+x/)
  })

  test('a model far too large for this machine leads to another machine or nothing', () => {
    const far = planOf('DeepSeek-R1', 'Q4_K_M')
    expect(far.fits).toBe(false)
    expect(far.changes.every((change) => change.kind === 'hardware')).toBe(true)
  })
})

describe('several cards', () => {
  test('share the layers in proportion to what they hold', () => {
    const plan = planOf('DeepSeek-R1-Distill-Llama-70B', 'Q4_K_M', { gpu: '2x3090+1x5090', context: 8192 })
    expect(plan.placement).toBe('layers-split')
    const layers = plan.devices.filter((device) => device.kind === 'gpu').map((device) => device.layers)
    expect(layers.reduce((sum, count) => sum + count, 0)).toBe(80)
    expect(layers[2]).toBeGreaterThan(layers[0] ?? 80)
  })

  test('in two computers are planned as a pipeline for one user, and with copied attention for many', () => {
    expect(planOf('DeepSeek-R1', 'FP8', { gpu: '16xH20' })).toMatchObject({ fits: true, parallelism: { tensor: 8, pipeline: 2, nodes: 2 } })
    const many = planOf('DeepSeek-R1', 'FP8', { gpu: '16xH20', users: 32, context: 131_072 })
    expect(many).toMatchObject({ fits: true, parallelism: { tensor: 1, data: 16, expert: 16, nodes: 2 } })
    expect(many.parallelism?.command).toContain('--data-parallel-size 16 --data-parallel-size-local 8')
  })

  test('of a number that does not divide the heads leave some unused, and it is said', () => {
    const plan = planOf('DeepSeek-R1-Distill-Qwen-7B', 'BF16', { gpu: '3x4090' })
    expect(plan.parallelism).toMatchObject({ tensor: 2, unused: 1 })
    expect(plan.notes.map((note) => note.en).join()).toContain('unused')
  })
})

describe('what is known beside the header', () => {
  test('a dry run replaces the formula, and says so', () => {
    const plan = planOf('DeepSeek-R1-Distill-Qwen-7B', 'Q4_K_M', {}, { measuredCompute: 123_456_789 })
    expect(plan.memory.compute).toBe(123_456_789)
    expect(plan.terms.find((term) => term.id === 'compute')).toMatchObject({ basis: 'measured', value: 123_456_789 })
  })

  test('a correction scales the estimate and narrows its range', () => {
    const plain = planOf('DeepSeek-R1-Distill-Qwen-7B', 'Q4_K_M').speed
    const corrected = planOf('DeepSeek-R1-Distill-Qwen-7B', 'Q4_K_M', {}, { correction: { decode: 0.5 } }).speed
    expect(corrected?.isCorrected).toBe(true)
    const middle = (range: { low: number; high: number } | undefined): number => Math.sqrt((range?.low ?? 0) * (range?.high ?? 0))
    expect(middle(corrected?.decode) / middle(plain?.decode)).toBeCloseTo(0.49, 1)
    expect((corrected?.decode.high ?? 0) / (corrected?.decode.low ?? 1)).toBeCloseTo(1.5)
  })

  test('terms carry numbers and sources, and their bytes are those of the report', () => {
    const plan = planOf('DeepSeek-R1', 'Q4_K_M', { gpu: '4090', ram: '512G', context: 131_072 })
    const term = plan.terms.find(({ id }) => id === 'kv-latent')
    expect(term).toMatchObject({ numbers: '61 × 131,072 × 1,152', value: 9_210_691_584 })
    for (const { source, formula, numbers } of plan.terms)
      expect(Math.min(source.length, formula.length, numbers.length)).toBeGreaterThan(2)
  })
})

describe('published deployments', () => {
  // SGLang docs/basic_usage/deepseek_v3.md, "recommended settings"; vLLM recipes.
  test.each([
    ['FP8', '8xH200', true],
    ['FP8', '8xB200', true],
    ['FP8', '8xMI300X', true],
    ['FP8', '16xH100', true],
    ['FP8', '8xH100', false],
    ['BF16', '16xH200', true],
    ['BF16', '32xA100', true],
    ['BF16', '16xA100', false],
    ['INT8', '16xA100', true],
    ['INT8', '32xL40S', true],
    ['INT8', '16x910B', true],
    ['AWQ', '8xA100', true],
    ['AWQ', '8xH20', true],
  ])('R1 in %s on %s: %s', (quantization, gpu, fits) => {
    expect(planOf('DeepSeek-R1', quantization, { gpu, engine: 'sglang', context: 4096 }).fits).toBe(fits)
  })

  // Model card of DeepSeek-V3-AWQ (vLLM), InferenceX issue 870 (SGLang 0.5.7), tt-inference-server issue 356.
  test.each([
    ['AWQ', { gpu: '8xA100', engine: 'vllm', context: 4096 }, 46.8],
    ['AWQ', { gpu: '8xH100', engine: 'vllm', context: 4096 }, 61.5],
    ['AWQ', { gpu: '8xH100', engine: 'vllm', context: 4096, users: 32 }, 32 * 30.1],
    ['FP8', { gpu: '8xH200', engine: 'sglang', context: 2048, users: 8 }, 8 * 74.6],
    ['FP8', { gpu: '8xH200', engine: 'sglang', context: 2048, users: 64 }, 8 * 223.6],
  ] as const)('the speed of R1 in %s on %j lies in the range', (quantization, request, measured) => {
    const range = planOf('DeepSeek-R1', quantization, request).speed?.decodeAll
    expect(range?.low).toBeLessThan(measured)
    expect(range?.high).toBeGreaterThan(measured)
  })

  test('a dynamic 1.58-bit R1 needs 128 GB of memory beside a card of 24 GB; with 64 GB it would read from disk', () => {
    expect(planOf('DeepSeek-R1', 'IQ1_S', { gpu: '4090', ram: '128G', context: 4096 })).toMatchObject({
      fits: true,
      placement: 'experts-in-memory',
    })
    const small = planOf('DeepSeek-R1', 'IQ1_S', { gpu: '4090', ram: '64G', context: 4096 })
    expect(small.fits).toBe(false)
    expect(small.notes.map((note) => note.en).join()).toContain('from disk')
  })

  test('a Mac Studio of 512 GB holds R1 in Q4_K_M, at some 17 tokens/s', () => {
    const plan = planOf('DeepSeek-R1', 'Q4_K_M', { gpu: 'M3 Ultra', context: 16_384 })
    expect(plan).toMatchObject({ fits: true, placement: 'gpu' })
    expect(plan.speed?.decode.low).toBeLessThan(17)
    expect(plan.speed?.decode.high).toBeGreaterThan(17)
  })
})

describe('what cards can compute', () => {
  const notesOf = (plan: PlanReport): string => plan.notes.map((note) => note.en).join()

  test('FP8 is not offered where there are no kernels for it, and is said to be slow where there is no arithmetic', () => {
    const ascend = planOf('DeepSeek-V2-Lite', 'BF16', { gpu: '910B4', engine: 'vllm', context: 8192 })
    expect(ascend.fits).toBe(false)
    expect(ascend.changes.map(({ request }) => request['quant']).filter(Boolean)).not.toContain('FP8')
    expect(notesOf(planOf('DeepSeek-R1', 'FP8', { gpu: '16x910B', engine: 'vllm' }))).toContain('no kernels for FP8')
    expect(notesOf(planOf('DeepSeek-R1', 'FP8', { gpu: '16xA100', engine: 'vllm' }))).toContain('computed in 16 bits')
    expect(notesOf(planOf('DeepSeek-R1', 'FP8', { gpu: '16xH100', engine: 'vllm' }))).not.toMatch(/kernels|16 bits/)
  })

  test('a card on which vLLM does not start is planned with llama.cpp, unless a format of vLLM is asked for', () => {
    const engineOn = (gpu: string, quant?: string): string | undefined =>
      planOf('DeepSeek-V2-Lite', 'BF16', { gpu, ...(quant === undefined ? {} : { quant }) }).wishes.engine
    expect(['V100', 'MTT S80', 'P40'].map((gpu) => engineOn(gpu))).toEqual(['llama', 'llama', 'llama'])
    expect(['2x4090', 'MTT S5000', 'MI300X', '2xRX 7900 XTX'].map((gpu) => engineOn(gpu))).toEqual(['vllm', 'vllm', 'vllm', 'vllm'])
    expect(engineOn('V100', 'AWQ')).toBe('vllm')
    // 31 GB do not fit the card: vLLM has no use for ordinary memory.
    expect(engineOn('4090')).toBe('llama')
  })

  test('error correction in the memory itself is off the capacity', () => {
    const [l20] = planOf('DeepSeek-R1-Distill-Qwen-32B', 'BF16', { gpu: '4xL20' }).devices
    expect(l20?.capacity).toBe(45 * 2 ** 30)
  })

  test('a smaller cache that brings all layers onto the cards is named', () => {
    const plan = planOf('DeepSeek-R1-Distill-Llama-70B', 'Q4_K_M', { gpu: '2x4090', context: 24_576 })
    expect(plan.placement).toBe('partly-on-gpu')
    expect(notesOf(plan)).toContain('q8_0 everything would lie on the cards')
    expect(planOf('DeepSeek-R1-Distill-Llama-70B', 'Q4_K_M', { gpu: '2x4090', context: 24_576, kv: 'q8_0' }).placement).toBe('layers-split')
  })

  test('each kind of card is a term with its numbers and where they were read', () => {
    const terms = planOf('DeepSeek-R1', 'FP8', { gpu: '8xA770+1x4090', engine: 'vllm' }).terms.filter(({ id }) => id === 'card')
    expect(terms.map(({ numbers }) => numbers)).toEqual(['16.0 GiB, 560 GB/s, 138 TFLOP/s', '24.0 GiB, 1,008 GB/s, 165 TFLOP/s'])
    expect(terms[0]?.source).toContain('not confirmed: FP16')
    expect(terms[1]?.source).not.toContain('not confirmed')
  })
})

describe('wishes that make no sense', () => {
  test.each([
    [{ quant: 'Q9' }, /Q9/],
    [{ gpu: 'Voodoo' }, /Voodoo/],
    [{ engine: 'llama', quant: 'AWQ' }, /llama.cpp does not run AWQ/],
  ] as const)('%j is refused', (request, message) => {
    expect(() => planOf('DeepSeek-R1', 'FP8', request)).toThrow(message)
  })

  test('an empty shape is planned as not fitting, not as a crash', () => {
    const empty: ModelHeader = {
      source: 'config',
      architecture: '',
      shape: {},
      quantization: '',
      trainedContext: 0,
      files: [],
      readBytes: 0,
      requests: 0,
    }
    const plan = planReference(empty, HERE, { model: 'x' })
    expect(plan).toMatchObject({ fits: false, largestContext: 0, mostUsers: 0 })
    expect(PlanReportSchema.safeParse(plan).error).toBeUndefined()
  })
})

const GPUS = [undefined, 'none', '4060', '4090', '2x3090+1x4090', '8xH20', '8xA100', 'M3 Ultra', '910B', '16xH200', '3x4090'] as const
const anyEngine = fc.oneof(
  fc.record({ engine: fc.constant('llama' as const), kv: fc.constantFrom('f16' as const, 'q8_0' as const) }),
  fc.record({ engine: fc.constantFrom('vllm' as const, 'sglang' as const), kv: fc.constantFrom('f16' as const, 'fp8' as const) }),
  fc.constant({}),
)
const anyWish = fc
  .tuple(
    fc.record(
      {
        gpu: fc.constantFrom(...GPUS),
        ram: fc.constantFrom('8G', '64G', '1T'),
        context: fc.integer({ min: 1, max: 200_000 }),
        users: fc.integer({ min: 1, max: 64 }),
        kvLayout: fc.constantFrom('unified' as const, 'split' as const),
      },
      { requiredKeys: ['gpu'] },
    ),
    anyEngine,
  )
  .map(([wish, engine]) => ({ ...wish, ...engine }))
const anyModel = fc.constantFrom(...REPOSITORIES.filter((model) => model.shape).map((model) => model.id))

test('every plan obeys its schema, adds up, is never negative, and fits only where there is room', () => {
  fc.assert(
    fc.property(anyModel, anyWish, (id, wish) => {
      const plan = planOf(id, 'BF16', wish)
      expect(PlanReportSchema.safeParse(plan).error).toBeUndefined()
      const used = plan.devices.map((device) => Object.values(device.parts).reduce((sum, part) => sum + part, 0))
      used.forEach((bytes, index) => expect(bytes).toBeCloseTo(plan.devices[index]?.used ?? -1, 0))
      expect(used.reduce((sum, bytes) => sum + bytes, 0)).toBeCloseTo(plan.memory.total, -1)
      const { weights, kv, compute, overhead, total } = plan.memory
      expect(weights + kv + compute + overhead).toBeCloseTo(total, -1)
      if (plan.fits) for (const device of plan.devices) expect(device.used).toBeLessThanOrEqual(device.usable + 1)
      expect(plan.speed?.decode.low ?? 0).toBeLessThanOrEqual(plan.speed?.decode.high ?? 0)
      // At least the whole model lies somewhere; ranks hold copies of some.
      expect(total).toBeGreaterThan(plan.kv.fixedBytesPerSequence)
    }),
    { numRuns: 25 },
  )
}, 30_000)

test('what does not fit does not fit with more users or a longer window, and the limits that are told hold', () => {
  fc.assert(
    fc.property(anyModel, anyWish, (id, wish) => {
      const plan = planOf(id, 'BF16', wish)
      const { context, users } = plan.wishes
      if (!plan.fits) {
        expect(planOf(id, 'BF16', { ...wish, users: users + 1 }).fits).toBe(false)
        expect(planOf(id, 'BF16', { ...wish, context: context + 4096 }).fits).toBe(false)
      }
      if (plan.largestContext > 0) expect(planOf(id, 'BF16', { ...wish, context: plan.largestContext }).fits).toBe(true)
      if (plan.mostUsers > 0) expect(planOf(id, 'BF16', { ...wish, users: plan.mostUsers }).fits).toBe(true)
    }),
    { numRuns: 10 },
  )
}, 30_000)
