import { describe, expect, it } from 'vitest'
import { PromptLookup } from './prompt-lookup.ts'

/** Rows cost little, so that trust alone decides. */
const CHEAP = 0.05

describe('PromptLookup', () => {
  it('proposes what followed the same tokens before', () => {
    const text = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3]
    expect(new PromptLookup().propose(text, 3, CHEAP)).toEqual([4, 5, 6])
  })

  it('takes the place that agrees furthest back, not the latest', () => {
    const [long, short] = [
      [9, 1, 2, 3, 40],
      [8, 1, 2, 3, 50],
    ]
    expect(new PromptLookup().propose([...long, ...short, 9, 1, 2, 3], 1, CHEAP)).toEqual([40])
  })

  it('takes the latest of places that agree equally far', () => {
    expect(new PromptLookup().propose([7, 1, 2, 3, 40, 7, 1, 2, 3, 50, 7, 1, 2, 3], 1, CHEAP)).toEqual([50])
  })

  it('proposes nothing where the text repeats nothing', () => {
    expect(
      new PromptLookup().propose(
        Array.from({ length: 200 }, (_, i) => i),
        8,
        CHEAP,
      ),
    ).toEqual([])
  })

  it('trusts a long agreement with a longer draft than a short one', () => {
    const passage = Array.from({ length: 60 }, (_, i) => 100 + i)
    const after = (count: number): number => new PromptLookup().propose([...passage, 1, ...passage.slice(0, count)], 99, 0.2).length
    expect(after(40)).toBeGreaterThan(after(3))
  })

  it('stops proposing when rows are dearer than what they may bring', () => {
    expect(new PromptLookup().propose([1, 2, 3, 4, 5, 1, 2, 3], 8, 0.99)).toEqual([])
  })

  it('pauses after failures, longer each time, and comes back', () => {
    const lookup = new PromptLookup()
    const tokens = [1, 2, 3, 4]
    let proposals = 0
    for (let i = 0; i < 4000; i++) {
      // What follows is always something new.
      tokens.push(1, 2, 3, 1000 + i)
      tokens.push(1, 2, 3)
      const draft = lookup.propose(tokens, 8, CHEAP)
      if (draft.length === 0) continue
      proposals++
      lookup.observe(draft.length, 0, tokens.length)
    }
    expect(proposals).toBeGreaterThan(10)
    expect(proposals).toBeLessThan(400)
  })

  it('never looks beyond the end of the text', () => {
    expect(new PromptLookup().propose([5, 5, 5, 5, 5, 5], 8, CHEAP)).toEqual([5])
  })
})
