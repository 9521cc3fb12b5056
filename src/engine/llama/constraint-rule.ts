/** A compiled constraint as a rule for one sequence. */
import type { TokenRule } from './token-rule.ts'
import type { TokenVocabulary } from './token-vocabulary.ts'

/** The state of one sequence in a constraint. */
export interface Matcher {
  /** Whether the token may come next; moves on with it if so. */
  accept(token: number): boolean
  /** Bit t of the words says whether token t may come next. They are valid during the call only. */
  useAllowed(use: (words: Int32Array) => void): void
  close(): void
}

/** Tokens of nothing but white space in a row, at most: small models indent for ever otherwise. */
const MOST_BLANKS = 20
/** Space, tab, line feed and carriage return in the alphabet of byte-level BPE. */
const BLANK = /^[ĠĉĊč]+$/

/** `endsBlanks`: white space is not what the constraint is about, so that it may be cut short. */
export function constraintRule(matcher: Matcher, { texts }: TokenVocabulary, endsBlanks: boolean): TokenRule {
  let blanks = 0
  let mayBeBlank = true
  const isBlank = (token: number): boolean => BLANK.test(texts[token] ?? '')
  return {
    forced: () => undefined,
    tryAccept(token) {
      const blank = endsBlanks && isBlank(token)
      if (blank && blanks >= MOST_BLANKS && mayBeBlank) return false
      if (!matcher.accept(token)) return false
      blanks = blank ? blanks + 1 : 0
      mayBeBlank = true
      return true
    },
    mask(logits) {
      matcher.useAllowed((words) => maskLogits(logits, words))
      if (blanks >= MOST_BLANKS) mayBeBlank = maskBlanks(logits, isBlank)
    },
    close: () => matcher.close(),
  }
}

/** Bit t of the words says whether token t may come. */
export function maskLogits(logits: Float32Array, words: Int32Array): void {
  for (let word = 0; word < words.length; word++) {
    const bits = words[word] ?? 0
    if (bits === -1) continue
    const from = word * 32
    if (bits === 0) logits.fill(Number.NEGATIVE_INFINITY, from, from + 32)
    else for (let bit = 0; bit < 32; bit++) if (((bits >>> bit) & 1) === 0) logits[from + bit] = Number.NEGATIVE_INFINITY
  }
}

/** Unless nothing else may come. Returns whether something else may. */
function maskBlanks(logits: Float32Array, isBlank: (token: number) => boolean): boolean {
  const blank: number[] = []
  let others = 0
  for (let token = 0; token < logits.length; token++) {
    if (!((logits[token] ?? 0) > Number.NEGATIVE_INFINITY)) continue
    if (isBlank(token)) blank.push(token)
    else others++
  }
  if (others === 0) return false
  for (const token of blank) logits[token] = Number.NEGATIVE_INFINITY
  return true
}
