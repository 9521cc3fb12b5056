/**
 * Speculation by prompt lookup: where the last few tokens stood before, what followed them then is proposed again.
 * Source: A. Saxena, "Prompt Lookup Decoding" (2023). Proposals are only ever verified, so the output stays the same.
 */

/** Longest and shortest run of tokens that is looked up. */
const LONGEST = 4
const SHORTEST = 2
const MAX_DRAFT = 10
/** Old outcomes fade with this weight for each proposed token. */
const MEMORY = 0.9
/** Below this many accepted of each proposed token it pauses. */
const LOW_ACCEPTANCE = 0.35
const FIRST_PAUSE = 16
const LONGEST_PAUSE = 256

export class PromptLookup {
  /** Hash of a run → the position after its latest occurrence. Two runs with one hash only make a useless proposal. */
  #positions = new Map<number, number>()
  #indexed = 0
  #acceptance = 0.6
  #pauseLength = FIRST_PAUSE
  #pausedUntil = 0

  /** Share of proposals that were right lately, 0…1. */
  get acceptance(): number {
    return this.#acceptance
  }

  /**
   * What may come next, at most `limit` tokens.
   * `marginalCost`: what one more row costs as a part of a whole step; a proposal must be likelier than that to pay.
   */
  propose(tokens: readonly number[], limit: number, marginalCost: number): number[] {
    this.#index(tokens)
    if (tokens.length < this.#pausedUntil) return []
    const start = this.#find(tokens)
    if (start === undefined) return []
    return tokens.slice(start, start + Math.min(limit, this.#worthwhile(marginalCost)))
  }

  /** What became of a proposal of `proposed` tokens, when `length` tokens are known. */
  observe(proposed: number, accepted: number, length: number): void {
    for (let i = 0; i < Math.min(proposed, accepted + 1); i++) {
      this.#acceptance = this.#acceptance * MEMORY + (i < accepted ? 1 - MEMORY : 0)
    }
    if (accepted === proposed) this.#pauseLength = FIRST_PAUSE
    if (this.#acceptance >= LOW_ACCEPTANCE) return
    this.#pausedUntil = length + this.#pauseLength
    this.#pauseLength = Math.min(LONGEST_PAUSE, this.#pauseLength * 2)
    // Tried again with little trust after the pause.
    this.#acceptance = LOW_ACCEPTANCE + 0.05
  }

  /** Longest draft whose last token is still likelier than its cost. */
  #worthwhile(marginalCost: number): number {
    let likelihood = 1
    for (let length = 0; length < MAX_DRAFT; length++) {
      likelihood *= this.#acceptance
      if (likelihood < marginalCost) return length
    }
    return MAX_DRAFT
  }

  #find(tokens: readonly number[]): number | undefined {
    for (let length = LONGEST; length >= SHORTEST; length--) {
      if (tokens.length <= length) continue
      const position = this.#positions.get(keyOf(tokens, tokens.length - length, length))
      if (position !== undefined && position < tokens.length) return position
    }
    return undefined
  }

  /** Runs that end before the last token: the current end itself must not be found. */
  #index(tokens: readonly number[]): void {
    for (let end = Math.max(this.#indexed, SHORTEST); end < tokens.length; end++) {
      for (let length = SHORTEST; length <= Math.min(LONGEST, end); length++) this.#positions.set(keyOf(tokens, end - length, length), end)
    }
    this.#indexed = Math.max(this.#indexed, tokens.length)
  }
}

/** FNV-1a over the tokens and the length of the run. */
function keyOf(tokens: readonly number[], start: number, length: number): number {
  let hash = 0x811c9dc5 ^ length
  for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ (tokens[i] ?? 0), 0x01000193)
  return hash
}
