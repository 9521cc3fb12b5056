import { Migrator, type Kysely } from 'kysely'
import type { ColumnTypes } from './column-types.ts'
import { createSchemaEditor, type SchemaChange } from './migrations.ts'
import type { Database } from './schema.ts'

/** Brings the tables up to date, in a database whose column types are `types`. A change that fails leaves nothing behind, and is thrown. */
export async function migrate(db: Database, changes: readonly SchemaChange[], types: ColumnTypes): Promise<void> {
  const provider = {
    getMigrations: async () =>
      Object.fromEntries(changes.map(({ name, up }) => [name, { up: (inside: Kysely<unknown>) => up(createSchemaEditor(inside, types)) }])),
  }
  const { error } = await new Migrator({ db, provider }).migrateToLatest()
  if (error !== undefined) throw error
}
