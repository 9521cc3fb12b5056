import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { effortOf } from '../../test/fixtures/effort.ts'
import { type Given, mayThink, merged, parallel, pieces, read } from '../../test/fixtures/answer-samples.ts'
import type { AnswerDialect } from './answer-dialect.ts'

const dialects: [string, AnswerDialect][] = parallel.map(([name, { dialect }]) => [name, dialect])

/** For 150,000 characters. What grows with the square takes many thousands. */
const EFFORT_MAX = 100

describe('any text', () => {
  const marks = parallel.flatMap(([, , text]) => text.split(/(?<=[>\]}])|(?=[<[{])/))
  const fragment = fc.oneof(
    fc.constantFrom(
      ...marks,
      '<think>',
      '</think>',
      '\n\n',
      '                    ',
      '{"name": "add"',
      '"arguments": {',
      '\\',
      '"',
      '}',
      '想🤔',
      '<',
      '｜',
      '```json',
      '\n```xml\n',
      '`',
      ' is',
      '，',
      '{"name": "nope"',
    ),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
  )
  const text = fc.array(fragment, { maxLength: 24 }).map((parts) => parts.join(''))

  it.each(dialects)('%s: never throws, keeps arguments valid, and does not depend on the cuts', (_, dialect) => {
    fc.assert(
      fc.property(
        text,
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        fc.array(fc.nat(300), { maxLength: 6 }),
        (whole, opens, may, split, cuts) => {
          const given: Given = { dialect, opensThought: opens, mayThink: may || opens, split }
          const expected = merged(pieces(given, [whole]))
          read(given, whole)
          expect(merged(pieces(given, whole.split('')))).toEqual(expected)
          const points = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].toSorted((a, b) => a - b)
          const parts = points.slice(1).map((point, index) => whole.slice(points[index], point))
          expect(merged(pieces(given, parts))).toEqual(expected)
        },
      ),
      { numRuns: 150, examples: [['<tool_call>"add\n', false, false, false, []]] },
    )
  })

  it.each(dialects)(
    '%s: a megabyte of marks in all takes time in proportion',
    async (_, dialect) => {
      const begin = parallel.find(([, given]) => given.dialect === dialect)?.[2].slice(0, 90) ?? ''
      for (const unit of ['<', '{"a":', '\n', begin, '<tool_call>{"name": "add", "arguments": {', '<｜DSML｜invoke name="a">', 'a "b\\']) {
        const long = begin + unit.repeat(Math.ceil(150_000 / unit.length))
        expect(await effortOf(() => read({ dialect, ...mayThink }, long), EFFORT_MAX)).toBeLessThan(EFFORT_MAX)
      }
    },
    60_000,
  )
})
