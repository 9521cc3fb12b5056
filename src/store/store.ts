/** What must outlast the process: one SQLite file in the data folder, opened when it is first needed. */
import { chmod, mkdir, open, rename } from 'node:fs/promises'
import path from 'node:path'
import { Kysely } from 'kysely'
import type { Logger } from '../base/logger.ts'
import { AppError } from '../shared/errors.ts'
import { COLUMN_TYPES } from './column-types.ts'
import { migrate } from './migrate.ts'
import { migrations, type SchemaChange } from './migrations.ts'
import type { Database, Tables } from './schema.ts'
import { patiently } from './patiently.ts'
import { isCorrupt, openSqlite, type OpenSqliteDatabase } from './sqlite-database.ts'
import { StoreDialect } from './sqlite-dialect.ts'

export interface StoreOptions {
  file: string
  logger: Logger
  /** ms since 1970. */
  now(): number
  changes?: readonly SchemaChange[]
  /** Folders whose content only the tables explain: they are moved aside together with a broken file. */
  folders?: readonly string[]
  /** How long another program may hold the file before that is an error, ms. */
  patienceMs?: number
}

export interface Store {
  readonly db: Database
  /** Idempotent. */
  close(): Promise<void>
}

/** A bigger file is not read through at every start, bytes. */
const CHECKED_BYTES = 64 * 1024 * 1024

const PATIENCE_MS = 3000

/** Brings the tables up to date. A file that is broken is moved aside (told in the log), never deleted. Throws `store-unavailable`. */
export async function openStore(options: StoreOptions): Promise<Store> {
  await prepareFile(options.file)
  try {
    return await patiently(options.patienceMs ?? PATIENCE_MS, () => openAndMigrate(options))
  } catch (error) {
    if (!isCorrupt(error)) throw error
    const aside = await moveAside(options)
    options.logger.error('the database was broken and has been moved aside; a new one was begun', { aside, error })
    return openAndMigrate(options)
  }
}

/** Made by us and before libsql, so that it is never readable for others, not even for a moment. */
async function prepareFile(file: string): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
    await (await open(file, 'a', 0o600)).close()
    await chmod(file, 0o600)
  } catch (error) {
    throw unavailable(error)
  }
}

async function openAndMigrate({ file, changes = migrations, patienceMs = PATIENCE_MS }: StoreOptions): Promise<Store> {
  const sqlite = openSqlite(file)
  const db = new Kysely<Tables>({ dialect: new StoreDialect(sqlite, patienceMs) })
  try {
    configure(sqlite)
    await migrate(db, changes, COLUMN_TYPES.sqlite)
  } catch (error) {
    await db.destroy()
    sqlite.close()
    throw error
  }
  let closing: Promise<void> | undefined
  return { db, close: () => (closing ??= close(db, sqlite)) }
}

/** Everything into the one file: libsql leaves the log beside it otherwise. */
async function close(db: Database, sqlite: OpenSqliteDatabase): Promise<void> {
  try {
    sqlite.pragma('wal_checkpoint(TRUNCATE)')
  } catch {
    // Whoever opens it next reads the log.
  } finally {
    await db.destroy()
    sqlite.close()
  }
}

/**
 * WAL: readers do not wait for the writer, and with `synchronous = normal` a killed process loses nothing (a power failure may lose the last
 * transactions, never the file).
 */
function configure(sqlite: OpenSqliteDatabase): void {
  // Others are waited for in `patiently`.
  sqlite.pragma('busy_timeout = 0')
  sqlite.pragma('journal_mode = WAL')
  sqlite.pragma('synchronous = normal')
  // What somebody deletes is not to be found in the file.
  sqlite.pragma('secure_delete = on')
  const size = pragmaNumber(sqlite, 'page_count') * pragmaNumber(sqlite, 'page_size')
  if (size > CHECKED_BYTES) return
  const [verdict] = sqlite.prepare('pragma quick_check(1)').all([]) as { quick_check?: string }[]
  if (verdict?.quick_check !== 'ok') throw new Error(`database disk image is malformed: ${verdict?.quick_check}`)
}

function pragmaNumber(sqlite: OpenSqliteDatabase, name: string): number {
  const [row] = sqlite.prepare(`pragma ${name}`).all([]) as Record<string, number>[]
  return row?.[name] ?? 0
}

async function moveAside({ file, now, folders = [] }: StoreOptions): Promise<string> {
  const ending = `.broken-${new Date(now()).toISOString().replaceAll(':', '-')}`
  const aside = `${file}${ending}`
  try {
    for (const suffix of ['', '-wal', '-shm']) await renameIfThere(`${file}${suffix}`, `${aside}${suffix}`)
    for (const folder of folders) await renameIfThere(folder, `${folder}${ending}`)
    await prepareFile(file)
  } catch (error) {
    throw unavailable(error)
  }
  return aside
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}

function unavailable(error: unknown): AppError {
  if (error instanceof AppError) return error
  return new AppError('store-unavailable', { reason: error instanceof Error ? error.message : String(error) }, { cause: error })
}
