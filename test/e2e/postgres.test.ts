/** The store's tables and functions on PostgreSQL, which several gateways will share later. */
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COLUMN_TYPES, parseColumn } from '../../src/store/column-types.ts'
import { migrate } from '../../src/store/migrate.ts'
import { migrations, type SchemaChange } from '../../src/store/migrations.ts'
import { TABLES, type Database } from '../../src/store/schema.ts'
import { openPostgres } from '../store/postgres.ts'
import { testRows } from '../store/rows-suite.ts'

let postgres: { db: Database; close(): Promise<void> }

// PostgreSQL makes its whole cluster here: seconds.
beforeAll(async () => {
  postgres = await openPostgres()
  await migrate(postgres.db, migrations, COLUMN_TYPES.postgres)
})

afterAll(() => postgres.close())

describe('the migrations', () => {
  test('make the tables that tables/ describe', async () => {
    const { rows } = await sql<{ table_name: string; column_name: string; data_type: string; is_nullable: string }>`
      select table_name, column_name, data_type, is_nullable from information_schema.columns
      where table_schema = 'public' order by table_name, ordinal_position`.execute(postgres.db)
    for (const [table, columns] of Object.entries(TABLES)) {
      const expected = Object.entries(columns).map(([column_name, spec]) => {
        const { kind, nullable } = parseColumn(spec)
        return { table_name: table, column_name, data_type: COLUMN_TYPES.postgres[kind], is_nullable: nullable ? 'YES' : 'NO' }
      })
      expect(rows.filter(({ table_name }) => table_name === table)).toEqual(expected)
    }
  })

  test('done again change nothing', async () => {
    await migrate(postgres.db, migrations, COLUMN_TYPES.postgres)
    const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(postgres.db)
    expect(rows.map(({ name }) => name)).toEqual(migrations.map(({ name }) => name))
  })

  test('one that fails half-way leaves nothing and can be tried again', async () => {
    let fails = true
    const later: SchemaChange = {
      name: '9999-later',
      async up(schema) {
        await schema.createTable('later', { id: 'text', share: 'real?' }, ['id'])
        if (fails) throw new Error('half-way')
      },
    }
    await expect(migrate(postgres.db, [...migrations, later], COLUMN_TYPES.postgres)).rejects.toThrow('half-way')
    fails = false
    await migrate(postgres.db, [...migrations, later], COLUMN_TYPES.postgres)
    await sql`insert into later values ('x', ${0.1})`.execute(postgres.db)
    expect((await sql`select * from later`.execute(postgres.db)).rows).toEqual([{ id: 'x', share: 0.1 }])
  })
})

describe('in PostgreSQL', () => {
  testRows(async () => postgres.db)
})
