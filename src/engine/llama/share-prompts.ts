/** Part of the prompt budget that the longest-waiting prompt gets, however short the others are. */
const OLDEST_SHARE = 0.25

/**
 * Divides a budget of prompt tokens: the oldest prompt gets its share first, so that it never starves; then the shortest remains
 * first, so that a short question does not wait behind a long document. `wanted` is in the order of arrival.
 */
export function sharePrompts(wanted: readonly number[], budget: number): number[] {
  const shares = wanted.map(() => 0)
  if (wanted.length === 0) return shares
  let left = budget
  const give = (index: number, most: number): void => {
    const count = Math.min((wanted[index] ?? 0) - (shares[index] ?? 0), most, left)
    shares[index] = (shares[index] ?? 0) + count
    left -= count
  }
  give(0, Math.ceil(budget * OLDEST_SHARE))
  const byRemaining = wanted.map((count, index) => ({ count, index })).toSorted((a, b) => a.count - b.count || a.index - b.index)
  for (const { index } of byRemaining) give(index, left)
  return shares
}

/** Prompts from which on, and the part of their tokens that is computed first. */
const MANY_PROMPTS = 4
const FIRST_PART = 2 / 3

/**
 * Tokens to compute now of prompts that would all end with this step, while nobody reads: with a part of them first two thirds of
 * the users have their first word a third sooner, and the others theirs hardly later.
 */
export function firstPart(wanted: readonly number[], budget: number): number {
  const total = sumOf(wanted)
  return wanted.length < MANY_PROMPTS || total > budget ? Math.min(total, budget) : Math.ceil(total * FIRST_PART)
}

export function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
