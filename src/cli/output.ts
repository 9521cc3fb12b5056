/** All that a person or a program reads of the command line. Data goes to stdout, everything else to stderr. */
import type { Language, Localized } from '../shared/language.ts'
import { localizeError } from '../shared/errors.ts'
import type { AppError } from '../shared/errors.ts'
import type { CliIo } from './io.ts'
import { cutToWidth, padToWidth, textWidth, wrapToWidth } from './text-width.ts'

export interface Column {
  title: Localized
  align?: 'left' | 'right'
  /** May lose its end on a narrow terminal: a description, but never a name that is typed again. */
  mayCut?: true
}

export interface Output {
  readonly language: Language
  readonly json: boolean
  /** How long a line may be: the terminal's width, or without end (a file, a pipe). */
  readonly columns: number
  /** Colours and progress bars make sense on stderr. */
  readonly isInteractive: boolean
  /** The text in the user's language. */
  say(text: Localized): string
  /** A line of data. */
  line(text: string): void
  /** Data without a line break, as it arrives. */
  raw(text: string): void
  /** The result for programs; nothing unless `--json`. */
  result(value: unknown): void
  /** One JSON line now, for results that come one by one. */
  jsonLine(value: unknown): void
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void
  /** A line for the person; silent with --json unless it is an error. */
  note(text: Localized | string): void
  error(error: AppError): void
  dim(text: string): string
  bold(text: string): string
  /** Straight to stderr, e.g. a progress bar. */
  status(text: string): void
}

export function createOutput(io: CliIo, options: { language: Language; json: boolean }): Output {
  const { language, json } = options
  const hasColors = (isTty: boolean): boolean => isTty && !io.env['NO_COLOR'] && io.env['TERM'] !== 'dumb'
  const style = (code: number, text: string): string => (hasColors(io.isTty.stdout) ? `\u001b[${code}m${text}\u001b[0m` : text)
  const say = (text: Localized): string => text[language]
  const line = (text: string): void => void io.stdout.write(`${text}\n`)
  const columns = io.isTty.stdout ? io.columns() : Number.POSITIVE_INFINITY
  const jsonLine = (value: unknown): void => line(JSON.stringify(value))
  return {
    language,
    json,
    columns,
    isInteractive: io.isTty.stderr && !json,
    say,
    line,
    raw: (text) => void io.stdout.write(text),
    result: (value) => (json ? jsonLine(value) : undefined),
    jsonLine,
    table: (titles, rows) => (json ? undefined : tableLines(titles, rows, language, columns).forEach(line)),
    note: (text) => (json ? undefined : void io.stderr.write(`${typeof text === 'string' ? text : say(text)}\n`)),
    error: (error) => (json ? jsonLine(jsonError(error, language)) : void io.stderr.write(errorText(error, language))),
    dim: (text) => style(2, text),
    bold: (text) => style(1, text),
    status: (text) => (json ? undefined : void io.stderr.write(text)),
  }
}

/**
 * The columns of a table with their titles, aligned by what a terminal shows; no trailing spaces. What is wider than `columnsShown` loses the
 * ends of descriptions, and where that does not help, each row becomes a paragraph. Absent: as wide as it is (a file, a pipe).
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  language: Language,
  columnsShown: number = Number.POSITIVE_INFINITY,
): string[] {
  const all = [columns.map((column) => column.title[language]), ...rows]
  const natural = columns.map((_, index) => Math.max(...all.map((row) => textWidth(row[index] ?? ''))))
  const widths = narrowed(columns, natural, columnsShown)
  if (!widths) return rows.flatMap((row, index) => [...(index > 0 ? [''] : []), ...paragraph(columns, row, language, columnsShown)])
  const cell = (text: string, index: number): string => {
    const width = widths[index] ?? 0
    return padToWidth(cutToWidth(text, width), width, columns[index]?.align)
  }
  return all.map((row) => row.map(cell).join('  ').trimEnd())
}

/** Below this a description says nothing. */
const LEAST_CUT = 16

/** Undefined when it cannot be made to fit. */
function narrowed(columns: readonly Column[], natural: readonly number[], shown: number): number[] | undefined {
  const widths = [...natural]
  let excess = widths.reduce((sum, width) => sum + width, 0) + 2 * (widths.length - 1) - shown
  // The widest first, down to the next one, so that no description pays for all.
  while (excess > 0) {
    const [widest] = [...widths.keys()]
      .filter((index) => columns[index]?.mayCut && (widths[index] ?? 0) > LEAST_CUT)
      .toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))
    if (widest === undefined) return undefined
    widths[widest] = (widths[widest] ?? 0) - 1
    excess -= 1
  }
  return widths
}

/** The first cell, and below it the others with their titles. */
function paragraph(columns: readonly Column[], row: readonly string[], language: Language, shown: number): string[] {
  const titles = columns.map((column) => column.title[language])
  const isNumber = textWidth(titles[0] ?? '') === 0
  const head = isNumber ? row.slice(0, 2).join('. ') : (row[0] ?? '')
  const from = isNumber ? 2 : 1
  const width = Math.max(...titles.slice(from).map(textWidth))
  const lines = row.slice(from).flatMap((text, index) => {
    if (text === '') return []
    const title = padToWidth(titles[from + index] ?? '', width)
    return wrapToWidth(text, Math.max(20, shown - width - 5)).map((part, at) => `  ${at === 0 ? title : ' '.repeat(width)}  ${part}`)
  })
  return [head, ...lines]
}

function jsonError(error: AppError, language: Language): unknown {
  const { message, hint } = localizeError(error, language)
  return { error: { code: error.code, data: error.data, message, ...(hint ? { hint } : {}) } }
}

function errorText(error: AppError, language: Language): string {
  const { message, hint } = localizeError(error, language)
  return `bendi: ${message}\n${hint ? `${hint}\n` : ''}`
}
