import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chineseCount, englishCount, looksLikeModelName, nameMeanings } from './name-meaning.ts'
import { joinParts, parseModelName } from './naming.ts'
import type { NamePartType } from './naming.ts'
import { DEEPSEEK_REPOSITORIES, REPOSITORIES } from './repositories.ts'

const typesOf = (name: string): NamePartType[] => parseModelName(name).parts.map((part) => part.type)

describe('the convention', () => {
  test('an unknown name is read: domain, size, use, version', () => {
    const name = parseModelName('deepseek-coder-33b-instruct-v1.5')
    expect(name).toMatchObject({ maker: 'deepseek', domain: 'code', parameters: 33e9, use: 'instruct', version: '1.5' })
    expect(typesOf('deepseek-coder-33b-instruct-v1.5')).toEqual(['maker', 'domain', 'size', 'use', 'version'])
  })

  test.each([
    ['deepseek-ai/DeepSeek-R1-Distill-Qwen-7B', { domain: 'reasoning', parameters: 7e9, student: 'Qwen', version: 'R1' }],
    ['DeepSeek-R1-0528-Qwen3-8B', { domain: 'reasoning', parameters: 8e9, student: 'Qwen3' }],
    ['deepseek-coder:6.7b-instruct-q4_K_M', { domain: 'code', parameters: 6.7e9, use: 'instruct' }],
    ['DeepSeek-V3.1-Terminus', { domain: 'general', version: '3.1' }],
    ['DeepSeek-Prover-V1.5-RL', { domain: 'proof', use: 'reinforced', version: '1.5' }],
    ['deepseek-coder-5.7bmqa-base', { domain: 'code', parameters: 5.7e9, use: 'base' }],
    ['Qwen3-30B-A3B-Instruct-2507', { maker: 'Qwen3', parameters: 30e9, activated: 3e9, use: 'instruct' }],
    ['Mixtral-8x7B-Instruct-v0.1', { parameters: 56e9, use: 'instruct' }],
    ['deepseek-vl2-tiny', { domain: 'vision' }],
    ['deepseek-vl3-27b-chat', { domain: 'vision', parameters: 27e9, use: 'chat' }],
    ['DeepSeek-R2-Distill-Qwen4-7B', { domain: 'reasoning', version: 'R2', student: 'Qwen4' }],
    ['deepseek_coder_6.7b_instruct_q4_K_M', { maker: 'deepseek', domain: 'code', parameters: 6.7e9, use: 'instruct' }],
  ])('%s', (text, expected) => {
    expect(parseModelName(text)).toMatchObject(expected)
  })

  test('a name put together by the convention is read back', () => {
    const domains = { llm: 'general', coder: 'code', math: 'math', moe: 'experts', prover: 'proof', vl: 'vision' } as const
    const uses = { base: 'base', instruct: 'instruct', chat: 'chat', rl: 'reinforced', sft: 'supervised' } as const
    const words = <Words extends object>(table: Words): fc.Arbitrary<keyof Words> =>
      fc.constantFrom(...(Object.keys(table) as (keyof Words)[]))
    fc.assert(
      fc.property(
        words(domains),
        fc.integer({ min: 1, max: 9999 }),
        words(uses),
        fc.option(fc.tuple(fc.nat(9), fc.nat(9))),
        fc.boolean(),
        (domain, tenths, use, version, isUpper) => {
          const size = tenths / 10
          const plain = [`deepseek-${domain}-${size}b-${use}`, ...(version ? [`v${version.join('.')}`] : [])].join('-')
          const name = parseModelName(isUpper ? plain.toUpperCase() : plain)
          expect(name.parts.filter((part) => part.type === 'unknown')).toEqual([])
          expect(name).toMatchObject({ domain: domains[domain], use: uses[use] })
          expect(name.parameters).toBeCloseTo(size * 1e9, -1)
          expect(name.version).toBe(version?.join('.'))
        },
      ),
    )
  })
})

describe('any text', () => {
  const strange = fc.oneof(
    fc.string({ maxLength: 400 }),
    fc.string({ unit: 'grapheme', maxLength: 100 }),
    fc
      .array(
        fc.constantFrom('deepseek', 'R1', 'distill', '7b', 'a3b', '0528', '-', ':', '/', ' ', 'v1.5', 'constructor', '__proto__', '通用'),
      )
      .map((list) => list.join('-')),
  )

  test('is read without an error, and no letter is lost', () => {
    fc.assert(
      fc.property(strange, (text) => {
        const { parts } = parseModelName(text)
        const bare = (value: string): string => value.replace(/[-:_\s/]+/g, '')
        expect(bare(joinParts(parts))).toBe(bare(text.slice(0, 256)))
        for (const { meaning } of nameMeanings(text)) expect(meaning.en.length * meaning.zh.length).toBeGreaterThan(0)
      }),
    )
  })

  test('gives the same pieces when its pieces are joined and read again', () => {
    fc.assert(
      fc.property(strange, (text) => {
        const { parts } = parseModelName(text.slice(0, 200).replaceAll('/', '-'))
        expect(parseModelName(joinParts(parts)).parts).toEqual(parts)
      }),
    )
  })
})

describe('the catalogue', () => {
  test('no name of ours has a piece that the convention does not explain', () => {
    for (const { id } of REPOSITORIES) expect([id, typesOf(id).filter((type) => type === 'unknown')]).toEqual([id, []])
  })

  test('a size or use in a name agrees with the data', () => {
    const named = DEEPSEEK_REPOSITORIES.map((model) => ({ model, name: parseModelName(model.id) }))
    const withUse = named.filter(({ name }) => name.use !== undefined && ['base', 'chat', 'instruct'].includes(name.use))
    expect(withUse.map(({ name }) => name.use)).toEqual(withUse.map(({ model }) => model.use))
    const sized = named.filter(({ model, name }) => name.parameters && model.parameters.exact && model.modality === 'text')
    const ratios = sized.map(({ model, name }) => (model.parameters.exact ?? 0) / (name.parameters ?? 1))
    expect([withUse.length, sized.length].every((length) => length > 20)).toBe(true)
    expect([Math.min(...ratios) > 0.95, Math.max(...ratios) < 1.2]).toEqual([true, true])
  })
})

describe('meanings', () => {
  const say = (text: string, part: NamePartType): string | undefined => nameMeanings(text).find((item) => item.part === part)?.meaning.en

  test('tell base from instruct, teacher from student, and dates', () => {
    expect(say('deepseek-coder-33b-base', 'use')).toMatch(/does not follow instructions/)
    expect(say('DeepSeek-R1-Distill-Qwen-7B', 'version')).toMatch(/teacher/)
    expect(say('DeepSeek-R1-Distill-Qwen-7B', 'student')).toMatch(/really is: a Qwen model/)
    expect(say('DeepSeek-R1-0528', 'snapshot')).toBe('state of month 05, day 28')
    expect(say('Qwen3-30B-A3B-Instruct-2507', 'snapshot')).toBe('state of 2025-07')
    expect(say('deepseek-coder-6.7b-base', 'size')).toBe('6.7 billion parameters')
    expect(say('deepseek-coder-6.7b-base', 'domain')).toBe('made for programming')
  })

  test('counts are said as people say them', () => {
    expect([englishCount(671e9), englishCount(1.6e12), englishCount(135e6)]).toEqual(['671 billion', '1.6 trillion', '135 million'])
    expect([chineseCount(671e9), chineseCount(1.6e12), chineseCount(6.7e9)]).toEqual(['6710 亿', '1.6 万亿', '67 亿'])
  })

  test('ordinary words are no model name', () => {
    expect(looksLikeModelName('deepseek-coder-33b-instruct-v1.5')).toBe(true)
    expect(['deepseek', 'hello world', '', 'qwen'].map((text) => looksLikeModelName(text))).toEqual([false, false, false, false])
  })
})
