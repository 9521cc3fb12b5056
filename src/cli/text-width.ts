/** How many columns a text takes in a terminal: Chinese, Japanese and Korean characters and emoji take two. */

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

// Wide and Fullwidth of Unicode's East Asian Width (UAX #11), by script and block, and characters shown as emoji.
const WIDE =
  /^(?:[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\u3000-\u303e\u30fb\u30fc\u31c0-\u33ff\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|\p{Emoji}\ufe0f)/u
// Half-width katakana and hangul are of those scripts, but narrow.
const HALF_WIDTH = /^[\uff61-\uffdc\uffe8-\uffee]/u
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u
// oxlint-disable-next-line no-control-regex
const ANSI = /\u001b\[[0-9;]*m/g

/** Columns of a text without line breaks; colours count nothing. */
export function textWidth(text: string): number {
  let width = 0
  for (const { segment } of segmenter.segment(text.replace(ANSI, ''))) width += segmentWidth(segment)
  return width
}

/** Filled with spaces up to `width` columns. */
export function padToWidth(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - textWidth(text)))
  return align === 'left' ? text + space : space + text
}

/** At most `width` columns, the rest replaced by an ellipsis. */
export function cutToWidth(text: string, width: number): string {
  if (textWidth(text) <= width) return text
  let cut = ''
  let used = 0
  for (const { segment } of segmenter.segment(text)) {
    used += segmentWidth(segment)
    if (used > width - 1) break
    cut += segment
  }
  return width > 0 ? `${cut}…` : ''
}

/** Lines of at most `width` columns: broken at spaces, or between Chinese characters; a longer word is a line of its own, to be copied whole. */
export function wrapToWidth(text: string, width: number): string[] {
  if (textWidth(text) <= width) return [text]
  const pieces = text.match(/[\p{Script=Han}\u3000-\u303f\uff00-\uff60]|[^\s\p{Script=Han}\u3000-\u303f\uff00-\uff60]+|\s+/gu) ?? []
  const lines: string[] = []
  let line = ''
  for (const piece of pieces) {
    if (line.trim() !== '' && textWidth(line) + textWidth(piece.trimEnd()) > width && !NO_START.test(piece)) {
      lines.push(line.trimEnd())
      line = ''
    }
    line += line === '' ? piece.trimStart() : piece
  }
  return [...lines, line.trimEnd()].filter((item, index, all) => item !== '' || all.length === 1)
}

/** Never begin a line. */
const NO_START = /^[，。；：、！？）》」』”]/u

function segmentWidth(segment: string): number {
  if (ZERO.test(segment)) return 0
  return WIDE.test(segment) && !HALF_WIDTH.test(segment) ? 2 : 1
}
