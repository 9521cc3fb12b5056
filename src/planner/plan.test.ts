import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { ModelFacts } from '../models/model-facts.ts'
import type { Gpu, Hardware } from '../shared/api.ts'
import { computeBytesOf, planModel } from './plan.ts'

const GB = 1_000_000_000

function machine(availableBytes: number, gpus: Gpu[] = []): Hardware {
  return {
    platform: 'linux-x64',
    cpu: { model: 'test', cores: 8, physicalCores: 8, features: [] },
    memory: { totalBytes: availableBytes, availableBytes },
    disk: { path: '/', freeBytes: GB, totalBytes: GB },
    gpus,
  }
}

function model(overrides: Partial<ModelFacts> & { perToken?: number } = {}): ModelFacts {
  const { perToken = 28_672, ...rest } = overrides
  return {
    architecture: 'qwen2',
    parameters: 1_777_088_000,
    quantization: 'Q4_K_M',
    trainedContext: 131_072,
    layers: 28,
    embeddingLength: 1536,
    feedForwardLength: 8960,
    headCount: 12,
    vocabularySize: 151_936,
    weightBytes: 1_110_000_000,
    outerWeightBytes: 300_000_000,
    attention: 'gqa',
    kvBytesPerToken: (type) => Math.ceil(type === 'f16' ? perToken : type === 'q8_0' ? perToken * 0.53125 : perToken * 0.28125),
    stateBytesPerSequence: 0,
    ...rest,
  }
}

const gpu = (freeBytes: number, vendor: Gpu['vendor'] = 'nvidia'): Gpu => ({ vendor, name: 'test', memoryBytes: freeBytes, freeBytes })

describe('a roomy machine', () => {
  test('gives eight requests a window of 8192 tokens each', () => {
    const plan = planModel(model(), machine(24 * GB))
    expect(plan).toMatchObject({
      fits: true,
      settings: { context: 8192, parallel: 8, kvType: 'f16', kvBytes: 8 * 8192 * 28_672, gpuLayers: 0 },
    })
    expect(plan.settings.cacheBytes).toBeGreaterThan(GB)
  })

  test('does not exceed what the model was trained for', () => {
    expect(planModel(model({ trainedContext: 2048 }), machine(24 * GB)).settings.context).toBe(2048)
  })

  test('gives what was wished', () => {
    const plan = planModel(model(), machine(24 * GB), { context: 32_768, parallel: 4, kvType: 'q8_0' })
    expect(plan.settings).toMatchObject({ context: 32_768, parallel: 4, kvType: 'q8_0', kvBytes: 4 * 32_768 * 28_672 * 0.53125 })
  })
})

describe('a small machine', () => {
  test('shares one pool of cells before it shortens the window', () => {
    const plan = planModel(model(), machine(3 * GB))
    expect(plan).toMatchObject({ fits: true, settings: { context: 8192, kvType: 'f16' } })
    expect(plan.settings.kvBytes).toBeLessThan(8 * 8192 * 28_672)
    expect(plan.settings.parallel).toBeGreaterThan(1)
  })

  test('quantises the cache before it goes below 4096 tokens', () => {
    const facts = model({ perToken: 196_608, weightBytes: 1_110_000_000 })
    const plan = planModel(facts, machine(2.6 * GB))
    expect(plan).toMatchObject({ fits: true, settings: { kvType: 'q8_0' } })
    expect(plan.settings.context).toBeLessThanOrEqual(4096)
  })

  test('says when the weights alone are too large', () => {
    const plan = planModel(model({ weightBytes: 400 * GB }), machine(16 * GB))
    expect(plan.fits).toBe(false)
    expect(plan.reason).toContain('weights alone')
    expect(plan.memory.total).toBeGreaterThan(plan.memory.available)
  })

  test('refuses a window that was asked for and does not fit, instead of shortening it silently', () => {
    const plan = planModel(model({ perToken: 500_000 }), machine(8 * GB), { context: 131_072 })
    expect(plan).toMatchObject({ fits: false, settings: { context: 131_072 } })
  })
})

describe('graphics cards', () => {
  test('take all layers when everything fits', () => {
    expect(planModel(model(), machine(16 * GB, [gpu(12 * GB)])).settings.gpuLayers).toBe(-1)
  })

  test('take some layers of a model that is larger than the card', () => {
    const plan = planModel(model({ weightBytes: 20 * GB, layers: 64, perToken: 100_000 }), machine(32 * GB, [gpu(12 * GB)]))
    expect(plan.fits).toBe(true)
    expect(plan.settings.gpuLayers).toBeGreaterThan(10)
    expect(plan.settings.gpuLayers).toBeLessThan(64)
  })

  test('are left alone when they are too small, unwanted or of a kind that the engine does not drive', () => {
    expect(planModel(model(), machine(16 * GB, [gpu(0.3 * GB)])).settings.gpuLayers).toBe(0)
    expect(planModel(model(), machine(16 * GB, [gpu(12 * GB)]), { gpuLayers: 0 }).settings.gpuLayers).toBe(0)
    expect(planModel(model(), machine(16 * GB, [gpu(64 * GB, 'ascend')])).settings.gpuLayers).toBe(0)
  })

  test('that share memory with the processor are not counted twice', () => {
    const plan = planModel(model({ weightBytes: 12 * GB }), machine(16 * GB, [gpu(16 * GB, 'apple')]))
    expect(plan.memory.available).toBeLessThanOrEqual(16 * GB)
  })
})

const anyFacts = fc
  .record({
    weightBytes: fc.integer({ min: 10_000_000, max: 200 * GB }),
    layers: fc.integer({ min: 1, max: 128 }),
    perToken: fc.integer({ min: 0, max: 2_000_000 }),
    trainedContext: fc.integer({ min: 0, max: 1_048_576 }),
    vocabularySize: fc.integer({ min: 0, max: 300_000 }),
    stateBytesPerSequence: fc.constantFrom(0, 20_000_000),
  })
  .map((values) => model({ ...values, outerWeightBytes: Math.floor(values.weightBytes / 10) }))
const wishes = fc.record(
  {
    context: fc.integer({ min: 64, max: 200_000 }),
    parallel: fc.integer({ min: 1, max: 64 }),
    kvType: fc.constantFrom('f16', 'q8_0', 'q4_0'),
  },
  { requiredKeys: [] },
)
const gpus = fc.array(
  fc.integer({ min: 0, max: 100 * GB }).map((bytes) => gpu(bytes)),
  { maxLength: 3 },
)

test('a plan that fits never takes more than there is, and keeps a margin', () => {
  fc.assert(
    fc.property(anyFacts, fc.integer({ min: 0, max: 300 * GB }), gpus, wishes, (facts, bytes, cards, wish) => {
      const { fits, settings, memory } = planModel(facts, machine(bytes, cards), wish)
      if (!fits) return
      const { weights, kv, compute, overhead, cache, total } = memory
      expect(total).toBe(weights + kv + compute + overhead + cache)
      expect(total).toBeLessThanOrEqual(memory.available)
      const physical = bytes + cards.reduce((sum, card) => sum + card.freeBytes, 0)
      expect(memory.available).toBeLessThan(physical)
      expect(settings.kvBytes).toBeGreaterThanOrEqual(settings.context * facts.kvBytesPerToken(settings.kvType))
      expect(settings.kvBytesPerToken).toBe(facts.kvBytesPerToken(settings.kvType))
      expect(settings.parallel).toBeGreaterThanOrEqual(1)
      expect(settings.context).toBeGreaterThanOrEqual(1)
      expect(settings.gpuLayers).toBeLessThanOrEqual(facts.layers)
      if (wish.context) expect(settings.context).toBe(wish.context)
    }),
    { numRuns: 1000 },
  )
})

test('what fits still fits with more memory, and never with a shorter window or a smaller cache', () => {
  const sizes = fc.tuple(fc.integer({ min: 0, max: 100 * GB }), fc.integer({ min: 0, max: 50 * GB }))
  fc.assert(
    fc.property(anyFacts, sizes, wishes, (facts, [bytes, more], wish) => {
      const less = planModel(facts, machine(bytes), wish)
      const greater = planModel(facts, machine(bytes + more), wish)
      if (!less.fits) return
      expect(greater.fits).toBe(true)
      expect(greater.settings.context).toBeGreaterThanOrEqual(less.settings.context)
      if (less.settings.kvType === greater.settings.kvType) expect(greater.settings.kvBytes).toBeGreaterThanOrEqual(less.settings.kvBytes)
    }),
    { numRuns: 1000 },
  )
})

test('the longest window that is told really fits when it is asked for', () => {
  expect(planModel(model(), machine(24 * GB), { context: 512, parallel: 2 })).toMatchObject({
    settings: { context: 512 },
    largestContext: model().trainedContext,
  })
  fc.assert(
    fc.property(anyFacts, fc.integer({ min: 0, max: 100 * GB }), wishes, (facts, bytes, wish) => {
      const { largestContext, settings } = planModel(facts, machine(bytes), wish)
      if (largestContext < 1) return
      const wished = { context: largestContext, parallel: 1, kvType: settings.kvType }
      expect(planModel(facts, machine(bytes), wished).fits).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

test('compute buffers grow with vocabulary and window', () => {
  expect(computeBytesOf(model(), 8192)).toBeGreaterThan(512 * 4 * 151_936)
  const small = model({ vocabularySize: 8192 })
  expect(computeBytesOf(small, 131_072)).toBeGreaterThan(computeBytesOf(small, 8192))
})
