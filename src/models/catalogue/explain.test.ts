import { describe, expect, test } from 'vitest'
import { engineSupport, explain, isVerified, parametersText, samplingText, summaryText, systemPromptText, useText } from './explain.ts'
import { commercialUse, licenseName, licenseText } from './licenses.ts'
import { ancestorsOf, lineageText } from './lineage.ts'
import { hasChinese, phrase } from './phrases.ts'
import { DEEPSEEK_REPOSITORIES, REPOSITORIES, repositoryOf } from './repositories.ts'
import type { CatalogueModel } from './repository.ts'

function known(id: string): CatalogueModel {
  const model = repositoryOf(id)
  if (!model) throw new Error(`${id} is not in the catalogue`)
  return model
}

describe('lineage', () => {
  test('a distill says whose weights it has and that it is not R1', () => {
    expect(lineageText(known('DeepSeek-R1-Distill-Qwen-7B'))?.en).toBe(
      "R1-Distill-Qwen-7B is Qwen2.5-Math-7B tuned on R1's outputs, not R1: R1 itself has 671B parameters.",
    )
    expect(lineageText(known('DeepSeek-R1-0528-Qwen3-8B'))?.en).toContain("Qwen3-8B-Base tuned on R1-0528's outputs, not R1-0528")
    expect(lineageText(known('DeepSeek-R1-Distill-Llama-70B'))?.zh).toContain('不是 R1 本身')
  })

  test.each([
    ['DeepSeek-R1', 'DeepSeek-V3-Base'],
    ['deepseek-coder-33b-instruct', 'deepseek-coder-33b-base'],
    ['deepseek-coder-7b-instruct-v1.5', 'deepseek-coder-7b-base-v1.5'],
    ['DeepSeek-V2.5', 'DeepSeek-V2-Chat and DeepSeek-Coder-V2-Instruct'],
    ['DeepSeek-V2-Lite-Chat', 'DeepSeek-V2-Lite'],
    ['DeepSeek-Prover-V2-7B', 'DeepSeek-Prover-V1.5-Base'],
  ])('%s comes from %s', (id, ancestor) => {
    expect(lineageText(known(id))?.en).toContain(ancestor)
  })

  test('every ancestor that we name is in the catalogue, and none is its own', () => {
    for (const model of REPOSITORIES)
      for (const ancestor of ancestorsOf(model)) {
        expect(repositoryOf(ancestor), `${model.id} ← ${ancestor}`).toBeDefined()
        expect(ancestor).not.toBe(model.id)
      }
  })
})

describe('parameters', () => {
  test('the 685B of the hub are 671B and 14B of multi-token prediction', () => {
    for (const id of ['DeepSeek-R1', 'DeepSeek-V3', 'DeepSeek-V3.1', 'DeepSeek-V3.2']) {
      expect(parametersText(known(id)).en).toContain('685B = 671B + 14B')
      expect(parametersText(known(id)).zh).toContain('685B = 671B + 14B')
    }
    expect(parametersText(known('DeepSeek-R1-Distill-Qwen-32B')).en).not.toContain('685B')
  })

  test('activated parameters are told apart from those that must be stored', () => {
    expect(parametersText(known('DeepSeek-V4-Flash-0731')).en).toMatch(
      /284B parameters\. Only 13B of them work on each token.*memory follows the total/,
    )
    expect(parametersText(known('deepseek-coder-6.7b-base')).en).not.toContain('Only')
    expect(summaryText(known('DeepSeek-V3')).en).toMatch(/^671B, 37B active; /)
  })
})

describe('licences', () => {
  test("a distill of Llama carries Meta's conditions, one of Qwen does not", () => {
    const llama = known('DeepSeek-R1-Distill-Llama-8B')
    expect([commercialUse(llama), licenseName(llama).en]).toEqual(['conditions', 'MIT + Llama 3.1 Community License (base)'])
    expect(licenseText(llama).en).toMatch(/meta-llama\/Llama-3\.1-8B stays under .*Built with Llama/)
    expect(commercialUse(known('DeepSeek-R1-Distill-Qwen-7B'))).toBe('yes')
  })

  test('V3 of December 2024 is under the model licence, V3-0324 under MIT', () => {
    expect(licenseName(known('DeepSeek-V3')).en).toBe('DeepSeek Model License')
    expect(commercialUse(known('DeepSeek-V3'))).toBe('conditions')
    expect(licenseName(known('DeepSeek-V3-0324')).en).toBe('MIT')
  })

  test('where the licence is not certain, it says to read it', () => {
    expect(commercialUse(known('DeepSeek-Math-V2'))).toBe('check')
    expect(licenseText(known('DeepSeek-OCR-2')).en).toMatch(/read the LICENSE file/)
  })

  test('a base of another maker always brings its licence', () => {
    for (const { id, base, baseLicense } of DEEPSEEK_REPOSITORIES) expect(baseLicense !== null, id).toBe(base?.includes('/') === true)
  })
})

describe('advice', () => {
  test('R1 and its distills: 0.6 and no system prompt; V3-0324: 0.3', () => {
    for (const id of ['DeepSeek-R1', 'DeepSeek-R1-Distill-Qwen-7B']) {
      expect(samplingText(known(id))?.en).toMatch(/^temperature 0\.6, top_p 0\.95; range 0\.5-0\.7/)
      expect(systemPromptText(known(id))?.en).toMatch(/^none; /)
      expect(systemPromptText(known(id))?.zh).toContain('不用系统提示词')
    }
    expect(samplingText(known('DeepSeek-V3-0324'))?.en).toMatch(/^temperature 0\.3/)
    expect(samplingText(known('DeepSeek-V3-Base'))).toBeUndefined()
  })

  test('a base model is for completion, a code base for the middle of a file too', () => {
    expect(useText(known('deepseek-coder-6.7b-base')).en).toMatch(/in the middle of a file.*does not follow instructions/)
    expect(useText(known('DeepSeek-V3-Base')).en).not.toContain('middle')
    expect(useText(known('DeepSeek-OCR')).en).toContain('documents')
  })

  test('engines that lack a model are told from those that run it', () => {
    const of = (id: string): Record<string, string> =>
      Object.fromEntries(engineSupport(known(id)).map(({ engine, supported }) => [engine, supported]))
    expect(of('DeepSeek-V4.1-Flash')).toMatchObject({ 'llama.cpp': 'partly', vllm: 'yes', transformers: 'no' })
    expect(of('deepseek-vl2')['llama.cpp']).toBe('no')
    expect(of('Janus-Pro-1B')['llama.cpp']).toBe('partly')
    expect(of('DeepSeek-R1')).toMatchObject({ 'llama.cpp': 'yes', vllm: 'yes', sglang: 'yes' })
  })
})

describe('both languages', () => {
  test('every remark of the data has its Chinese', () => {
    const remarks = REPOSITORIES.flatMap(({ parameters, sampling, systemAdvice, verification, engines, notes }) => [
      parameters.extra,
      sampling.note,
      systemAdvice,
      verification,
      notes,
      ...Object.values(engines).filter((value) => typeof value === 'string'),
    ]).filter((remark) => remark !== null)
    expect([...new Set(remarks)].filter((remark) => !hasChinese(remark))).toEqual([])
    expect(phrase('no such remark')).toEqual({ en: 'no such remark', zh: 'no such remark' })
  })

  test('every explanation of every model is said in both, without holes', () => {
    for (const model of REPOSITORIES) {
      const topics = explain(model)
      expect(
        topics.map(({ topic }) => topic),
        model.id,
      ).toEqual(expect.arrayContaining(['parameters', 'use', 'license', 'engines', 'verification']))
      for (const { text } of [...topics, { text: summaryText(model) }]) {
        expect(text.en + text.zh, model.id).not.toMatch(/undefined|null|\[object|[^t]\.\.|。。/)
        expect(text.zh, model.id).toMatch(/[\u4E00-\u9FFF]/)
      }
    }
  })

  test('what was recalled is never marked as verified', () => {
    for (const model of REPOSITORIES.filter((item) => isVerified(item)))
      expect(explain(model).at(-1)?.text.en, model.id).not.toMatch(/recalled|unverified/)
    expect(isVerified(known('DeepSeek-R1'))).toBe(true)
    expect(isVerified(known('Janus-Pro-7B'))).toBe(false)
  })
})
