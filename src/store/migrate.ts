import { Migrator, type Kysely } from 'kysely'
import { AppError } from '../shared/errors.ts'
import type { ColumnTypes } from './column-types.ts'
import { createSchemaEditor, type SchemaChange } from './migrations.ts'
import type { Database } from './schema.ts'

/**
 * Brings the tables up to date, in a database whose column types are `types`. A change that fails leaves nothing behind, and is thrown. Throws
 * `store-unavailable` when the database has changes that we do not know: a newer version has written it, and knows what they mean.
 */
export async function migrate(db: Database, changes: readonly SchemaChange[], types: ColumnTypes): Promise<void> {
  const provider = {
    getMigrations: async () =>
      Object.fromEntries(changes.map(({ name, up }) => [name, { up: (inside: Kysely<unknown>) => up(createSchemaEditor(inside, types)) }])),
  }
  const { error } = await new Migrator({ db, provider }).migrateToLatest()
  // kysely tells this by its words only ("corrupted migrations: previously executed migration … is missing").
  if (error instanceof Error && error.message.startsWith('corrupted migrations'))
    throw new AppError('store-unavailable', { reason: 'a newer version of bendi has written the database; update bendi' }, { cause: error })
  if (error !== undefined) throw error
}
