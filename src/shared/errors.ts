/** Every error a user can meet: HTTP status, OpenAI error type, message and remedy in both languages. The entries lie in error-tables/. */
import { engineErrors } from './error-tables/engine-errors.ts'
import type { ErrorEntry } from './error-tables/error-entry.ts'
import type { Language } from './language.ts'
import { localizeReason } from './localize-reason.ts'
import { modelErrors } from './error-tables/model-errors.ts'
import { recordErrors } from './error-tables/record-errors.ts'
import { requestErrors } from './error-tables/request-errors.ts'
import type { WireError } from './generate.ts'

const table = { ...requestErrors, ...modelErrors, ...engineErrors, ...recordErrors } as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof table
export type ErrorData = Record<string, string | number>

/** The table's entry for a code. */
export function errorEntry(code: ErrorCode): ErrorEntry {
  return table[code]
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(table, code)
}

/** All codes, for documentation and tests. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(table) as ErrorCode[]

/** An error that a user caused or can mend. Anything else that is thrown is a bug of ours. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly data: ErrorData

  constructor(code: ErrorCode, data: ErrorData = {}, options?: ErrorOptions) {
    super(localizeError({ code, data }, 'en').message, options)
    this.name = 'AppError'
    this.code = code
    this.data = data
  }
}

/** The message and the remedy of an error, in one language. */
export function localizeError(
  error: { code: string; data: ErrorData; message?: string },
  language: Language,
): { message: string; hint?: string } {
  if (!isErrorCode(error.code)) return { message: error.message ?? error.code }
  const entry = errorEntry(error.code)
  const data = localizeData(error.data, language)
  const hint = entry.hint && fill(entry.hint[language], data)
  return { message: fill(entry.message[language], data), ...(hint ? { hint } : {}) }
}

/** Data that the code tells in English words. */
const TOLD: ReadonlySet<string> = new Set(['reason', 'tried', 'what', 'owner', 'origin'])

function localizeData(data: ErrorData, language: Language): ErrorData {
  if (language === 'en') return data
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [
      name,
      TOLD.has(name) && typeof value === 'string' ? localizeReason(value, language) : value,
    ]),
  )
}

/** What crosses a process or the network. Anything that is not an AppError becomes `internal`. */
export function toWireError(error: unknown): WireError {
  if (error instanceof AppError) return { code: error.code, data: error.data, message: error.message }
  const reason = error instanceof Error ? error.message : String(error)
  return { code: 'internal', data: { reason }, message: localizeError({ code: 'internal', data: { reason } }, 'en').message }
}

export function fromWireError(error: WireError): AppError {
  return isErrorCode(error.code) ? new AppError(error.code, error.data) : new AppError('internal', { reason: error.message })
}

function fill(template: string, data: ErrorData): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(data, name) ? String(data[name]) : whole))
}
