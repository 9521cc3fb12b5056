/**
 * Which tokens an answer in one language may hold. Digits, punctuation, symbols, emoji, Latin and Greek letters (code, names, formulas) are always
 * allowed. `zh` adds Han and Bopomofo; letters of any other script (Kana, Hangul, Cyrillic, Arabic …) are not sampled. `en` has Latin and Greek only.
 * What this cannot do: tell simplified from traditional, or keep English words out of Chinese (code and names need them).
 */
import type { GenerateRequest } from '../shared/generate.ts'

export type GuardedLanguage = NonNullable<GenerateRequest['language']>

const LETTER = /[\p{L}\p{M}]/u
const ALLOWED: Record<GuardedLanguage, RegExp> = {
  zh: /[\p{scx=Latin}\p{scx=Greek}\p{sc=Common}\p{sc=Inherited}\p{scx=Han}\p{scx=Bopomofo}]/u,
  en: /[\p{scx=Latin}\p{scx=Greek}\p{sc=Common}\p{sc=Inherited}]/u,
}
/** The long-vowel marks of Kana count as common characters, but nothing else uses them. */
const KANA_MARKS = /[\u3099-\u309c\u30fc\uff70\uff9e\uff9f]/
const EMOJI = /\p{Emoji_Presentation}/u

/**
 * `bytes` are the token's UTF-8, which may begin or end inside of a character. Bytes that only continue a character are allowed (its first byte has
 * decided); a character that is begun is judged by all that it may still become.
 */
export function isTokenAllowed(bytes: Uint8Array, language: GuardedLanguage): boolean {
  let index = 0
  while (index < bytes.length && isContinuation(bytes[index])) index++
  while (index < bytes.length) {
    const length = sequenceLength(bytes[index])
    const { low, high } = codePoints(bytes.subarray(index, index + length), length)
    if (low === high ? !isCharacterAllowed(low, language) : !isBeginningAllowed(low, high, language)) return false
    index += length
  }
  return true
}

/** 1 for every token that is not to be sampled. End-of-generation and control tokens are the caller's to spare. */
export function scriptMask(tokens: Iterable<Uint8Array>, language: GuardedLanguage): Uint8Array {
  return Uint8Array.from([...tokens], (bytes) => (isTokenAllowed(bytes, language) ? 0 : 1))
}

function isCharacterAllowed(codePoint: number, language: GuardedLanguage): boolean {
  if (codePoint < 0x250 || codePoint > 0x10ffff) return true
  const character = String.fromCodePoint(codePoint)
  if (KANA_MARKS.test(character)) return false
  return !LETTER.test(character) || ALLOWED[language].test(character)
}

const beginnings = new Map<string, boolean>()

/** Masked when all letters that may come of it are, and no emoji may. */
function isBeginningAllowed(low: number, high: number, language: GuardedLanguage): boolean {
  // Four bytes hold most emoji and many scripts: one more byte is needed to tell.
  if (high - low > 0x1000) return true
  const key = `${language}${low}-${high}`
  const known = beginnings.get(key)
  if (known !== undefined) return known
  const allowed = mayBeAllowed(low, high, language)
  beginnings.set(key, allowed)
  return allowed
}

function mayBeAllowed(low: number, high: number, language: GuardedLanguage): boolean {
  let letters = 0
  for (let codePoint = low; codePoint <= high; codePoint++) {
    const character = String.fromCodePoint(codePoint)
    if (EMOJI.test(character)) return true
    if (!LETTER.test(character)) continue
    letters++
    if (isCharacterAllowed(codePoint, language)) return true
  }
  return letters === 0
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x80 && byte < 0xc0
}

function sequenceLength(byte = 0): number {
  if (byte < 0xc0) return 1
  if (byte < 0xe0) return 2
  return byte < 0xf0 ? 3 : 4
}

/** The code points that a beginning of `length` bytes can become; one when it is whole. */
function codePoints(bytes: Uint8Array, length: number): { low: number; high: number } {
  const lead = bytes[0] ?? 0
  let value = length === 1 ? lead & 0x7f : lead & (0xff >> (length + 1))
  for (const byte of bytes.subarray(1)) value = (value << 6) | (byte & 0x3f)
  const missing = 6 * (length - bytes.length)
  const low = value << missing
  return { low, high: Math.min(low + (1 << missing) - 1, 0x10ffff) }
}
