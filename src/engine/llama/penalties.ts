/**
 * Repetition, frequency and presence penalties over the last tokens of a sequence, as llama.cpp's `penalties` sampler
 * (src/llama-sampler.cpp) computes them, but only for the tokens concerned: that one walks the whole vocabulary.
 */
export interface PenaltySettings {
  /** 1 is off. */
  repetition: number
  frequency: number
  presence: number
  /** Tokens to look back; −1 is all. */
  lastN: number
}

export class Penalties {
  #settings: PenaltySettings
  #counts = new Map<number, number>()
  #window: number[] = []
  #oldest = 0

  constructor(settings: PenaltySettings) {
    this.#settings = settings
  }

  static areNeeded({ repetition, frequency, presence, lastN }: PenaltySettings): boolean {
    return lastN !== 0 && (repetition !== 1 || frequency !== 0 || presence !== 0)
  }

  /** A token of the prompt or a sampled one. */
  accept(token: number): void {
    this.#counts.set(token, (this.#counts.get(token) ?? 0) + 1)
    if (this.#settings.lastN < 0) return
    const leaving = this.#window[this.#oldest]
    this.#window[this.#oldest] = token
    this.#oldest = (this.#oldest + 1) % this.#settings.lastN
    if (leaving !== undefined) this.#forget(leaving)
  }

  apply(logits: Float32Array): void {
    const { repetition, frequency, presence } = this.#settings
    for (const [token, count] of this.#counts) {
      const logit = logits[token]
      if (logit === undefined) continue
      // The paper only divides, which would make negative logits likelier (llama.cpp's remark).
      const repeated = logit <= 0 ? logit * repetition : logit / repetition
      logits[token] = repeated - count * frequency - presence
    }
  }

  #forget(token: number): void {
    const left = (this.#counts.get(token) ?? 1) - 1
    if (left > 0) this.#counts.set(token, left)
    else this.#counts.delete(token)
  }
}
