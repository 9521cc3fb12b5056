/**
 * libsql behind the interface that kysely wants. The one place for what libsql does with values: a boolean parameter aborts the whole process (a
 * Rust panic), dates and objects throw late, NaN silently becomes
 * null, every number is bound as a float, a text is cut at its first NUL when it is read, blobs come back as ArrayBuffer.
 */
import type { SqliteDatabase, SqliteStatement } from 'kysely'
import Libsql from 'libsql'
import { AppError } from '../shared/errors.ts'

type SqlValue = string | number | bigint | null | Uint8Array

export interface OpenSqliteDatabase extends SqliteDatabase {
  exec(sql: string): void
  pragma(source: string): unknown
}

/** Throws `store-unavailable` when the file cannot be opened, and libsql's error with its code when it is no database. */
export function openSqlite(file: string): OpenSqliteDatabase {
  const database = guarded(() => new Libsql(file))
  return {
    prepare: (sql) => statement(guarded(() => database.prepare(sql))),
    exec: (sql) => void guarded(() => database.exec(sql)),
    pragma: (source) => guarded(() => database.pragma(source)),
    close: () => void database.close(),
  }
}

function statement(prepared: Libsql.Statement<unknown[]>): SqliteStatement {
  return {
    reader: prepared.reader,
    all: (parameters) => guarded(() => prepared.all(parameters.map(toSqlValue)).map(fromSqlRow)),
    run: (parameters) => guarded(() => prepared.run(parameters.map(toSqlValue))),
    *iterate(parameters) {
      for (const row of guarded(() => prepared.iterate(parameters.map(toSqlValue)))) yield fromSqlRow(row)
    },
  }
}

/** Throws a TypeError for what has no place in a column: it is a bug of ours, and better told here than lost. `invalid-request` for a NUL. */
export function toSqlValue(value: unknown): SqlValue {
  switch (typeof value) {
    case 'undefined':
      return null
    case 'boolean':
      return value ? 1n : 0n
    case 'number':
      if (Number.isNaN(value)) throw new TypeError('NaN cannot be stored')
      // A float in a column without a type would stay one, and `||` would write "1.0".
      return Number.isSafeInteger(value) ? BigInt(value) : value
    case 'bigint':
      if (!Number.isSafeInteger(Number(value))) throw new TypeError(`${value} would be read back rounded`)
      return value
    case 'string':
      // Reading stops at the first one. Only callers' own words hold any: names, and ids that were never ours.
      if (value.includes('\0')) throw new AppError('invalid-request', { reason: 'a text holds a NUL character' })
      return value
    case 'object':
      return objectToSqlValue(value)
    default:
      throw new TypeError(`a ${typeof value} cannot be stored`)
  }
}

function objectToSqlValue(value: object | null): SqlValue {
  if (value === null || value instanceof Uint8Array) return value
  if (value instanceof Date) return value.toISOString()
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  throw new TypeError('an object cannot be stored: write it as JSON')
}

function fromSqlRow(row: unknown): unknown {
  if (typeof row !== 'object' || row === null) return row
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value instanceof ArrayBuffer ? Buffer.from(value) : value]))
}

/** What the disk or another program did, not the statement. */
const UNAVAILABLE = /^SQLITE_(FULL|READONLY|IOERR|CANTOPEN|BUSY|LOCKED|PERM|AUTH|CORRUPT|NOTADB|NOMEM)/

/** Throws `store-unavailable` for trouble with the disk. */
function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw isUnavailable(error) ? new AppError('store-unavailable', { reason: error.message }, { cause: error }) : error
  }
}

function isUnavailable(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  const code = sqliteCode(error)
  return (code !== undefined && UNAVAILABLE.test(code)) || /unable to open database|ConnectionFailed/i.test(error.message)
}

/** `SQLITE_…` of an error that came from libsql. */
function sqliteCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Another process holds the file; a moment later it may not. */
export function isBusy(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return (
    /^SQLITE_(BUSY|LOCKED)/.test(sqliteCode(cause) ?? '') ||
    /database (?:table )?is locked/i.test(cause instanceof Error ? cause.message : '')
  )
}

/** The file is there and is no (whole) database. */
export function isCorrupt(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return (
    /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCode(cause) ?? '') ||
    /malformed|not a database/i.test(cause instanceof Error ? cause.message : '')
  )
}
