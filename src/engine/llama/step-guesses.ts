/** Which guessed tokens ride along in one step: those of prompt lookup, as far as their price is worth it. */
import type { KvLayout } from '../engine.ts'
import { MAX_DRAFT } from './batch.ts'
import type { KvPool } from './kv-pool.ts'
import { generatedCount } from './sequence.ts'
import type { Sequence } from './sequence.ts'
import type { StepCost } from './step-cost.ts'

/** Answers that are being decoded at once above which no guesses are made: rows are dear then. */
const MAX_GUESSING = 4

/** In the split layout runs of unequal length cost a further pass over the weights each. */
export function mostGuessing(layout: KvLayout): number {
  return layout === 'split' ? 1 : MAX_GUESSING
}

export class StepGuesses {
  readonly #cost: StepCost
  readonly #answers: number
  readonly #most: number
  readonly #taken = { guesses: 0, right: 0 }

  /** `answers`: sequences of the step. */
  constructor(cost: StepCost, answers: number, maxBatchTokens: number) {
    this.#cost = cost
    this.#answers = answers
    this.#most = Math.min(MAX_DRAFT, maxBatchTokens - answers)
  }

  /** For each sequence of the step once. Also where none is worth it the sequence learns what guesses would have been. */
  of(sequence: Sequence, pool: KvPool): readonly number[] {
    const { slot } = sequence
    const { tokens, chances } = sequence.lookup.guess(sequence.tokens)
    const most = Math.min(this.#most - this.#taken.guesses, sequence.maxTokens - generatedCount(sequence) - 1)
    if (slot === undefined || most <= 0 || tokens.length === 0) return []
    let count = this.#cost.worthwhile(this.#answers, chances.slice(0, most), pool.lengthOf(slot), this.#taken)
    // Nobody gives way to a guess: each of the others needs a cell in this step.
    while (count > 0 && !pool.canExtend(slot, this.#answers + count)) count = Math.floor(count / 2)
    this.#taken.guesses += count
    this.#taken.right += chances.slice(0, count).reduce((sum, chance) => sum + chance, 0)
    return tokens.slice(0, count)
  }
}
