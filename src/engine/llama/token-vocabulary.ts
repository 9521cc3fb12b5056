/** A model's vocabulary as XGrammar wants it: every token's bytes, written in the alphabet of byte-level BPE. */
import type { LlamaModel } from './model.ts'

export interface TokenVocabulary {
  /** By id. Empty: never part of an answer (control tokens that are no marks of its format). */
  texts: string[]
  /** Any of them ends the answer. */
  stopTokens: number[]
}

/** The texts of special tokens that are marks in what a model writes: those that stand in one of these texts, or all. */
export type Markup = readonly string[] | 'all'

/** Tokens between two breaths: a vocabulary takes a tenth of a second, and steps go on meanwhile. */
const SLICE = 4096

export async function readVocabulary(model: LlamaModel, markup: Markup): Promise<TokenVocabulary> {
  const texts: string[] = []
  const size = model.shape.vocabularySize
  for (let token = 0; token < size; token++) {
    texts.push(textOf(model, token, markup))
    if (token % SLICE === SLICE - 1) await new Promise((resolve) => setImmediate(resolve))
  }
  return { texts, stopTokens: [...model.endOfGenerationTokens()] }
}

function textOf(model: LlamaModel, token: number, markup: Markup): string {
  return model.isEndOfGeneration(token) ? '' : byteLevel(model.pieceBytes(token, isMark(model, token, markup)))
}

/** A control token whose text is a part of the format that the model answers in. */
export function isMark(model: LlamaModel, token: number, markup: Markup): boolean {
  if (!model.isControl(token) || model.isEndOfGeneration(token)) return false
  if (markup === 'all') return true
  const text = model.tokenText(token)
  return text !== '' && markup.some((mark) => mark.includes(text))
}

/** GPT-2's alphabet (openai/gpt-2, encoder.py: bytes_to_unicode): printable bytes stand for themselves, the others for 256, 257 … */
const ALPHABET: readonly string[] = byteAlphabet()

export function byteLevel(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += ALPHABET[byte] ?? ''
  return text
}

function byteAlphabet(): string[] {
  const isPlain = (byte: number): boolean => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173)
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPlain(byte) ? byte : next++))
}
