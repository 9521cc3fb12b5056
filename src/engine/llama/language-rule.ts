/** Keeps an answer in its language's scripts: letters of others are not sampled, unless nothing else may come. */
import { isTokenAllowed } from '../../formats/script-guard.ts'
import type { GuardedLanguage } from '../../formats/script-guard.ts'
import type { LlamaModel } from './model.ts'
import type { TokenRule } from './token-rule.ts'

/** Takes a token out of every choice that has another, and leaves the order of those that are taken out. */
const PENALTY = 1e6
/** Tokens between two breaths: a vocabulary takes a tenth of a second, and steps go on meanwhile. */
const SLICE = 4096

/** 1 for every token that is not to be sampled. Computed once a model and language. */
export class LanguageMasks {
  readonly #model: LlamaModel
  readonly #masks = new Map<GuardedLanguage, Promise<Uint8Array>>()

  constructor(model: LlamaModel) {
    this.#model = model
  }

  of(language: GuardedLanguage): Promise<Uint8Array> {
    const mask = this.#masks.get(language) ?? this.#compute(language)
    this.#masks.set(language, mask)
    return mask
  }

  async #compute(language: GuardedLanguage): Promise<Uint8Array> {
    const size = this.#model.shape.vocabularySize
    const mask = new Uint8Array(size)
    for (let token = 0; token < size; token++) {
      // Control tokens and the end have no bytes.
      mask[token] = isTokenAllowed(this.#model.pieceBytes(token), language) ? 0 : 1
      if (token % SLICE === SLICE - 1) await new Promise((resolve) => setImmediate(resolve))
    }
    return mask
  }
}

export function languageRule(banned: Uint8Array): TokenRule {
  /** Nothing else may come: the row has been masked, and a banned token was the best of it all the same. */
  let yields = false
  return {
    forced: () => undefined,
    tryAccept(token) {
      if (banned[token] === 1 && !yields) return false
      yields = false
      return true
    },
    mask(logits) {
      for (let token = 0; token < logits.length; token++) if (banned[token] === 1) logits[token] = (logits[token] ?? 0) - PENALTY
      yields = true
    },
    close: () => {},
  }
}
