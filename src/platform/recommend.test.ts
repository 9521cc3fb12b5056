import { describe, expect, test } from 'vitest'
import type { Hardware } from '../shared/api.ts'
import { RecommendReportSchema } from '../shared/plan.ts'
import type { RecommendReport, RecommendRequest } from '../shared/plan.ts'
import { r1FamilyTable } from './plan-table.ts'
import { recommendHere } from './recommend.ts'

const GB = 1e9
const NOW = Date.UTC(2026, 10, 22)
const HERE: Hardware = {
  platform: 'linux-x64',
  cpu: { model: 'test', cores: 8, physicalCores: 8, features: ['avx512f'] },
  memory: { totalBytes: 16 * GB, availableBytes: 14 * GB },
  disk: { path: '/', freeBytes: GB, totalBytes: GB },
  gpus: [],
}

function recommended(request: RecommendRequest): RecommendReport {
  const report = recommendHere(request, HERE, NOW)
  expect(RecommendReportSchema.safeParse(report).error).toBeUndefined()
  return report
}

describe('recommendations', () => {
  test('are ranked, fit the machine, hold the context and say why', () => {
    const { models, instead } = recommended({ for: 'chat', context: 8192 })
    expect(models.length).toBeGreaterThan(3)
    expect(instead).toBeUndefined()
    expect(models.map((model) => model.score)).toEqual(models.map((model) => model.score).toSorted((a, b) => b - a))
    for (const { total, largestContext, reasons, pull } of models) {
      expect(total).toBeLessThan(14 * GB)
      expect(largestContext).toBeGreaterThanOrEqual(8192)
      expect(reasons.length).toBeGreaterThan(1)
      expect(pull).toMatch(/^[a-z]/)
    }
  })

  test('grow with the machine', () => {
    const small = recommended({ for: 'reasoning' }).models[0]
    const large = recommended({ for: 'reasoning', gpu: '8xH200', ram: '2T' }).models[0]
    expect(large?.download).toBeGreaterThan((small?.download ?? 0) * 20)
    expect(large?.score).toBeGreaterThan(small?.score ?? 0)
  })

  test('prefer models that think for mathematics, and those that speak Chinese when it is asked for', () => {
    const text = (report: RecommendReport): string => report.models[0]?.reasons.map((reason) => reason.en).join() ?? ''
    expect(text(recommended({ for: 'math', gpu: '4090', ram: '64G' }))).toContain('thinks before it answers')
    const chinese = recommended({ for: 'chat', languages: 'zh,en', gpu: '4090', ram: '64G' }).models[0]
    expect(chinese?.title).toMatch(/DeepSeek|Qwen|GLM/)
  })

  test.each(['zh', '中文', 'Chinese', 'zh-CN', 'zh_CN', '英文、中文', 'en，zh'])('know Chinese as "%s"', (languages) => {
    expect(recommended({ for: 'chat', languages, ram: '32G' }).languages).toContain('zh')
  })

  test('of Ascend cards are for vLLM, in 8-bit integers or 16 bits', () => {
    const { models } = recommended({ for: 'chat', gpu: '8x910B', ram: '512G' })
    expect(models.length).toBeGreaterThan(2)
    for (const model of models)
      expect(model).toMatchObject({ placement: 'tensor-parallel', quantization: expect.stringMatching(/INT8|BF16/) })
  })

  test('put what answers at once before what is hardly better and half beside the card', () => {
    const first = (gpu: string, ram: string): string => recommended({ for: 'chat', gpu, ram }).models[0]?.title ?? ''
    expect(first('T4', '16G')).toBe('gpt-oss-20b')
    expect(first('4060', '16G')).toMatch(/gpt-oss-20b|A3B/)
    expect(first('4090', '512G')).toBe('DeepSeek-V4-Flash-0731')
  })

  test('name as a download only what is those very weights, and no format that the cards have no kernels for', () => {
    const ascend = recommended({ for: 'chat', gpu: '8x910B', ram: '512G' }).models
    for (const { quantization, kv, pull } of ascend) {
      expect(kv).not.toBe('fp8')
      if (quantization === 'INT8') expect(pull).toBeUndefined()
    }
    const old = recommended({ for: 'chat', gpu: '8x4090', ram: '512G' }).models
    expect(old.filter((model) => model.quantization === 'FP4+FP8')).toEqual([])
    // FP8 as published is not blown up to 16 bits.
    const v3 = recommended({ for: 'chat', gpu: '16xH20', ram: '2T' }).models.find((model) => model.title === 'DeepSeek-V3.2')
    expect(v3).toMatchObject({ quantization: 'FP8', pull: 'hf:deepseek-ai/DeepSeek-V3.2' })
  })

  test('on a card that neither vLLM nor the embedded engine drives lie in memory', () => {
    const { models } = recommended({ for: 'chat', gpu: 'S80', ram: '32G' })
    expect(models.length).toBeGreaterThan(2)
    for (const { placement } of models) expect(placement).toBe('memory')
  })

  test('say when nothing sensible fits, and name hosts and the smallest machines', () => {
    const { models, instead } = recommended({ for: 'chat', ram: '300M' })
    expect(models).toEqual([])
    expect(instead?.hosted.map((host) => host.name)).toEqual(expect.arrayContaining(['DeepSeek', 'SiliconFlow']))
    expect(instead?.hardware.find((item) => item.model.startsWith('DeepSeek-R1-0528'))?.gpu).toMatch(/512 GiB/)
  })

  test('are refused for a machine that is none', () => {
    expect(() => recommendHere({ gpu: 'Voodoo' }, HERE, NOW)).toThrow(/Voodoo/)
  })
})

describe('the table of the R1 family', () => {
  const { rows, myths } = r1FamilyTable()

  test('has eight models in three formats and three windows', () => {
    expect(rows).toHaveLength(24)
    for (const { sizes, weights } of rows) {
      expect(sizes.map((size) => size.context)).toEqual([4096, 32_768, 131_072])
      for (const { total, kv } of sizes) expect(total).toBeGreaterThan(weights + kv)
    }
  })

  test('has R1 itself as one model of 671B whose cache is 9.21 GB at 131,072 tokens', () => {
    const [r1] = rows
    expect(r1).toMatchObject({ model: 'DeepSeek-R1', parameters: 671_026_419_200 })
    expect(r1?.sizes.at(-1)?.kv).toBe(9_210_691_584)
    expect(
      rows.filter((row) => row.model.includes('7B') || row.model.includes('8B')).every((row) => row.what.en.includes('tuned on')),
    ).toBe(true)
  })

  test('corrects the myths in both languages', () => {
    expect(myths.length).toBeGreaterThanOrEqual(8)
    for (const { myth, fact } of myths) expect([myth.en, myth.zh, fact.en, fact.zh].every((text) => text.length > 5)).toBe(true)
  })
})
