import { expect, it } from 'vitest'
import { createSequence } from './sequence.ts'
import { SnapshotStore } from './snapshot-store.ts'
import { StepCost } from './step-cost.ts'
import { StepGuesses } from './step-guesses.ts'
import { UnifiedPool } from './unified-pool.ts'

it('guesses no more than leaves each of the others the cell that it needs in the same step', () => {
  const snapshots = new SnapshotStore({ memoryLimit: 0, bytesPerToken: 4 })
  const pool = new UnifiedPool({ layout: 'unified', parallel: 2, slots: 2, window: 80, cells: 84 }, snapshots, { sharing: true })
  const cost = new StepCost({ idleTokens: 64 })
  cost.observe({ answers: 2, guesses: 0, promptTokens: 0, depth: 0 }, 10)
  // Rows cost nothing, so that every guess is worth it.
  for (const guesses of [1, 4, 16, 40]) for (let i = 0; i < 20; i++) cost.observe({ answers: 2, guesses, promptTokens: 0, depth: 0 }, 10)
  const repeating = Array.from({ length: 41 }, (_, i) => i % 3)
  const sequences = [repeating, repeating.map((token) => token + 5)].map((tokens, id) => {
    const sequence = createSequence({ id, tokens, sampling: { seed: 0, ignoreEos: true } }, 0)
    sequence.slot = pool.admit(tokens, { length: 0, source: { type: 'none' } }).slot
    pool.extend(sequence.slot, tokens.slice(0, 40))
    return sequence
  })
  const guesses = new StepGuesses(cost, 2, 64)
  for (const sequence of sequences) {
    const { slot = 0 } = sequence
    expect(pool.canExtend(slot, 1)).toBe(true)
    const guessed = guesses.of(sequence, pool)
    pool.extend(slot, [sequence.tokens[40] ?? 0, ...guessed])
  }
  expect(pool.count().free).toBeLessThan(2)
})
