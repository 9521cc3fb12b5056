/**
 * How the tables came about, in one list for every kind of database. What has been released is never changed: a new wish is a new entry at the
 * end. The columns stand here once more on purpose, since `tables/` tells how they are today.
 */
import type { Kysely } from 'kysely'
import { parseColumn, type Columns, type ColumnTypes } from './column-types.ts'

export interface SchemaChange {
  /** Sorted by name: a number of four digits, then what it brings. */
  name: string
  up(schema: SchemaEditor): Promise<void>
}

export interface SchemaEditor {
  createTable(name: string, columns: Columns, primaryKey: readonly string[]): Promise<void>
  createIndex(table: string, columns: readonly string[]): Promise<void>
}

export const migrations: readonly SchemaChange[] = [
  {
    name: '0001-responses',
    async up(schema) {
      await schema.createTable(
        'responses',
        { id: 'text', previous_id: 'text?', status: 'text', background: 'integer', created_at: 'integer', reply: 'text' },
        ['id'],
      )
      await schema.createIndex('responses', ['created_at'])
      await schema.createTable('response_items', { response_id: 'text', place: 'text', position: 'integer', id: 'text', item: 'text' }, [
        'response_id',
        'place',
        'position',
      ])
      await schema.createIndex('response_items', ['id'])
      await schema.createTable('response_events', { response_id: 'text', events: 'text' }, ['response_id'])
      await schema.createTable('secrets', { name: 'text', value: 'blob' }, ['name'])
    },
  },
  {
    name: '0002-files-and-batches',
    async up(schema) {
      await schema.createTable(
        'files',
        { id: 'text', filename: 'text', purpose: 'text', bytes: 'integer', created_at: 'integer', expires_at: 'integer?' },
        ['id'],
      )
      await schema.createIndex('files', ['created_at', 'id'])
      await schema.createTable(
        'batches',
        {
          id: 'text',
          status: 'text',
          endpoint: 'text',
          completion_window: 'text',
          input_file_id: 'text',
          output_file_id: 'text?',
          error_file_id: 'text?',
          errors: 'text?',
          metadata: 'text?',
          output_seconds: 'integer?',
          total: 'integer',
          completed: 'integer',
          failed: 'integer',
          input_tokens: 'integer',
          cached_tokens: 'integer',
          output_tokens: 'integer',
          reasoning_tokens: 'integer',
          created_at: 'integer',
          expires_at: 'integer',
          in_progress_at: 'integer?',
          finalizing_at: 'integer?',
          completed_at: 'integer?',
          failed_at: 'integer?',
          expired_at: 'integer?',
          cancelling_at: 'integer?',
          cancelled_at: 'integer?',
        },
        ['id'],
      )
      await schema.createIndex('batches', ['created_at', 'id'])
      await schema.createTable(
        'batch_lines',
        {
          batch_id: 'text',
          line: 'integer',
          custom_id: 'text',
          start: 'integer',
          bytes: 'integer',
          state: 'text',
          result: 'text?',
        },
        ['batch_id', 'line'],
      )
      await schema.createIndex('batch_lines', ['batch_id', 'state', 'line'])
    },
  },
]

/** Carries out a change's wishes on a database whose column types are `types`. */
export function createSchemaEditor(db: Kysely<unknown>, types: ColumnTypes): SchemaEditor {
  return {
    async createTable(name, columns, primaryKey) {
      let table = db.schema.createTable(name)
      for (const [column, spec] of Object.entries(columns)) {
        const { kind, nullable } = parseColumn(spec)
        table = table.addColumn(column, types[kind], (definition) => (nullable ? definition : definition.notNull()))
      }
      await table.addPrimaryKeyConstraint(`${name}_key`, [...primaryKey] as never[]).execute()
    },
    createIndex: (table, columns) =>
      db.schema
        .createIndex(`${table}_${columns.join('_')}`)
        .on(table)
        .columns([...columns])
        .execute(),
  }
}
