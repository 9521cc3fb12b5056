import { describe, expect, test } from 'vitest'
import type { ConstraintRoot } from '../../formats/constraint.ts'
import { ConstraintCompiler, ConstraintRefused } from './constraint-compiler.ts'
import { byteLevel } from './token-vocabulary.ts'
import { mendPattern } from './xgrammar-mends.ts'

/** Every byte is a token; the last ends the text. */
const BYTES = Array.from({ length: 256 }, (_, byte) => Buffer.from([byte]))
const END = BYTES.length
const VOCABULARY = { texts: [...BYTES.map((bytes) => byteLevel(bytes)), '<end>'], stopTokens: [END] }
const compiler = await ConstraintCompiler.create(VOCABULARY)

async function accepted(root: ConstraintRoot, texts: readonly string[], by = compiler): Promise<string[]> {
  const compiled = await by.compile(root)
  const fitting = texts.filter((text) => {
    const matcher = compiled.open()
    const fits = [...Buffer.from(text)].every((byte) => matcher.accept(byte)) && matcher.accept(END)
    matcher.close()
    return fits
  })
  compiled.dispose()
  return fitting
}

const TEXTS = [
  'a',
  'é',
  'ÿ',
  '一',
  '学',
  '龥',
  '가',
  '\u{fffd}',
  '😀',
  '😎',
  '😏',
  '𠀀',
  '𪛟',
  '"',
  '\\',
  '\n',
  '\t',
  '[',
  ' ',
  '　',
  '1',
  '-',
]

describe('a set of characters holds what it names', () => {
  const sets = [
    '[😀-😎]',
    '[𠀀-𪛟]',
    '[一-龥]',
    '[é-ÿ]',
    '[a-z😀]',
    '[\\u4e00-\\u9fa5\\d]',
    '[\\ud83d\\ude00-\\ud83d\\ude0e]',
    '[^一-龥]',
    '[^😀"]',
  ]
  const classes = [
    '.',
    '\\s',
    '\\S',
    '\\w',
    '\\W',
    '\\D',
    '[\\s\\S]',
    '[^\\s]',
    '[\\]"\\\\-]',
    '\\"',
    '\\\\',
    '\\n',
    '\\u{1F600}',
    '\\u5b66',
  ]
  const patterns = [...sets, ...classes]
  const expected = (pattern: string): string[] => {
    // Characters beyond U+FFFF are one only in this mode, which knows fewer escapes.
    const unicode = new RegExp(`^(?:${pattern.replaceAll('\\"', '"')})$`, 'u')
    return TEXTS.filter((text) => unicode.test(text))
  }

  test.each(patterns)('%s in a regular expression', async (pattern) => {
    expect(await accepted({ type: 'regex', pattern }, TEXTS)).toEqual(expected(pattern))
  })

  test.each(patterns)('%s in the pattern of a schema, where its text is JSON', async (pattern) => {
    const texts = TEXTS.map((text) => JSON.stringify(text))
    const schema = { type: 'string', pattern: `^${pattern}$` }
    expect(await accepted({ type: 'json-schema', schema }, [...texts, '"\n"', '"""', '"\\"'])).toEqual(
      expected(pattern).map((text) => JSON.stringify(text)),
    )
  })

  test.each(sets)('%s in a grammar', async (pattern) => {
    expect(await accepted({ type: 'grammar', grammar: `root ::= ${pattern}` }, TEXTS)).toEqual(expected(pattern))
  })
})

test('sets are counted, and names of properties have them too', async () => {
  const emoji = { type: 'json-schema', schema: { type: 'string', pattern: '^[😀-😎]+$' } } as const
  expect(await accepted(emoji, ['"😀😃😎"', '"😀😏"', '""'])).toEqual(['"😀😃😎"'])
  const han = { type: 'json-schema', schema: { type: 'string', pattern: '^[𠀀-𪛟]{2}$' } } as const
  expect(await accepted(han, ['"𠀀𪛟"', '"𠀀"', '"𠀀𠀀𠀀"'])).toEqual(['"𠀀𪛟"'])
  const named = { type: 'json-schema', schema: { type: 'object', patternProperties: { '^[一-龥]+$': { type: 'integer' } } } } as const
  expect(await accepted(named, ['{"学习": 1}', '{"ab": 1}'])).toEqual(['{"学习": 1}'])
})

test.each([
  [0.5, 1.25],
  [-2.5, -0.5],
  [-0.5, 0.5],
  [99.5, 1000.25],
  [1, 10],
  [-3, 12],
  [0, 0],
  [0.001, 0.002],
  [7.25, 7.5],
  [12.5, 12.5],
  [-1_000_000_000_000_000, -0.75],
  [100, 1_000_000_000_000_000],
])('a number from %d to %d is one, and is there', async (minimum, maximum) => {
  const edges = [minimum, maximum, 0, 1, 2, 9, 10, 13, 100, 999].flatMap((edge) => [
    edge,
    edge + 0.25,
    edge - 0.25,
    edge + 0.001,
    edge - 0.001,
    -edge,
  ])
  const texts = [...new Set(edges.map((edge) => String(Math.round(edge * 1000) / 1000)))].filter((text) => !text.includes('e'))
  const no = texts
    .flatMap((text) => ['0' + text, text + '.', text.replace('.', ','), text.replace('.', 'x')])
    .filter((text) => !isJsonNumber(text))
  const root = { type: 'json-schema', schema: { type: 'number', minimum, maximum } } as const
  const inside = texts.filter((text) => minimum <= Number(text) && Number(text) <= maximum)
  expect(await accepted(root, [...texts, ...no])).toEqual(inside)
})

function isJsonNumber(text: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text)
}

test('a property may have any name', async () => {
  const names = ['a"c', 'b\\d', 'e\nf', '城市', '', '😀', '\\"', '$a-b.c']
  const properties = Object.fromEntries(names.map((name) => [name, { type: 'null' }]))
  const nulls = JSON.stringify(Object.fromEntries(names.map((name) => [name, null])))
  const schema = { type: 'object', properties, required: names, additionalProperties: false }
  expect(await accepted({ type: 'json-schema', schema }, [nulls, '{"a": null}', '{}'])).toEqual([nulls])
})

test('what XGrammar reads right is left alone', () => {
  for (const pattern of ['^[a-z0-9._%+-]+@[a-z]{2,}$', '(?:a|b)*', '[^abc]?', 'x{1,3}'])
    expect(mendPattern(pattern, 'json')).toBe(
      pattern.replace('[^abc]', '(?:[^\\x00-\\x1f\\x22\\x5ca-c]|\\\\["\\\\bfnrt])').replace('a-c', '\\x61-\\x63'),
    )
  expect(mendPattern('[^abc]a\\.b', 'text')).toBe('[^abc]a\\.b')
})

test('what it cannot read is refused before anything is generated', async () => {
  for (const pattern of ['\\p{L}', 'a\\b', '(?=a)a', '(a)\\1', '[]', '[z-a]']) {
    await expect(accepted({ type: 'regex', pattern }, ['a'], await ConstraintCompiler.create(VOCABULARY))).rejects.toThrow(
      ConstraintRefused,
    )
  }
})
