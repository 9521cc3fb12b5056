/**
 * What XGrammar 0.1.27 gets wrong, put right in the texts that it is given and in its own intermediate ones (seen by running it):
 * - strings with a length admit control characters, which JSON does not;
 * - bounds of numbers that have a fraction admit any character in the place of the point;
 * - sets of characters beyond ASCII (character-set.ts), and `\S`, which leaves `[` out;
 * - a pattern of a schema is about the text, but is held against its JSON, where quotes, backslashes and control characters are escaped.
 * Pure.
 */
import { alternativesOf, isPlainSet, readEscape, readSet, without, type CodeRange } from './character-set.ts'

const STRING_CHARACTER = '[^\\u0000-\\u001f"\\\\]'

/** A bound such as 1.25, whose point it reads as "any character". */
const POINT_OF_BOUND = /(?<="\d" )\[\\u0000-\\U0010FFFF\](?= "\d")/g

/** Of the grammar that it makes of a JSON schema. */
export function mendSchemaGrammar(ebnf: string): string {
  return ebnf
    .replaceAll(POINT_OF_BOUND, '"."')
    .replaceAll('[^"\\\\\\r\\n]', STRING_CHARACTER)
    .replaceAll('[\\u0000-\\U0010FFFF]', STRING_CHARACTER)
}

/** What the pattern is held against: a text as it is, or between the quotes of JSON. */
export type PatternPlace = 'text' | 'json'

/** Escapes, sets, the beginnings of groups, single characters. */
const LEXEME =
  /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u\{[\da-fA-F]{1,6}\}|\\u[\da-fA-F]{4}|\\x[\da-fA-F]{2}|\\c[A-Za-z]|\\.|\[(?:\\.|[^\]\\])*\]|\(\?(?:<\w+>|<?[=!]|:)|\{\d*,?\d*\}|./gsu
/** Boundaries, references and Unicode's classes, which XGrammar refuses with a reason. */
const REFUSED = /^\\[bBkpP1-9]/
const CHARACTER_CLASS = /^\\[dDwWsS]$/
const OPERATORS = '()|*+?^$'
const LITERAL_OPERATORS = '()|*+?^$.[]{}\\/'
const ANY_OF_LINE = '[^\\n\\r]'
/** Of JSON's texts. */
const ESCAPED: readonly CodeRange[] = [
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
]
const SHORT_ESCAPES: Record<string, string> = { '"': '"', '\\': '\\\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't' }

/** Of a regular expression as JavaScript reads it. Throws for a set that holds nothing. */
export function mendPattern(pattern: string, place: PatternPlace): string {
  return pattern.replace(LEXEME, (lexeme) => mendLexeme(lexeme, place))
}

function mendLexeme(lexeme: string, place: PatternPlace): string {
  if (lexeme === '.') return mendSet(ANY_OF_LINE, place)
  if (lexeme.startsWith('[') && lexeme.length > 1) return mendSet(lexeme, place)
  if (CHARACTER_CLASS.test(lexeme)) return mendSet(`[${lexeme}]`, place)
  if (REFUSED.test(lexeme) || OPERATORS.includes(lexeme) || /^(?:\(\?|\{.)/.test(lexeme)) return lexeme
  const [[code = 0] = []] = (readEscape(lexeme) ?? { ranges: [[lexeme.codePointAt(0) ?? 0]] }).ranges
  return writtenCharacter(String.fromCodePoint(code), place)
}

function mendSet(set: string, place: PatternPlace): string {
  if (/\\[pP]/.test(set)) return set
  const ranges = readSet(set)
  const escaped = place === 'json' ? without(ranges, without([[0, 0x10ffff]], ESCAPED)) : []
  if (escaped.length === 0 && isPlainSet(set) && !/\\[wWsSdD]/.test(set)) return set
  const plain = without(ranges, escaped)
  const alternatives = [...(plain.length > 0 ? alternativesOf(plain) : []), ...shortEscapes(escaped)]
  // What has only long escapes in JSON.
  if (alternatives.length === 0) throw new Error(`the set ${set} holds nothing that can be written`)
  const [only] = alternatives
  return only !== undefined && alternatives.length === 1 && !only.includes('][') ? only : `(?:${alternatives.join('|')})`
}

/** The characters of these that JSON has a short escape for. */
function shortEscapes(ranges: readonly CodeRange[]): string[] {
  const holds = (character: string): boolean =>
    ranges.some(([from, to]) => from <= character.charCodeAt(0) && character.charCodeAt(0) <= to)
  const names = Object.entries(SHORT_ESCAPES).flatMap(([character, name]) => (holds(character) ? [name] : []))
  return names.length === 0 ? [] : [`\\\\[${names.join('')}]`]
}

function writtenCharacter(character: string, place: PatternPlace): string {
  const isEscaped = place === 'json' && ESCAPED.some(([from, to]) => from <= character.charCodeAt(0) && character.charCodeAt(0) <= to)
  if (!isEscaped) return LITERAL_OPERATORS.includes(character) ? `\\${character}` : character
  const short = SHORT_ESCAPES[character]
  return `(?:\\\\${short ?? `u${character.charCodeAt(0).toString(16).padStart(4, '0')}`})`
}
