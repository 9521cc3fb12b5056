import { afterAll, expect, test } from 'vitest'
import type { ConstraintRoot } from '../../formats/constraint.ts'
import { AppError } from '../../shared/errors.ts'
import { ConstraintSet } from './constraints.ts'
import type { TokenRule } from './token-rule.ts'
import { byteLevel } from './token-vocabulary.ts'

/** Every byte is a token, and some words are; the last ends the text. */
const WORDS = ['{"', '":', 'name', 'true', '你好', ' 😀', '", "', '12', '"}']
const BYTES = [...Array.from({ length: 256 }, (_, byte) => Buffer.from([byte])), ...WORDS.map((word) => Buffer.from(word)), Buffer.alloc(0)]
const END = BYTES.length - 1
const VOCABULARY = { texts: BYTES.map((bytes) => byteLevel(bytes)), stopTokens: [END] }

const here = new ConstraintSet(VOCABULARY, { limitMs: 20_000, lightMs: 20_000 })
const inThreads = new ConstraintSet(VOCABULARY, { limitMs: 20_000, lightMs: -1 })
const hasty = new ConstraintSet(VOCABULARY, { limitMs: 1 })
afterAll(() => [here, inThreads, hasty].forEach((set) => set.close()))

const SCHEMA: ConstraintRoot = {
  type: 'json-schema',
  schema: {
    type: 'object',
    properties: { name: { type: 'string', maxLength: 6 }, n: { type: 'integer' }, kind: { enum: ['中', '😀'] } },
    required: ['name', 'n', 'kind'],
    additionalProperties: false,
  },
}

function allowed(rule: TokenRule): number[] {
  const logits = new Float32Array(BYTES.length)
  rule.mask(logits)
  return [...logits.keys()].filter((token) => logits[token] === 0)
}

/** Deterministic: mulberry32. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    const mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    return ((mixed ^ (mixed >>> 7)) >>> 0) / 2 ** 32
  }
}

/** Takes tokens by chance, those that end something more often. */
function wander(rule: TokenRule, seed: number): string {
  const next = random(seed)
  const written: number[] = []
  for (let step = 0; step < 600; step++) {
    const possible = allowed(rule)
    const ends = possible.filter((token) => token === END || /["}\]]/.test(BYTES[token]?.toString('latin1') ?? ''))
    const choice = ends.length > 0 && next() < 0.3 ? ends : possible
    const token = choice[Math.floor(next() * choice.length)]
    if (token === undefined) throw new Error('nothing may come')
    expect(rule.tryAccept(token)).toBe(true)
    if (token === END) break
    written.push(token)
  }
  rule.close()
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(written.map((token) => BYTES[token] ?? Buffer.alloc(0))))
}

test('whatever is chosen among what may come, the answer keeps to the schema, here and in a thread', async () => {
  for (const set of [here, inThreads]) {
    const open = await set.prepare(SCHEMA)
    for (let seed = 1; seed <= 12; seed++) {
      const answer: unknown = JSON.parse(wander(open(), seed))
      expect(answer).toEqual({ name: expect.any(String), n: expect.any(Number), kind: expect.stringMatching(/^[中😀]$/u) })
    }
  }
})

test('both ways allow the same tokens, step by step', async () => {
  const [a, b] = [(await here.prepare(SCHEMA))(), (await inThreads.prepare(SCHEMA))()]
  const next = random(5)
  for (let step = 0; step < 40; step++) {
    const possible = allowed(a)
    expect(allowed(b)).toEqual(possible)
    const token = possible[Math.floor(next() * possible.length)] ?? END
    if (token === END) break
    expect([a.tryAccept(token), b.tryAccept(token)]).toEqual([true, true])
    expect([a.tryAccept(0xff), b.tryAccept(0xff)]).toEqual([false, false])
  }
  a.close()
  b.close()
})

test('a character that has begun must be finished before anything else', async () => {
  const rule = (await here.prepare(SCHEMA))()
  for (const byte of Buffer.from('{"name":"')) expect(rule.tryAccept(byte)).toBe(true)
  expect(rule.tryAccept(BYTES.findIndex((bytes) => bytes.toString() === '你好'))).toBe(true)
  const [first = 0, second = 0, third = 0] = Buffer.from('学')
  expect(rule.tryAccept(first)).toBe(true)
  expect(rule.tryAccept(0x22)).toBe(false)
  expect(allowed(rule)).toEqual(Array.from({ length: 64 }, (_, index) => 0x80 + index))
  expect([second, third, 0x22].map((byte) => rule.tryAccept(byte))).toEqual([true, true, true])
  rule.close()
})

test('what cannot be read or satisfied is refused with the reason, and others are not touched by that', async () => {
  const open = await here.prepare(SCHEMA)
  const rule = open()
  const refused: [ConstraintRoot, string, RegExp][] = [
    [{ type: 'regex', pattern: '(?<=a)b' }, 'invalid-pattern', /Lookbehind/],
    [{ type: 'grammar', grammar: 'root ::= (' }, 'invalid-grammar', /parser error/],
    [{ type: 'json-schema', schema: { type: 'integer', minimum: 5, maximum: 3 } }, 'invalid-schema', /minimum/],
    [{ type: 'grammar', grammar: `root ::= "${'x'.repeat(2 ** 18)}"` }, 'invalid-grammar', /larger/],
  ]
  for (const [root, code, reason] of refused) {
    const error: unknown = await here.prepare(root).catch((failure: unknown) => failure)
    expect(error).toBeInstanceOf(AppError)
    expect(error).toMatchObject({ code, data: { reason: expect.stringMatching(reason) } })
  }
  expect(rule.tryAccept(0x7b)).toBe(true)
  expect((await here.prepare({ type: 'regex', pattern: '[0-9]{2}' }))().tryAccept(0x31)).toBe(true)
})

test('a grammar that never gets ready is refused in time', async () => {
  const grammar = 'root ::= (x | x){100}\nx ::= [a-z]* x?'
  await expect(hasty.prepare({ type: 'grammar', grammar })).rejects.toMatchObject({
    code: 'invalid-grammar',
    data: { reason: expect.stringMatching(/longer than 1 ms/) },
  })
})

test('a dot is a whole character, in patterns of a schema, in a regular expression and in a grammar', async () => {
  const roots: [ConstraintRoot, string][] = [
    [{ type: 'json-schema', schema: { type: 'string', pattern: '^.{2}$' } }, '"学😀"'],
    [{ type: 'regex', pattern: '.{2}' }, '学😀'],
    [{ type: 'structural', format: { type: 'regex', pattern: '.{2}' } }, '学😀'],
    [{ type: 'grammar', grammar: 'root ::= . .' }, '学😀'],
  ]
  for (const [root, text] of roots) {
    const rule = (await here.prepare(root))()
    expect([...Buffer.from(text)].map((byte) => rule.tryAccept(byte))).not.toContain(false)
    expect(rule.tryAccept(END)).toBe(true)
    rule.close()
  }
})

test('GBNF as llama.cpp writes it: a dot, an empty alternative, counts and comments', async () => {
  const grammar = 'root ::= "a" ws . | b{2,}  # one of two\nb ::= "bc"\nws ::= | " " ws\n'
  const open = await here.prepare({ type: 'grammar', grammar })
  const accepts = (text: string): boolean => {
    const rule = open()
    const fits = [...Buffer.from(text)].every((byte) => rule.tryAccept(byte)) && rule.tryAccept(END)
    rule.close()
    return fits
  }
  expect(['a  x', 'a学', 'bcbc', 'bcbcbc'].map(accepts)).toEqual([true, true, true, true])
  expect(['bc', 'ax y', 'b'].map(accepts)).toEqual([false, false, false])
})

const HOSTILE: [string, ConstraintRoot][] = [
  ['an enum of 10,000 values', { type: 'json-schema', schema: { enum: Array.from({ length: 10_000 }, (_, index) => `value ${index}`) } }],
  ['references in circles', circles(200)],
  ['a list of a million', { type: 'json-schema', schema: { type: 'array', items: { type: 'string' }, minItems: 1_000_000 } }],
  ['a text of a billion', { type: 'json-schema', schema: { type: 'string', maxLength: 1_000_000_000 } }],
  ['repetitions of repetitions', { type: 'json-schema', schema: { type: 'string', pattern: '^(.{1,500}){500}$' } }],
  ['the same twice', { type: 'regex', pattern: '((a|a)*){1000}' }],
]

function circles(count: number): ConstraintRoot {
  const link = (index: number): object => ({ $ref: `#/$defs/a${index % count}` })
  const all = Array.from({ length: count }, (_, index) => [
    `a${index}`,
    { type: 'object', properties: { l: link(index + 1), r: link(index + 7) }, required: ['l', 'r'] },
  ])
  return { type: 'json-schema', schema: { ...link(0), $defs: Object.fromEntries(all) as object } }
}

test('while hostile constraints are compiled, others go on', async () => {
  const limitMs = 2_000
  const set = new ConstraintSet(VOCABULARY, { limitMs })
  const other = (await set.prepare(SCHEMA))()
  for (const byte of Buffer.from('{"name":')) other.tryAccept(byte)
  let [turns, isOver] = [0, false]
  const stream = async (): Promise<void> => {
    while (!isOver) {
      expect(allowed(other)).toContain(0x22)
      turns += 1
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  const streaming = stream()
  for (const [name, root] of HOSTILE) {
    const outcome: unknown = await set.prepare(root).catch((error: unknown) => error)
    expect(outcome instanceof AppError || typeof outcome === 'function', name).toBe(true)
  }
  isOver = true
  await streaming
  other.close()
  set.close()
  // Compilations that ran here would leave a turn or two for each.
  expect(turns).toBeGreaterThan(HOSTILE.length * 10)
}, 60_000)

test('a matcher follows what was taken, with and without asking in between', async () => {
  const [a, b] = [(await here.prepare(SCHEMA))(), (await here.prepare(SCHEMA))()]
  for (const byte of Buffer.from('{"name":"学"')) {
    allowed(a)
    expect([a.tryAccept(0x00), a.tryAccept(byte), b.tryAccept(byte)]).toEqual([false, true, true])
  }
  expect(allowed(a)).toEqual(allowed(b))
  a.close()
  b.close()
})
