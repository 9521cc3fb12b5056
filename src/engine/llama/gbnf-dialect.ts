/** GBNF (llama.cpp, grammars/README.md) → the EBNF that XGrammar reads: it has no dot and no empty alternative. Pure. */
import { GBNF_LEXEME } from './grammar-problem.ts'

/** A set that names its range (`[\\u0000-\\U0010FFFF]`) stops in the middle of characters of three bytes and more. */
const ANY_CHARACTER = '[^\\u0000]'
const EMPTY = ' ""'

/** Sets cut such characters to 16 bits (seen by running it). */
const FAR_CHARACTER_IN_SET = /^\[(?!\^)(?:.*[\u{10000}-\u{10ffff}]|.*\\U)/su

/** Throws for what XGrammar would get wrong. */
export function toXGrammar(gbnf: string): string {
  const lexemes = [...gbnf.matchAll(GBNF_LEXEME)].filter(([text]) => !text.startsWith('#'))
  if (lexemes.some(([text]) => FAR_CHARACTER_IN_SET.test(text)))
    throw new Error('a set of characters may not hold any beyond U+FFFF: write them as alternatives')
  let [result, done] = ['', 0]
  lexemes.forEach((lexeme, index) => {
    const [text] = lexeme
    const end = lexeme.index + text.length
    result += gbnf.slice(done, lexeme.index) + (text === '.' ? ANY_CHARACTER : text)
    if (isOpen(text) && endsAlternative(lexemes, index + 1)) result += EMPTY
    done = end
  })
  return result + gbnf.slice(done)
}

/** An alternative begins after it. */
function isOpen(text: string): boolean {
  return text === '::=' || text === '|' || text === '('
}

function endsAlternative(lexemes: readonly RegExpExecArray[], index: number): boolean {
  const text = lexemes[index]?.[0]
  return text === undefined || text === '|' || text === ')' || lexemes[index + 1]?.[0] === '::='
}
