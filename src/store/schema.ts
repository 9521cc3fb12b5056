/** All tables. A test holds them against what the migrations make. */
import type { Kysely } from 'kysely'
import type { Columns } from './column-types.ts'
import { batchColumns, type BatchRow } from './tables/batches.ts'
import { batchLineColumns, type BatchLineRow } from './tables/batch-lines.ts'
import { fileColumns, type FileRow } from './tables/files.ts'
import { responseColumns, type ResponseRow } from './tables/responses.ts'
import { responseEventColumns, type ResponseEventRow } from './tables/response-events.ts'
import { responseItemColumns, type ResponseItemRow } from './tables/response-items.ts'
import { secretColumns, type SecretRow } from './tables/secrets.ts'

export interface Tables {
  responses: ResponseRow
  response_items: ResponseItemRow
  response_events: ResponseEventRow
  files: FileRow
  batches: BatchRow
  batch_lines: BatchLineRow
  secrets: SecretRow
}

export const TABLES: Readonly<Record<keyof Tables, Columns>> = {
  responses: responseColumns,
  response_items: responseItemColumns,
  response_events: responseEventColumns,
  files: fileColumns,
  batches: batchColumns,
  batch_lines: batchLineColumns,
  secrets: secretColumns,
}

/** What the functions of this folder work on. */
export type Database = Kysely<Tables>
