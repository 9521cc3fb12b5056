/**
 * PostgreSQL in this process (PGlite: PostgreSQL itself, compiled to WebAssembly), through kysely's own PostgreSQL dialect. The pool stands where
 * pg's would: one connection, lent to one borrower at a time.
 */
import { PGlite, types, type Results } from '@electric-sql/pglite'
import { Kysely, PostgresDialect } from 'kysely'
import type { Tables, Database } from '../../src/store/schema.ts'

/** As pg gives them: bytes as Buffer. Whole numbers as numbers, as `pg.types.setTypeParser(20, Number)` makes them. */
const PARSERS = {
  [types.INT8]: Number,
  [types.BYTEA]: (hex: string) => Buffer.from(hex.slice(2), 'hex'),
}

export async function openPostgres(): Promise<{ db: Database; close(): Promise<void> }> {
  const server = await PGlite.create({ parsers: PARSERS })
  let last: Promise<void> = Promise.resolve()
  const connect = async (): Promise<Client> => {
    const before = last
    let release = (): void => {}
    last = new Promise((resolve) => {
      release = resolve
    })
    await before
    return { query: ((text: string, values: readonly unknown[]) => query(server, text, values)) as Client['query'], release }
  }
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: { connect, end: async () => {} } }) })
  const close = async (): Promise<void> => {
    await db.destroy()
    await server.close()
  }
  return { db, close }
}

type Pool = ConstructorParameters<typeof PostgresDialect>[0]['pool']
type Client = Awaited<ReturnType<Exclude<Pool, (...rest: never[]) => unknown>['connect']>>

async function query(server: PGlite, text: string, values: readonly unknown[]): Promise<object> {
  const result: Results & { command?: string; rowCount?: number } = await server.query(text, [...values])
  return { command: result.command, rowCount: result.rowCount ?? 0, rows: result.rows }
}
