import { parseMarkdownIntoBlocks } from 'streamdown'

/** Rows of a table that are parsed together; only the last such part is parsed again while the table grows. */
const ROWS = 80
const DELIMITER_ROW = /^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-*:?[ \t]*)*$/

/** The parts of an answer that are rendered on their own. A table of hundreds of rows becomes several with the same head, as on printed pages. */
export function splitBlocks(markdown: string): string[] {
  return parseMarkdownIntoBlocks(markdown).flatMap((block) => splitTable(block))
}

function splitTable(block: string): string[] {
  const lines = block.split('\n')
  const [head = '', delimiter = ''] = lines
  const isTable = head.includes('|') && delimiter.length < 1000 && DELIMITER_ROW.test(delimiter)
  if (!isTable || lines.length - 2 <= ROWS) return [block]
  const parts: string[] = []
  for (let start = 2; start < lines.length; start += ROWS) {
    const rows = lines.slice(start, start + ROWS)
    if (rows.some((row) => row.trim() !== '')) parts.push([head, delimiter, ...rows].join('\n'))
  }
  return parts
}
