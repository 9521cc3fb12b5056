/**
 * What XGrammar 0.1.27 gets wrong, put right in its own intermediate texts (seen by running it):
 * - strings with a length admit control characters, which JSON does not;
 * - the set for "any character" (`.` in a pattern) stops in the middle of characters of three bytes and more.
 * Pure.
 */

const STRING_CHARACTER = '[^\\u0000-\\u001f"\\\\]'

/** Of the grammar that it makes of a JSON schema. */
export function mendSchemaGrammar(ebnf: string): string {
  return ebnf.replaceAll('[^"\\\\\\r\\n]', STRING_CHARACTER).replaceAll('[\\u0000-\\U0010FFFF]', STRING_CHARACTER)
}

/** Of a regular expression: a dot is any character of a line, as in JavaScript. */
export function mendPattern(pattern: string): string {
  return pattern.replace(/\\.|\[(?:\\.|[^\]\\])*\]|\./gs, (part) => (part === '.' ? '[^\\n\\r]' : part))
}
