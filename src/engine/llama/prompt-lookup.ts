/**
 * Speculation by prompt lookup: where the last tokens stood before, what followed them then is guessed again.
 * Of several such places the one that agrees furthest back is taken, and how far it agrees says how likely it goes on agreeing.
 * Source: A. Saxena, "Prompt Lookup Decoding" (2023). Guesses are only ever verified, so the output stays the same.
 *
 *   … { id: 6, name: "item-6", price: 45 …        … { id: 7, name: "item-
 *              └──── context ─────┘ └─ guesses         └──── context ───┘ now
 *
 * A guess is made at every token, whether it is computed or not: so what guesses are worth here is learned at no cost.
 */

import { MAX_DRAFT } from './batch.ts'

/** Tokens that must agree at least. */
const SHORTEST = 2
/** … by which places are found when there are many: chains of two tokens would be too long. */
const KEY = 3
/** Agreement is measured no further back. */
const LONGEST = 128
/** Places that are compared, the latest first. */
const MOST_PLACES = 64
/** Old outcomes fade with this weight for each guess. */
const MEMORY = 0.97
/** How many outcomes the first chance weighs as much as. */
const FIRST_WEIGHT = 4

/**
 * Chance that a guess is right after an agreement of 2–3, 4–7, 8–15, 16–31, 32–63, 64–127, 128 tokens, before any was made: as it is in
 * source code and documents that repeat themselves in part (counted over 120 files, cut into pieces of up to five letters).
 */
const FIRST_CHANCES = [0.48, 0.7, 0.8, 0.87, 0.93, 0.98, 0.99] as const

export interface Guesses {
  tokens: readonly number[]
  /** For each token: how likely it and all before it are right, 0…1. */
  chances: readonly number[]
}

/** How guesses fared lately that agreed this far. */
interface Record {
  right: number
  count: number
}

const NONE: Guesses = { tokens: [], chances: [] }

export class PromptLookup {
  /** Hash of KEY tokens → where their latest occurrence ends. Two runs with one hash are told apart when they are compared. */
  readonly #latest = new Map<number, number>()
  /** The end of the occurrence before the one that ends here; 0 = none. */
  readonly #earlier: number[] = []
  /** The same for two tokens, the latest only. */
  readonly #latestPair = new Map<number, number>()
  #indexed = 0
  readonly #records: readonly Record[] = FIRST_CHANCES.map((chance) => ({ right: chance * FIRST_WEIGHT, count: FIRST_WEIGHT }))
  /** The last guesses, and how many tokens agreed before them. */
  #last: { tokens: readonly number[]; agreed: number } | undefined

  /** What may come next, MAX_DRAFT tokens at most. */
  guess(tokens: readonly number[]): Guesses {
    this.#index(tokens)
    const place = this.#find(tokens)
    this.#last = place && { tokens: continuation(tokens, place.end), agreed: place.agreed }
    return this.#last ? { tokens: this.#last.tokens, chances: this.#chances(this.#last.agreed) } : NONE
  }

  /** What really came after the last `guess`. */
  observe(actual: readonly number[]): void {
    const guess = this.#last
    this.#last = undefined
    for (let i = 0; guess && i < Math.min(guess.tokens.length, actual.length); i++) {
      const isRight = guess.tokens[i] === actual[i]
      const record = this.#recordOf(guess.agreed + i)
      record.right = record.right * MEMORY + (isRight ? 1 : 0)
      record.count = record.count * MEMORY + 1
      if (!isRight) return
    }
  }

  #chances(agreed: number): number[] {
    const likely = rising(this.#records)
    let chance = 1
    return Array.from({ length: MAX_DRAFT }, (_, i) => (chance *= likely[kindOf(agreed + i)] ?? 0))
  }

  #recordOf(agreed: number): Record {
    const record = this.#records[kindOf(agreed)]
    if (!record) throw new Error(`an agreement of ${agreed} tokens`)
    return record
  }

  /** Where the end of the text stood before, agreeing furthest back; the latest of equals. */
  #find(tokens: readonly number[]): { end: number; agreed: number } | undefined {
    if (tokens.length <= KEY) return undefined
    let best = this.#agreement(tokens, this.#latestPair.get(keyOf(tokens, tokens.length, SHORTEST)) ?? 0)
    let end = this.#latest.get(keyOf(tokens, tokens.length, KEY)) ?? 0
    for (let places = 0; end > 0 && places < MOST_PLACES && best.agreed < LONGEST; places++) {
      const place = this.#agreement(tokens, end)
      if (place.agreed > best.agreed) best = place
      end = this.#earlier[end] ?? 0
    }
    return best.agreed >= SHORTEST ? best : undefined
  }

  #agreement(tokens: readonly number[], end: number): { end: number; agreed: number } {
    let agreed = 0
    const most = Math.min(LONGEST, end)
    while (agreed < most && tokens[end - 1 - agreed] === tokens[tokens.length - 1 - agreed]) agreed++
    return { end, agreed }
  }

  /** Runs that end before the last token: the current end itself must not be found. */
  #index(tokens: readonly number[]): void {
    for (let end = Math.max(this.#indexed, SHORTEST); end < tokens.length; end++) {
      this.#latestPair.set(keyOf(tokens, end, SHORTEST), end)
      if (end < KEY) continue
      const key = keyOf(tokens, end, KEY)
      this.#earlier[end] = this.#latest.get(key) ?? 0
      this.#latest.set(key, end)
    }
    this.#indexed = Math.max(this.#indexed, tokens.length)
  }
}

/** Index of FIRST_CHANCES. */
function kindOf(agreed: number): number {
  return Math.min(FIRST_CHANCES.length, Math.floor(Math.log2(agreed))) - 1
}

/**
 * How likely each kind is right. Who agrees further is no less likely: neighbours that say otherwise are counted together, so that what was seen
 * of short agreements is believed of long ones before there was any. Source: isotonic regression by pooling adjacent violators (Ayer et al., 1955).
 */
function rising(records: readonly Record[]): number[] {
  const pools: (Record & { kinds: number })[] = []
  for (const record of records) {
    const pool = { ...record, kinds: 1 }
    for (let below = pools.at(-1); below && below.right * pool.count > pool.right * below.count; below = pools.at(-1)) {
      pool.right += below.right
      pool.count += below.count
      pool.kinds += below.kinds
      pools.pop()
    }
    pools.push(pool)
  }
  return pools.flatMap(({ right, count, kinds }) => Array.from({ length: kinds }, () => right / count))
}

/** What followed `end`; at the end of the text it goes on from there, as a text does that repeats itself. */
function continuation(tokens: readonly number[], end: number): number[] {
  const period = tokens.length - end
  return Array.from({ length: MAX_DRAFT }, (_, i) => tokens[end + (i % period)] ?? 0)
}

/** FNV-1a over the `length` tokens before `end`. */
function keyOf(tokens: readonly number[], end: number, length: number): number {
  let hash = 0x811c9dc5 ^ length
  for (let i = end - length; i < end; i++) hash = Math.imul(hash ^ (tokens[i] ?? 0), 0x01000193)
  return hash
}
