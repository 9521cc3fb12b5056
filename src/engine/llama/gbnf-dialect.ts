/** GBNF (llama.cpp, grammars/README.md) → the EBNF that XGrammar reads: it has no dot, no empty alternative, and only sets of ASCII. Pure. */
import { alternativesOf, isPlainSet, readSet } from './character-set.ts'
import { GBNF_LEXEME } from './grammar-problem.ts'

const ANY_CHARACTER = '[^\\u0000]'
const EMPTY = ' ""'

/** Throws for sets that hold nothing. */
export function toXGrammar(gbnf: string): string {
  const lexemes = [...gbnf.matchAll(GBNF_LEXEME)].filter(([text]) => !text.startsWith('#'))
  let [result, done] = ['', 0]
  lexemes.forEach((lexeme, index) => {
    const [text] = lexeme
    const end = lexeme.index + text.length
    result += gbnf.slice(done, lexeme.index) + translated(text)
    if (isOpen(text) && endsAlternative(lexemes, index + 1)) result += EMPTY
    done = end
  })
  return result + gbnf.slice(done)
}

function translated(lexeme: string): string {
  if (lexeme === '.') return ANY_CHARACTER
  if (!lexeme.startsWith('[') || isPlainSet(lexeme)) return lexeme
  return `(${alternativesOf(readSet(lexeme)).join(' | ')})`
}

/** An alternative begins after it. */
function isOpen(text: string): boolean {
  return text === '::=' || text === '|' || text === '('
}

function endsAlternative(lexemes: readonly RegExpExecArray[], index: number): boolean {
  const text = lexemes[index]?.[0]
  return text === undefined || text === '|' || text === ')' || lexemes[index + 1]?.[0] === '::='
}
