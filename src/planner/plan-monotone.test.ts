/** More of anything that costs never takes less, and less of what holds never holds more. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { REPOSITORIES, repositoryOf } from '../models/catalogue/repositories.ts'
import type { ModelHeader } from '../models/headers/model-header.ts'
import { parseGpus } from './devices/parse-devices.ts'
import { largestContext, mostUsers } from './limits.ts'
import { describedMachine } from './machine.ts'
import { fits, situationOf, subjectOf, subjectWeights } from './planner-situation.ts'
import type { Subject, Wishes } from './planner-situation.ts'

const GIB = 2 ** 30
const MODELS = REPOSITORIES.filter((model) => model.shape !== null && model.parameters.exact !== null).map((model) => model.id)
const CARDS = [
  'none',
  '4060',
  '4090',
  '2x4090',
  '2x3090+1x4090',
  '8xA100',
  '8xH20',
  '16xH20',
  'M3 Ultra',
  '910B',
  'Jetson AGX Orin',
] as const
const ENGINES = ['llama', 'vllm', 'sglang'] as const

function headerOf(id: string): ModelHeader {
  const model = repositoryOf(id)
  if (!model?.shape) throw new Error(`no shape of ${id}`)
  const common = { files: [], readBytes: 0, requests: 0, trainedContext: model.context ?? 0 }
  return { source: 'catalogue', architecture: model.llamaCpp.arch ?? model.modelType, shape: model.shape, quantization: 'BF16', ...common }
}

interface Case {
  id: string
  gpu: string
  ram: number
  wishes: Wishes
}

function subjectFor({ id, gpu, ram }: Case): Subject {
  return subjectOf(headerOf(id), describedMachine(parseGpus(gpu), { bytes: ram * GIB }))
}

const anyCase: fc.Arbitrary<Case> = fc.record({
  id: fc.constantFrom(...MODELS),
  gpu: fc.constantFrom(...CARDS),
  ram: fc.constantFrom(8, 32, 128, 512, 1024),
  wishes: fc.record({
    context: fc.integer({ min: 256, max: 200_000 }),
    users: fc.integer({ min: 1, max: 64 }),
    kv: fc.constantFrom('f16' as const, 'q8_0' as const, 'q4_0' as const),
    kvLayout: fc.constantFrom('unified' as const, 'split' as const),
    engine: fc.constantFrom(...ENGINES),
    quantization: fc.constantFrom('BF16', 'Q8_0', 'Q4_K_M', 'FP8'),
    draft: fc.boolean(),
  }),
})

const RUNS = { numRuns: 60 }

test('more memory, of either kind, never holds less', () => {
  fc.assert(
    fc.property(anyCase, fc.integer({ min: 1, max: 512 }), (one, more) => {
      if (!fits(subjectFor(one), one.wishes)) return
      expect(fits(subjectFor({ ...one, ram: one.ram + more }), one.wishes)).toBe(true)
      const cards = parseGpus(one.gpu).map((card) => ({
        ...card,
        memoryBytes: card.memoryBytes + more * GIB,
        freeBytes: card.freeBytes + more * GIB,
      }))
      const larger = subjectOf(headerOf(one.id), describedMachine(cards, { bytes: one.ram * GIB }))
      expect(fits(larger, one.wishes)).toBe(true)
    }),
    RUNS,
  )
})

test('a longer window and more users never need less', () => {
  fc.assert(
    fc.property(anyCase, fc.integer({ min: 1, max: 50_000 }), fc.integer({ min: 1, max: 64 }), (one, tokens, users) => {
      const subject = subjectFor(one)
      const now = situationOf(subject, one.wishes)
      const longer = situationOf(subject, { ...one.wishes, context: one.wishes.context + tokens })
      const fuller = situationOf(subject, { ...one.wishes, users: one.wishes.users + users })
      expect(longer.kv.bytes).toBeGreaterThanOrEqual(now.kv.bytes)
      expect(fuller.kv.bytes).toBeGreaterThanOrEqual(now.kv.bytes)
      expect(longer.computeBytes).toBeGreaterThanOrEqual(now.computeBytes)
      expect(fuller.computeBytes).toBeGreaterThanOrEqual(now.computeBytes)
      if (longer.placed.fits || fuller.placed.fits) expect(now.placed.fits).toBe(true)
    }),
    RUNS,
  )
})

test('fewer bits never weigh more, in weights and in the cache', () => {
  const BY_BITS = ['F32', 'BF16', 'Q8_0', 'Q6_K', 'Q5_K_M', 'Q4_K_M', 'Q3_K_M', 'Q2_K', 'IQ1_S']
  fc.assert(
    fc.property(anyCase, (one) => {
      const subject = subjectFor(one)
      const totals = BY_BITS.map((name) => subjectWeights(subject, name).total)
      expect(totals).toEqual(totals.toSorted((a, b) => b - a))
      const caches = (['f16', 'q8_0', 'q4_0'] as const).map((kv) => situationOf(subject, { ...one.wishes, kv }).kv.bytes)
      expect(caches).toEqual(caches.toSorted((a, b) => b - a))
    }),
    RUNS,
  )
})

test('the limits that are told are limits: they fit, and one step more does not', () => {
  fc.assert(
    fc.property(anyCase, (one) => {
      const subject = subjectFor(one)
      const trained = subject.header.trainedContext || 131_072
      const context = largestContext(subject, one.wishes)
      if (context > 0) expect(fits(subject, { ...one.wishes, context })).toBe(true)
      if (context < trained) expect(fits(subject, { ...one.wishes, context: context + 256 })).toBe(false)
      expect(context).toBeLessThanOrEqual(trained)
      const users = mostUsers(subject, one.wishes)
      if (users > 0) expect(fits(subject, { ...one.wishes, users })).toBe(true)
      if (users < 256) expect(fits(subject, { ...one.wishes, users: users + 1 })).toBe(false)
    }),
    { numRuns: 25 },
  )
})

test('no speed falls when a card reads faster', () => {
  fc.assert(
    fc.property(anyCase, fc.double({ min: 1, max: 4, noNaN: true }), (one, factor) => {
      const cards = parseGpus(one.gpu).map((card) => ({ ...card, bandwidth: card.bandwidth ?? 0, fp16: card.fp16 ?? 1e12 }))
      const faster = cards.map((card) => ({ ...card, bandwidth: card.bandwidth * factor, fp16: card.fp16 * factor }))
      const speedOf = (gpus: typeof cards): number => {
        const machine = describedMachine(gpus, { bytes: one.ram * GIB, bandwidth: 80e9 })
        return situationOf(subjectOf(headerOf(one.id), machine), one.wishes).speed?.decodeAll.high ?? 0
      }
      expect(speedOf(faster)).toBeGreaterThanOrEqual(speedOf(cards) * 0.999)
    }),
    RUNS,
  )
})
