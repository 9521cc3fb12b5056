/** Section 6 of the plan's promises: what the header says a model takes, against what libllama really allocates for it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../../src/base/child-process.ts'
import { createHttp } from '../../src/base/http.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { createLlamaEngine } from '../../src/engine/llama/engine.ts'
import { dryRun } from '../../src/engine/llama/dry-run.ts'
import type { DryRunMemory, DryRunWishes } from '../../src/engine/llama/dry-run.ts'
import { sumNativeMemory } from '../../src/engine/llama/native-log.ts'
import { inspectModel } from '../../src/models/gguf-files.ts'
import type { ModelHeader } from '../../src/models/headers/model-header.ts'
import { readModelHeader } from '../../src/models/headers/read-model-header.ts'
import { syntheticGguf } from '../../src/models/headers/synthetic-gguf.ts'
import type { ModelFacts } from '../../src/models/model-facts.ts'
import { kvSize } from '../../src/planner/kv-cache.ts'
import { kvModelOf } from '../../src/planner/kv-streams.ts'
import { weightsOf } from '../../src/planner/weights.ts'
import { writeTinyModel } from '../fixtures/tiny-gguf.ts'

const ARCHITECTURES = ['qwen2', 'llama', 'deepseek2'] as const
const PARALLEL = 2
const WISHES: readonly DryRunWishes[] = [4096, 32_768, 131_072].flatMap((context) =>
  (['f16', 'q8_0'] as const).flatMap((kvType) =>
    (['unified', 'split'] as const).map((kvLayout) => ({ context, parallel: PARALLEL, kvType, kvLayout })),
  ),
)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-accuracy-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe.each(ARCHITECTURES)('a %s model', (architecture) => {
  let file: string
  let facts: ModelFacts
  let header: ModelHeader
  let real: (DryRunMemory | undefined)[]
  let dry: (DryRunMemory | undefined)[]

  beforeAll(async () => {
    file = await writeTinyModel(folder, { architecture, context: 131_072 })
    facts = (await inspectModel(file)).facts
    const http = createHttp()
    header = await readModelHeader(
      { type: 'file', path: file, text: `file:${file}` },
      { context: { env: {}, http, run: runCommand, logger: silentLogger } },
    )
    await http.close()
    real = await dryRun({ file }, WISHES, { allocate: true })
    dry = await dryRun(syntheticGguf(header) ?? { file: '' }, WISHES)
  }, 60_000)

  it('takes the weights and the cache that its header promises, within 3 %, at every window, type and layout', () => {
    for (const [index, wish] of WISHES.entries()) {
      const { allocatedWeights, allocatedKv } = known(real[index])
      expect(allocatedKv).toBeGreaterThan(0)
      const predicted = facts.weightBytes + wish.context * PARALLEL * facts.kvBytesPerToken(wish.kvType)
      expectWithin(predicted, allocatedWeights + allocatedKv, 0.03, wish)
    }
  })

  it('takes what the planner says of it, within 3 %', () => {
    const weights = weightsOf(header)
    const kv = kvModelOf(header.shape, header.mlaLayout)
    for (const [index, wish] of WISHES.entries()) {
      const { allocatedWeights, allocatedKv } = known(real[index])
      const { context, kvType: type, kvLayout: layout } = wish
      const cache = kvSize(kv, { context, users: PARALLEL, type, layout, allocation: 'llama' })
      expect(weights.basis).toBe('exact')
      expectWithin(weights.total + cache.bytes, allocatedWeights + allocatedKv, 0.03, wish)
    }
  })

  it('takes with its working buffers what a dry run of the header tells, within 10 %', () => {
    for (const [index, wish] of WISHES.entries()) {
      const is = known(real[index])
      const told = known(dry[index])
      expect(told.allocatedKv).toBe(0)
      expect(is.compute).toBeGreaterThan(0)
      expectWithin(told.compute + told.output, is.compute + is.output, 0.1, wish)
      expectWithin(
        facts.weightBytes + told.kv + told.compute + told.output,
        is.allocatedWeights + is.allocatedKv + is.compute + is.output,
        0.1,
        wish,
      )
    }
  })
})

it('a deployment of the engine takes what its header and a dry run tell', async () => {
  const file = await writeTinyModel(folder, { architecture: 'deepseek2', context: 32_768 })
  const { facts } = await inspectModel(file)
  const wish: DryRunWishes = { context: 8192, parallel: 2, kvType: 'f16', kvLayout: 'split' }
  const kvBytes = wish.context * wish.parallel * facts.kvBytesPerToken('f16')
  const logFile = path.join(folder, 'engine.log')
  const engine = createLlamaEngine({
    environment: process.env,
    model: 'tiny',
    file,
    settings: {
      context: wish.context,
      parallel: wish.parallel,
      kvType: 'f16',
      kvLayout: 'split',
      kvBytes,
      kvBytesPerToken: facts.kvBytesPerToken('f16'),
      threads: 1,
      diskCacheBytes: 0,
    },
    logFile,
    kvCacheFolder: path.join(folder, 'kv'),
    cacheFolder: path.join(os.tmpdir(), 'bendi-test-kernel'),
    logger: silentLogger,
  })
  try {
    await engine.start()
    const took = sumNativeMemory(await readFile(logFile, 'utf8'))
    const [told] = await dryRun({ file }, [wish])
    expect(took.kv).toBeGreaterThan(0)
    expectWithin(facts.weightBytes + kvBytes, took.weights + took.kv, 0.03, wish)
    expectWithin(known(told).compute + known(told).output, took.compute, 0.1, wish)
  } finally {
    await engine.stop()
  }
}, 60_000)

function known(memory: DryRunMemory | undefined): DryRunMemory {
  if (memory === undefined) throw new Error('libllama could not make this context')
  return memory
}

function expectWithin(predicted: number, real: number, share: number, wish: DryRunWishes): void {
  const error = Math.abs(predicted - real) / real
  expect(error, `${JSON.stringify(wish)}: predicted ${predicted}, real ${real}`).toBeLessThanOrEqual(share)
}
