/** The longest window and the most users that fit; found by halving, since more of either never takes less. */
import { MOST_SEQUENCES } from './overheads.ts'
import { fits } from './planner-situation.ts'
import type { Subject, Wishes } from './planner-situation.ts'

/** libllama pads windows to this many cells. */
const STEP = 256
const LONGEST_UNKNOWN = 131_072

/** Tokens, at most what the model was trained for; 0 when not even 256 fit. */
export function largestContext(subject: Subject, wishes: Wishes): number {
  const trained = subject.header.trainedContext > 0 ? subject.header.trainedContext : LONGEST_UNKNOWN
  const contextFits = (context: number): boolean => fits(subject, { ...wishes, context })
  if (contextFits(trained)) return trained
  return largest(Math.floor(trained / STEP), (steps) => contextFits(steps * STEP)) * STEP
}

/** 0 when not even one fits. */
export function mostUsers(subject: Subject, wishes: Wishes): number {
  return largest(MOST_SEQUENCES[wishes.engine], (users) => fits(subject, { ...wishes, users }))
}

/** The greatest of 1 … most for which the test holds; 0 when there is none. */
export function largest(most: number, holds: (value: number) => boolean): number {
  let [low, high] = [0, Math.max(0, most)]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (holds(middle)) low = middle
    else high = middle - 1
  }
  return low
}
