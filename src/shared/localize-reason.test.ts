import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { effortOf } from '../../test/fixtures/effort.ts'
import { z } from 'zod'
import { AppError, localizeError } from './errors.ts'
import { localizeReason, REASON_PHRASES } from './localize-reason.ts'

/** A moment; what grows with the square takes hundreds. */
const EFFORT_MAX = 40

const CHINESE = /[\u4e00-\u9fff]/
const ENGLISH_WORDS = /(?:^|[^"'A-Za-z])[a-z]{2,} [a-z]{2,}/

describe('a reason', () => {
  it.each([
    ['Invalid input: expected number, received string', '应为数字，实际为字符串'],
    ['Invalid input: expected array, received undefined', '缺少该字段，应为数组'],
    ['Too small: expected number to be >=1', '数字过小，最小为 1'],
    ['Too big: expected array to have <=4 items', '数组过长，最多 4 项'],
    ['Invalid option: expected one of "low"|"high"', '应为以下之一："low"|"high"'],
    ['Unrecognized keys: "a", "b"', '未知的键："a", "b"'],
    ['it needs "tools"', '需要同时给出 "tools"'],
    ['image_url: this model reads text only; describe the image in words', 'image_url：此模型只能读取文本；请用文字描述图片'],
    ['response_format: at /properties/a, "type" is empty', 'response_format：在 /properties/a 处，"type" 为空'],
    ['hf.example answered 500; ms.example: no connection', 'hf.example 返回 500；ms.example：无法连接'],
    ['it has a text of 99 bytes', '有 99 字节的文本'],
    ['the tensor "a.b" is odd', '张量 "a.b"：is odd'],
    ['what nobody has translated', 'what nobody has translated'],
  ])('"%s" is "%s"', (english, chinese) => {
    expect(localizeReason(english, 'zh')).toBe(chinese)
    expect(localizeReason(english, 'en')).toBe(english)
  })

  it('keeps what the user wrote, also when it is a word of the table', () => {
    expect(localizeReason('there is another tool named string', 'zh')).toBe('已有名为 string 的工具')
  })

  it('is found at once, or given up, however long and strange it is', async () => {
    for (const text of [
      ': at , '.repeat(280),
      '; '.repeat(900),
      ': '.repeat(900),
      '{a} '.repeat(400),
      '\n'.repeat(2000),
      'x'.repeat(1e6),
    ]) {
      expect(typeof localizeReason(text, 'zh')).toBe('string')
      expect(await effortOf(() => localizeReason(text, 'zh'), EFFORT_MAX)).toBeLessThan(EFFORT_MAX)
    }
  })

  it('is part of its error in the language of the error, and English stays as it was', () => {
    const error = new AppError('invalid-field', { field: 'n', reason: 'Invalid input: expected number, received string' })
    expect(localizeError(error, 'zh').message).toBe('字段 "n" 的值无效：应为数字，实际为字符串')
    expect(error.message).toBe('Invalid value for "n": Invalid input: expected number, received string')
  })
})

describe('the phrases', () => {
  const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\*?\}/g)].map(([, name = '']) => name).toSorted()
  // What is repeated in another table would hide one of the two.
  const english = REASON_PHRASES.map(([text]) => text)

  it('are each there once', () => {
    expect(english.filter((text, index) => english.indexOf(text) !== index)).toEqual([])
  })

  it('keep what is filled in, and are Chinese', () => {
    expect(REASON_PHRASES.filter(([en, zh]) => places(zh).some((name) => !places(en).includes(name)))).toEqual([])
    expect(REASON_PHRASES.filter(([en, zh]) => en !== zh && !CHINESE.test(zh))).toEqual([])
  })
})

test('whatever zod finds wrong is told in Chinese', () => {
  const wrong: [z.ZodType, unknown][] = [
    [z.string(), 1],
    [z.number(), 'a'],
    [z.number(), Number.NaN],
    [z.boolean(), null],
    [z.array(z.string()), {}],
    [z.record(z.string(), z.number()), []],
    [z.strictObject({}), { extra: 1, more: 2 }],
    [z.strictObject({}), { extra: 1 }],
    [z.object({ a: z.string() }), {}],
    [z.literal('a'), 'b'],
    [z.literal(['a', 'b']), 'c'],
    [z.enum(['a', 'b']), 'c'],
    [z.union([z.string(), z.number()]), true],
    [z.discriminatedUnion('type', [z.object({ type: z.literal('a') }), z.object({ type: z.literal('b') })]), { type: 'c' }],
    [z.number().min(1), 0],
    [z.number().max(1), 2],
    [z.number().gt(1), 0],
    [z.number().lt(1), 2],
    [z.number().int(), 1.5],
    [z.number().multipleOf(2), 3],
    [z.string().min(2), 'a'],
    [z.string().max(2), 'abc'],
    [z.string().length(2), 'abc'],
    [z.string().regex(/^\d$/), 'a'],
    [z.string().startsWith('a'), 'b'],
    [z.array(z.string()).min(1), []],
    [z.array(z.string()).max(1), ['a', 'b']],
    [z.array(z.string()).length(1), []],
    [z.url(), 'a'],
    [z.base64(), '*'],
    [z.iso.datetime(), 'a'],
    [z.record(z.string().regex(/^\d+$/), z.string()), { a: 'b' }],
  ]
  for (const [schema, value] of wrong) {
    const { error } = schema.safeParse(value)
    for (const issue of error?.issues ?? []) {
      const said = localizeReason(issue.message, 'zh')
      expect(said).toMatch(CHINESE)
      expect(said).not.toMatch(ENGLISH_WORDS)
    }
    expect(error).toBeDefined()
  }
})

/** Folders whose errors reach people through an API. */
const TOLD_FOLDERS = ['server', 'formats', 'shared', 'platform', 'engine', 'models', 'store', 'cli']
/** `reason: '…'`, and the helpers by which the dialects and readers refuse something; the text is their last argument. */
const TELLS =
  /(?:\breason: |(?<!logger\.)(?:\b|#)(?:invalid|refused|refuse|fail|damage|wrong|check|error|failure|SourceMiss|HttpFailure|ConstraintTooDear|FormError)\((?:[^()'"`]|\([^()]*\)|'[^']*'(?=,)|`[^`]*`(?=,))*?)(?:'((?:[^'\\\n]|\\.)+)'|"((?:[^"\\\n]|\\.)+)"|`((?:[^`\\]|\\.)+)`)(?=[,) }\n])/g

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'error-tables' ? [] : sourcesIn(file)
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts') ? [file] : []
  })
}

/** The texts with a sample in each `${place}`. */
function reasonsIn(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(TELLS)]
    .map(([, single, double, template]) => single ?? double ?? withSamples(template ?? ''))
    .map((text) => text.replaceAll(/\\(.)/g, '$1'))
    .filter((text) => / [a-z]{2}|[a-z]{2} /.test(text.replaceAll('42', '')))
}

function withSamples(template: string): string {
  return template.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '42')
}

test('every reason that the sources give is told in Chinese: add it to error-tables/*-reasons.ts', () => {
  const files = TOLD_FOLDERS.flatMap((folder) => sourcesIn(path.join(import.meta.dirname, '..', folder)))
  const reasons = files.flatMap((file) => reasonsIn(file).map((reason) => ({ file: path.basename(file), reason })))
  expect(reasons.length).toBeGreaterThan(150)
  expect(reasons.filter(({ reason }) => !CHINESE.test(localizeReason(reason, 'zh')))).toEqual([])
})
