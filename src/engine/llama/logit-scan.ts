/** Finds the best of a row of logits, by blocks: only blocks whose largest number counts are looked at one by one. */
import type { CandidateArray } from './binding-types.ts'
import { BLOCK, createBlockMaxima } from './block-maxima.ts'
import type { BlockMaxima } from './block-maxima.ts'

export type Candidates = Pick<CandidateArray, 'ids' | 'logits'>

export interface LogitScan {
  /** Index of the largest value; the first of equals; −1 when there is none above −∞ (or all are NaN). */
  argmax(logits: Float32Array): number
  /**
   * The `count` largest above −∞ as candidates in falling order, lower index first among equals. Returns how many there are.
   * For counts of up to a few hundred: what is found is kept sorted.
   */
  selectTop(logits: Float32Array, count: number, candidates: Candidates): number
}

/** For rows of `size` logits. Uses one copy of a row in WebAssembly memory; nothing is allocated per call, but for `selectTop` one small array. */
export function createLogitScan(size: number): LogitScan {
  const blocks = createBlockMaxima(size)
  return {
    argmax(logits) {
      blocks.compute(logits)
      return firstLargest(blocks)
    },
    selectTop(logits, count, candidates) {
      blocks.compute(logits)
      return selectTopOf(blocks, count, candidates)
    },
  }
}

function firstLargest({ values, maxima }: BlockMaxima): number {
  let best = -1
  let highest = Number.NEGATIVE_INFINITY
  for (let block = 0; block < maxima.length; block++) {
    const value = maxima[block] ?? 0
    if (value <= highest) continue
    highest = value
    best = block
  }
  // The row may end with −∞ of our own, which is never the largest.
  return best < 0 ? -1 : values.indexOf(highest, best * BLOCK)
}

/** The k-th largest maximum is not above the k-th largest number: blocks below it hold none of the k largest. */
function selectTopOf({ values, maxima }: BlockMaxima, count: number, { ids, logits }: Candidates): number {
  const floor = kthLargest(maxima, count)
  let size = 0
  for (let block = 0; block < maxima.length; block++) {
    const highest = maxima[block] ?? 0
    if (highest === Number.NEGATIVE_INFINITY || highest < floor) continue
    for (let index = block * BLOCK; index < (block + 1) * BLOCK; index++) {
      const value = values[index] ?? 0
      if (!(value > Number.NEGATIVE_INFINITY) || value < floor) continue
      if (size === count && value <= (logits[3 * count - 2] ?? 0)) continue
      let place = size < count ? size++ : count - 1
      for (; place > 0 && (logits[3 * place - 2] ?? 0) < value; place--) {
        ids[3 * place] = ids[3 * place - 3] ?? 0
        logits[3 * place + 1] = logits[3 * place - 2] ?? 0
      }
      ids[3 * place] = index
      logits[3 * place + 1] = value
    }
  }
  return size
}

/** −∞ when there are fewer. */
function kthLargest(numbers: Float32Array, k: number): number {
  if (numbers.length < k) return Number.NEGATIVE_INFINITY
  const largest = new Float32Array(k).fill(Number.NEGATIVE_INFINITY)
  let lowest = Number.NEGATIVE_INFINITY
  for (const value of numbers) {
    if (!(value > lowest)) continue
    let place = k - 1
    for (; place > 0 && (largest[place - 1] ?? 0) < value; place--) largest[place] = largest[place - 1] ?? 0
    largest[place] = value
    lowest = largest[k - 1] ?? 0
  }
  return lowest
}
