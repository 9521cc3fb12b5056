import { SqliteAdapter, SqliteDialect, SqliteDriver } from 'kysely'
import type { CompiledQuery, DatabaseConnection, DialectAdapter, Driver } from 'kysely'
import { patiently } from './patiently.ts'
import type { OpenSqliteDatabase } from './sqlite-database.ts'

/** kysely's own, put right in three places. */
export class StoreDialect extends SqliteDialect {
  readonly #database: OpenSqliteDatabase
  readonly #patienceMs: number

  constructor(database: OpenSqliteDatabase, patienceMs: number) {
    super({ database })
    this.#database = database
    this.#patienceMs = patienceMs
  }

  override createAdapter(): DialectAdapter {
    return new TransactionalAdapter()
  }

  override createDriver(): Driver {
    return new ImmediateDriver(this.#database, this.#patienceMs)
  }
}

/** SQLite rolls tables back as well: a migration that fails half-way leaves nothing, so that it can be tried again. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/**
 * Every write is inside of `begin immediate`, run by `exec`. A transaction that begins by reading cannot wait for another process's write: it fails
 * at once (SQLITE_BUSY_SNAPSHOT). And a prepared statement that meets a lock is left half-run by libsql until it is collected: as long as that
 * lasts, SQLite commits nothing more on this connection, without a word. Waiting for the lock happens outside of SQLite, which would let the whole
 * process sleep.
 */
class ImmediateDriver extends SqliteDriver {
  readonly #database: OpenSqliteDatabase
  readonly #patienceMs: number
  #isInside = false

  constructor(database: OpenSqliteDatabase, patienceMs: number) {
    super({ database })
    this.#database = database
    this.#patienceMs = patienceMs
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection()
    return {
      executeQuery: async (query) => {
        if (this.#isInside || !isWrite(query)) return connection.executeQuery(query)
        return this.#inTransaction(() => connection.executeQuery(query))
      },
      streamQuery: (query, size) => connection.streamQuery(query, size),
    }
  }

  override async beginTransaction(): Promise<void> {
    await patiently(this.#patienceMs, async () => this.#database.exec('begin immediate'))
    this.#isInside = true
  }

  override async commitTransaction(): Promise<void> {
    this.#database.exec('commit')
    this.#isInside = false
  }

  override async rollbackTransaction(): Promise<void> {
    this.#isInside = false
    this.#database.exec('rollback')
  }

  async #inTransaction<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.beginTransaction()
    try {
      const result = await work()
      await this.commitTransaction()
      return result
    } catch (error) {
      // A full disk may have ended it already; what went wrong first is what counts.
      await this.rollbackTransaction().catch(() => {})
      throw error
    }
  }
}

function isWrite({ sql }: CompiledQuery<unknown>): boolean {
  return /^\s*(?:insert|update|delete|replace|create|drop|alter)\b/i.test(sql)
}
