/** All that a person or a program reads of the command line. Data goes to stdout, everything else to stderr. */
import type { Language, Localized } from '../shared/language.ts'
import { localizeError } from '../shared/errors.ts'
import type { AppError } from '../shared/errors.ts'
import type { CliIo } from './io.ts'
import { padToWidth, textWidth } from './text-width.ts'

export interface Column {
  title: Localized
  align?: 'left' | 'right'
}

export interface Output {
  readonly language: Language
  readonly json: boolean
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
  const jsonLine = (value: unknown): void => line(JSON.stringify(value))
  return {
    language,
    json,
    isInteractive: io.isTty.stderr && !json,
    say,
    line,
    raw: (text) => void io.stdout.write(text),
    result: (value) => (json ? jsonLine(value) : undefined),
    jsonLine,
    table: (columns, rows) => (json ? undefined : tableLines(columns, rows, language).forEach(line)),
    note: (text) => (json ? undefined : void io.stderr.write(`${typeof text === 'string' ? text : say(text)}\n`)),
    error: (error) => (json ? jsonLine(jsonError(error, language)) : void io.stderr.write(errorText(error, language))),
    dim: (text) => style(2, text),
    bold: (text) => style(1, text),
    status: (text) => (json ? undefined : void io.stderr.write(text)),
  }
}

/** The columns of a table with their titles, aligned by what a terminal shows; no trailing spaces. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[], language: Language): string[] {
  const all = [columns.map((column) => column.title[language]), ...rows]
  const widths = columns.map((_, index) => Math.max(...all.map((row) => textWidth(row[index] ?? ''))))
  const cell = (text: string, index: number): string => padToWidth(text, widths[index] ?? 0, columns[index]?.align)
  return all.map((row) => row.map(cell).join('  ').trimEnd())
}

function jsonError(error: AppError, language: Language): unknown {
  const { message, hint } = localizeError(error, language)
  return { error: { code: error.code, data: error.data, message, ...(hint ? { hint } : {}) } }
}

function errorText(error: AppError, language: Language): string {
  const { message, hint } = localizeError(error, language)
  return `bendi: ${message}\n${hint ? `${hint}\n` : ''}`
}
