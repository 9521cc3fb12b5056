/** Rows of batches and of their lines. */
import type { Database } from './schema.ts'
import { pageOf, type Page, type PageQuery } from './pages.ts'
import type { BatchLineRow } from './tables/batch-lines.ts'
import type { BatchRow } from './tables/batches.ts'
import type { FileRow } from './tables/files.ts'

export async function insertBatch(db: Database, row: BatchRow): Promise<void> {
  await db.insertInto('batches').values(row).execute()
}

export async function findBatch(db: Database, id: string): Promise<BatchRow | undefined> {
  return db.selectFrom('batches').selectAll().where('id', '=', id).executeTakeFirst()
}

/** The newest first. An unknown `after` gives an empty page. */
export async function listBatches(db: Database, { limit, after }: Omit<PageQuery, 'order'>): Promise<Page<BatchRow>> {
  let rows = db.selectFrom('batches').selectAll()
  if (after !== undefined) {
    const last = await findBatch(db, after)
    if (!last) return { data: [], hasMore: false }
    rows = rows.where((where) =>
      where.or([where('created_at', '<', last.created_at), where('created_at', '=', last.created_at).and('id', '<', last.id)]),
    )
  }
  const found = await rows
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  return pageOf(found, limit)
}

/** Those in one of these states, the oldest first. */
export async function batchesInStatus(db: Database, statuses: readonly string[]): Promise<BatchRow[]> {
  return db
    .selectFrom('batches')
    .selectAll()
    .where('status', 'in', [...statuses])
    .orderBy('created_at')
    .orderBy('id')
    .execute()
}

export async function updateBatch(db: Database, id: string, changes: Partial<BatchRow>): Promise<void> {
  await db.updateTable('batches').set(changes).where('id', '=', id).execute()
}

/** False when it can no longer be cancelled: it is ending, or has ended. */
export async function markCancelling(db: Database, id: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('batches')
    .set({ status: 'cancelling', cancelling_at: now })
    .where('id', '=', id)
    .where('status', 'in', ['validating', 'in_progress'])
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Throws away the lines that a validation cut short may have left. */
export async function clearLines(db: Database, batchId: string): Promise<void> {
  await db.deleteFrom('batch_lines').where('batch_id', '=', batchId).execute()
}

export async function insertLines(db: Database, rows: readonly BatchLineRow[]): Promise<void> {
  if (rows.length > 0)
    await db
      .insertInto('batch_lines')
      .values([...rows])
      .execute()
}

/** The next lines without a result, after this line number. */
export async function waitingLines(db: Database, batchId: string, after: number, limit: number): Promise<BatchLineRow[]> {
  return db
    .selectFrom('batch_lines')
    .selectAll()
    .where('batch_id', '=', batchId)
    .where('state', '=', 'waiting')
    .where('line', '>', after)
    .orderBy('line')
    .limit(limit)
    .execute()
}

/** Lines with a result, after this line number. */
export async function endedLines(
  db: Database,
  { batchId, state, after, limit }: { batchId: string; state: 'completed' | 'failed'; after: number; limit: number },
): Promise<{ line: number; result: string | null }[]> {
  return db
    .selectFrom('batch_lines')
    .select(['line', 'result'])
    .where('batch_id', '=', batchId)
    .where('state', '=', state)
    .where('line', '>', after)
    .orderBy('line')
    .limit(limit)
    .execute()
}

export interface LineResult {
  state: 'completed' | 'failed'
  result: string
  inputTokens: number
  cachedTokens: number
  outputTokens: number
  reasoningTokens: number
}

/** Writes a line's result and counts it, both or neither; a line that has one already is left as it is. */
export async function finishLine(db: Database, batchId: string, line: number, outcome: LineResult): Promise<void> {
  await db.transaction().execute(async (inside) => {
    const { numUpdatedRows } = await inside
      .updateTable('batch_lines')
      .set({ state: outcome.state, result: outcome.result })
      .where('batch_id', '=', batchId)
      .where('line', '=', line)
      .where('state', '=', 'waiting')
      .executeTakeFirst()
    if (numUpdatedRows === 0n) return
    await inside
      .updateTable('batches')
      .set((value) => ({
        [outcome.state]: value(outcome.state, '+', 1),
        input_tokens: value('input_tokens', '+', outcome.inputTokens),
        cached_tokens: value('cached_tokens', '+', outcome.cachedTokens),
        output_tokens: value('output_tokens', '+', outcome.outputTokens),
        reasoning_tokens: value('reasoning_tokens', '+', outcome.reasoningTokens),
      }))
      .where('id', '=', batchId)
      .execute()
  })
}

/** The end of a batch: its files, its state and the removal of its lines happen together. */
export async function endBatch(db: Database, id: string, files: readonly FileRow[], changes: Partial<BatchRow>): Promise<void> {
  await db.transaction().execute(async (inside) => {
    if (files.length > 0)
      await inside
        .insertInto('files')
        .values([...files])
        .execute()
    await inside.updateTable('batches').set(changes).where('id', '=', id).execute()
    await inside.deleteFrom('batch_lines').where('batch_id', '=', id).execute()
  })
}

/** The batch that still reads this file. */
export async function batchReading(db: Database, fileId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('batches')
    .select('id')
    .where('input_file_id', '=', fileId)
    .where('status', 'in', ['validating', 'in_progress', 'finalizing', 'cancelling'])
    .executeTakeFirst()
  return row?.id
}
