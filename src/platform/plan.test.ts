import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeTinyModel } from '../../test/fixtures/tiny-gguf.ts'
import { silentLogger } from '../base/logger.ts'
import { inspectModel } from '../models/gguf-files.ts'
import { openLibrary } from '../models/library.ts'
import type { Hardware } from '../shared/api.ts'
import type { PlanReport } from '../shared/plan.ts'
import { createPlanning } from './plan.ts'
import type { Planning, PlanningOptions } from './plan.ts'
import { headerReader, quantizationOfFormat } from './plan-header.ts'
import { planHistory } from './plan-history.ts'

const hardware: Hardware = {
  platform: 'linux-x64',
  cpu: { model: 'test', cores: 2, physicalCores: 2, features: [] },
  memory: { totalBytes: 16e9, availableBytes: 8e9, readBytesPerSecond: 33e9 },
  disk: { path: '/', freeBytes: 1e9, totalBytes: 1e9 },
  gpus: [],
}

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-planning-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function planning(options: Partial<PlanningOptions> = {}): Planning {
  const readHeader = headerReader({ library: openLibrary(path.join(folder, 'models')), env: {}, logger: silentLogger, offline: true })
  return createPlanning({ probe: async () => hardware, readHeader, ...options })
}

describe.each(['qwen2', 'llama', 'deepseek2'] as const)('a %s file here', (architecture) => {
  let file = ''
  beforeAll(async () => {
    file = await writeTinyModel(folder, { architecture })
  })

  test('is planned exactly, as the engine would count it', async () => {
    const { facts } = await inspectModel(file)
    const report = await planning().plan({ model: `file:${file}`, context: 1024, users: 2 })
    expect(report.memory.weights).toBe(facts.weightBytes)
    expect(report.kv.bytesPerToken).toBe(facts.kvBytesPerToken('f16'))
    expect(report.memory.kv).toBe(2 * 1024 * facts.kvBytesPerToken('f16'))
    expect(report.model).toMatchObject({ source: 'gguf', parameters: facts.parameters, architecture })
    expect(report.terms.find((term) => term.id === 'weights')?.basis).toBe('exact')
    expect(report).toMatchObject({ fits: true, placement: 'memory' })
  })

  test('and what a quantisation of it would take', async () => {
    const [own, small] = await Promise.all(
      [undefined, 'Q4_0'].map((quant) => planning().plan({ model: `file:${file}`, ...(quant ? { quant } : {}) })),
    )
    expect(small?.memory.weights).toBeLessThan(own?.memory.weights ?? 0)
    expect(small?.notes.map((note) => note.en).join()).toContain("follows llama.cpp's rules")
  })
})

describe('without a network', () => {
  const notes = (report: PlanReport): string => report.notes.map((note) => note.en).join()

  test('names of the catalogue are planned from what it knows, and it is said', async () => {
    const report = await planning().plan({ model: 'hf:deepseek-ai/DeepSeek-R1', gpu: '8xH20' })
    expect(report).toMatchObject({ wishes: { quantization: 'FP8', engine: 'vllm' }, fits: true })
    expect(notes(report)).toContain('built-in catalogue')
    expect(report.parallelism?.command).toContain('vllm serve deepseek-ai/DeepSeek-R1 ')
  })

  test('a short name stands for its file, a repository for its own weights', async () => {
    const [short, own] = await Promise.all(
      ['deepseek-r1:7b', 'DeepSeek-R1-Distill-Qwen-7B'].map((model) => planning().plan({ model, gpu: '4090' })),
    )
    expect(short?.wishes).toMatchObject({ quantization: 'Q4_K_M', engine: 'llama' })
    expect(own?.wishes).toMatchObject({ quantization: 'BF16', engine: 'vllm' })
  })

  test('a short name that looks like another model says so', async () => {
    const short = await planning().plan({ model: 'deepseek-r1' })
    expect(short.model.title).toContain('Distill')
    expect(notes(short)).toContain('bendi plan DeepSeek-R1')
    expect((await planning().plan({ model: 'DeepSeek-R1' })).model.parameters).toBe(671_026_419_200)
  })

  test('an unknown name is refused with near ones', async () => {
    await expect(planning().plan({ model: 'deepseek-r1:77b' })).rejects.toMatchObject({
      code: 'unknown-model',
      data: { near: expect.stringContaining('deepseek-r1:7b') },
    })
    await expect(planning().plan({ model: 'file:/nowhere.gguf' })).rejects.toMatchObject({ code: 'file-not-found' })
  })
})

describe('what was measured', () => {
  test('by a dry run is in the plan', async () => {
    const measured = planning({ measureCompute: async (_, { context, users }) => context * users })
    expect((await measured.plan({ model: 'deepseek-r1:7b', context: 8192, users: 3 })).memory.compute).toBe(24_576)
  })

  test('by loads here corrects plans for here, and not those for other machines', async () => {
    const history = planHistory(path.join(folder, 'history'), silentLogger)
    const predicted = { kv: 1, compute: 1, decode: 10, prefill: 10 }
    await history.add({ model: 'deepseek-r1:7b', engine: 'llama', at: 1, predicted, actual: { kv: 1, compute: 0, decode: 5, prefill: 0 } })
    const corrected = planning({ history })
    const here = await corrected.plan({ model: 'deepseek-r1:7b' })
    expect(here.speed?.isCorrected).toBe(true)
    expect(here.notes[0]).toEqual({ en: expect.stringContaining('decode × 0.50'), zh: expect.stringContaining('decode × 0.50') })
    expect((await corrected.plan({ model: 'deepseek-r1:7b', gpu: '4090' })).speed?.isCorrected).toBe(false)
  })

  test('of memory bandwidth makes no assumption', async () => {
    const report = await planning().plan({ model: 'deepseek-r1:1.5b' })
    expect(report.notes.map((note) => note.en).join()).not.toContain('assumed')
    expect(report.terms.find((term) => term.id === 'decode')?.numbers).toContain('33 GB/s')
  })
})

test.each([
  ['FP8 e4m3 (128x128 block scales) with BF16/F32 rest', 'FP8'],
  ['routed experts FP4 (OCP MXFP4 packed in I8 + E8M0 per 32), rest FP8 e4m3 128x128 ue8m0, some BF16/F32', 'FP4+FP8'],
  ['routed experts MXFP4, rest BF16', 'MXFP4+BF16'],
  ['BF16', 'BF16'],
])('the catalogue says "%s", which is %s', (format, quantization) => {
  expect(quantizationOfFormat(format)).toBe(quantization)
})

test('this machine is measured for its plans, a described one is not', async () => {
  let measured = 0
  const measuredHere = planning({
    measured: async () => {
      measured += 1
      return { ...hardware, memory: { ...hardware.memory, readBytesPerSecond: 66e9 } }
    },
  })
  const model = 'hf:deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B'
  await Promise.all([
    measuredHere.plan({ model, gpu: '4090' }),
    measuredHere.plan({ model, ram: '64G' }),
    measuredHere.recommend({ ram: '64G' }),
  ])
  expect(measured).toBe(0)
  const [here, before] = await Promise.all([measuredHere.plan({ model, quant: 'Q4_K_M' }), planning().plan({ model, quant: 'Q4_K_M' })])
  expect(measured).toBe(1)
  expect((here.speed?.decode.low ?? 0) / (before.speed?.decode.low ?? 1)).toBeGreaterThan(1.5)
})
