/**
 * Speculation by prompt lookup: where the last tokens stood before, what followed them then is proposed again.
 * Of several such places the one that agrees furthest back is taken, and how far it agrees says how far it is trusted.
 * Source: A. Saxena, "Prompt Lookup Decoding" (2023). Proposals are only ever verified, so the output stays the same.
 *
 *   … { id: 6, name: "item-6", price: 45 …        … { id: 7, name: "item-
 *              └──── context ─────┘ └─ draft           └──── context ───┘ now
 */

import { MAX_DRAFT } from './batch.ts'

/** Tokens that must agree at least. */
const SHORTEST = 2
/** … by which places are found when there are many: chains of two tokens would be too long. */
const KEY = 3
/** Agreement is measured no further back. */
const LONGEST = 32
/** Places that are compared, the latest first. */
const MOST_PLACES = 64
/** Old outcomes fade with this weight for each proposed token. */
const MEMORY = 0.9
/** Below this many accepted of each proposed token a trust pauses. */
const LOW_ACCEPTANCE = 0.35
const FIRST_PAUSE = 16
const LONGEST_PAUSE = 256

/** How proposals fared lately that agreed this far: 2–3, 4–7, 8–15, 16–31, 32 tokens. */
interface Trust {
  /** Share of proposed tokens that were right, 0…1. */
  acceptance: number
  pauseLength: number
  pausedUntil: number
}

const FIRST_ACCEPTANCE = [0.45, 0.55, 0.7, 0.8, 0.85] as const

export class PromptLookup {
  /** Hash of KEY tokens → where their latest occurrence ends. Two runs with one hash are told apart when they are compared. */
  readonly #latest = new Map<number, number>()
  /** The end of the occurrence before the one that ends here; 0 = none. */
  readonly #earlier: number[] = []
  /** The same for two tokens, the latest only. */
  readonly #latestPair = new Map<number, number>()
  #indexed = 0
  readonly #trusts: readonly Trust[] = FIRST_ACCEPTANCE.map((acceptance) => ({ acceptance, pauseLength: FIRST_PAUSE, pausedUntil: 0 }))
  /** Of the last proposal. */
  #trust: Trust | undefined

  /**
   * What may come next, at most `limit` tokens.
   * `marginalCost`: what one more row costs as a part of a whole step; a proposal must be likelier than that to pay.
   */
  propose(tokens: readonly number[], limit: number, marginalCost: number): number[] {
    this.#index(tokens)
    const place = this.#find(tokens)
    if (!place) return []
    const trust = this.#trusts[Math.min(this.#trusts.length, Math.floor(Math.log2(place.agreed))) - 1]
    if (!trust || tokens.length < trust.pausedUntil) return []
    this.#trust = trust
    return tokens.slice(place.end, place.end + Math.min(limit, worthwhile(trust.acceptance, marginalCost)))
  }

  /** What became of a proposal of `proposed` tokens, when `length` tokens are known. */
  observe(proposed: number, accepted: number, length: number): void {
    const trust = this.#trust
    if (!trust) return
    for (let i = 0; i < Math.min(proposed, accepted + 1); i++) {
      trust.acceptance = trust.acceptance * MEMORY + (i < accepted ? 1 - MEMORY : 0)
    }
    if (accepted === proposed) trust.pauseLength = FIRST_PAUSE
    if (trust.acceptance >= LOW_ACCEPTANCE) return
    trust.pausedUntil = length + trust.pauseLength
    trust.pauseLength = Math.min(LONGEST_PAUSE, trust.pauseLength * 2)
    // Tried again with little trust after the pause.
    trust.acceptance = LOW_ACCEPTANCE + 0.05
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

/** Longest draft whose last token is still likelier than its cost. */
function worthwhile(acceptance: number, marginalCost: number): number {
  let likelihood = 1
  for (let length = 0; length < MAX_DRAFT; length++) {
    likelihood *= acceptance
    if (likelihood < marginalCost) return length
  }
  return MAX_DRAFT
}

/** FNV-1a over the `length` tokens before `end`. */
function keyOf(tokens: readonly number[], end: number, length: number): number {
  let hash = 0x811c9dc5 ^ length
  for (let i = end - length; i < end; i++) hash = Math.imul(hash ^ (tokens[i] ?? 0), 0x01000193)
  return hash
}
