import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLineJoiner } from './line-joiner.ts'

function entriesOf(lines: readonly string[]): string[] {
  const joiner = createLineJoiner()
  return lines.map((line) => joiner.push(line)).filter((entry) => entry !== undefined)
}

describe('typed lines', () => {
  it.each([
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [['a\\', 'b'], ['a\nb']],
    [['"""a', 'b"""'], ['a\nb']],
    [
      ['"""', 'a', '', 'b', '"""', 'c'],
      ['a\n\nb', 'c'],
    ],
    [['"""one line"""'], ['one line']],
    [['"""', 'a\\', '"""'], ['a\\']],
  ])('%j are the entries %j', (lines, entries) => {
    expect(entriesOf(lines)).toEqual(entries)
  })

  it('between fences come out as they went in', () => {
    const line = fc.string().filter((text) => !text.includes('"""') && !text.includes('\n'))
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), (lines) => {
        expect(entriesOf(['"""', ...lines, '"""'])).toEqual([lines.join('\n')])
      }),
    )
  })

  it('are forgotten by a reset', () => {
    const joiner = createLineJoiner()
    joiner.push('a\\')
    expect(joiner.isOpen()).toBe(true)
    joiner.reset()
    expect(joiner.push('b')).toBe('b')
  })
})
