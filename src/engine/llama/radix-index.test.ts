import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RadixIndex } from './radix-index.ts'

const common = (a: readonly number[], b: readonly number[]): number => {
  let i = 0
  while (i < a.length && i < b.length && a[i] === b[i]) i++
  return i
}

describe('RadixIndex', () => {
  it('finds who shares the longest prefix', () => {
    const index = new RadixIndex<string>()
    index.extend('a', [1, 2, 3, 4, 5])
    index.extend('b', [1, 2, 3, 9])
    expect(index.match([1, 2, 3, 4, 7])).toEqual({ length: 4, holders: new Set(['a']) })
    expect(index.match([1, 2, 3])).toEqual({ length: 3, holders: new Set(['a', 'b']) })
    expect(index.match([7])).toEqual({ length: 0, holders: new Set() })
    expect(index.tokenCount).toBe(6)
  })

  it('frees what only the deleted holder had', () => {
    const index = new RadixIndex<string>()
    index.extend('a', [1, 2, 3])
    index.extend('b', [1, 2, 4, 5])
    expect(index.uniqueTokens('b')).toBe(2)
    index.delete('b')
    expect(index.tokenCount).toBe(3)
    expect(index.match([1, 2, 4]).length).toBe(2)
  })

  it('agrees with a plain list under any sequence of extensions, cuts and deletions', () => {
    const token = fc.integer({ min: 0, max: 2 })
    const action = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ type: fc.constant('extend' as const), holder: fc.nat(4), tokens: fc.array(token, { maxLength: 8 }) }),
      },
      { weight: 2, arbitrary: fc.record({ type: fc.constant('truncate' as const), holder: fc.nat(4), length: fc.nat(10) }) },
      { weight: 1, arbitrary: fc.record({ type: fc.constant('delete' as const), holder: fc.nat(4) }) },
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), fc.array(token, { maxLength: 12 }), (actions, query) => {
        const index = new RadixIndex<number>()
        const model = new Map<number, number[]>()
        for (const a of actions) {
          const before = model.get(a.holder) ?? []
          if (a.type === 'extend') {
            index.extend(a.holder, a.tokens)
            if (a.tokens.length > 0) model.set(a.holder, [...before, ...a.tokens])
          } else if (a.type === 'truncate') {
            index.truncate(a.holder, a.length)
            if (a.length === 0) model.delete(a.holder)
            else if (model.has(a.holder)) model.set(a.holder, before.slice(0, a.length))
          } else {
            index.delete(a.holder)
            model.delete(a.holder)
          }
          index.verify()
        }
        const lists = [...model.entries()]
        for (const [holder, tokens] of lists) expect(index.tokensOf(holder)).toEqual(tokens)
        const prefixes = new Set(lists.flatMap(([, tokens]) => tokens.map((_, i) => tokens.slice(0, i + 1).join())))
        expect(index.tokenCount).toBe(prefixes.size)
        const best = Math.max(0, ...lists.map(([, tokens]) => common(tokens, query)))
        const match = index.match(query)
        expect(match.length).toBe(best)
        if (best > 0) {
          const expected = lists.filter(([, tokens]) => common(tokens, query) === best).map(([holder]) => holder)
          expect([...match.holders].toSorted()).toEqual(expected.toSorted())
        }
      }),
      { numRuns: 500 },
    )
  })
})
