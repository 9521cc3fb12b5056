/**
 * Models write formulas as `\( … \)` and `\[ … \]`; the Markdown parser knows `$$` only (a single `$` is money).
 * Text inside of code, and formulas that are written with `$$` already, stay as they are.
 */

/** Fenced code · code span · `$$ … $$` · an escaped backslash · `\( … \)` · `\[ … \]`. The last three may still be open. */
const PIECES =
  /(?:^|\n)[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(?<fence>`{3,}|~{3,})[\s\S]*?(?:\n[ \t>]*\k<fence>[`~]*[ \t]*(?=\n|$)|$)|(?<!`)(?<ticks>`+)(?!`)[\s\S]*?[^`]\k<ticks>(?!`)|\$\$[\s\S]*?(?:\$\$|$)|\\\\|\\\((?<inline>[\s\S]*?)(?:(?<inlineEnd>\\\))|$)|\\\[(?<block>[\s\S]*?)(?:(?<blockEnd>\\\])|$)/g

/** `open`: the text still grows, so a formula without its end is on its way (else the signs are meant literally). */
export function normalizeMath(text: string, open = false): string {
  if (!text.includes('\\(') && !text.includes('\\[')) return text
  return text.replace(PIECES, (whole: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Record<string, string | undefined>
    const offset = rest.at(-3) as number
    const formula = groups['inline'] ?? groups['block']
    if (formula === undefined || /\n[ \t]*\n/.test(formula)) return whole
    if (!open && groups['inlineEnd'] === undefined && groups['blockEnd'] === undefined) return whole
    const end = offset + whole.length
    return groups['inline'] === undefined ? blockFormula(text, offset, end, formula) : inlineFormula(formula)
  })
}

/** Does the text need the formula renderer? */
export function hasMath(text: string): boolean {
  return text.includes('$$') || /\\[([]/.test(text)
}

function inlineFormula(formula: string): string {
  const trimmed = formula.trim()
  return trimmed ? `$$${trimmed.replace(/\s*\n\s*/g, ' ')}$$` : ''
}

/** `$$` on lines of their own, with the quote signs and the indentation of the line where the formula began. */
function blockFormula(text: string, start: number, end: number, formula: string): string {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  const before = text.slice(lineStart, start)
  if (before.trimStart().startsWith('|')) return inlineFormula(formula)
  const { quote = '', marker = '' } = /^(?<quote>[ \t>]*)(?<marker>(?:[-*+]|\d+[.)])[ \t]+)?/.exec(before)?.groups ?? {}
  const prefix = quote + ' '.repeat(marker.length)
  const lines = formula
    .trim()
    .split('\n')
    .map((line) => prefix + line.trim())
  const opening = before.length > quote.length + marker.length ? `\n${prefix}$$` : '$$'
  const closing = /^[ \t]*(?:\n|$)/.test(text.slice(end)) ? '' : `\n${prefix}`
  return `${opening}\n${lines.join('\n')}\n${prefix}$$${closing}`
}
