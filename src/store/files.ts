/** Rows of uploaded and written files. */
import type { Database } from './schema.ts'
import { pageOf, type Page, type PageQuery } from './pages.ts'
import type { FileRow } from './tables/files.ts'

export async function insertFile(db: Database, row: FileRow): Promise<void> {
  await db.insertInto('files').values(row).execute()
}

export async function findFile(db: Database, id: string): Promise<FileRow | undefined> {
  return db.selectFrom('files').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function deleteFile(db: Database, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('files').where('id', '=', id).executeTakeFirst()
  return numDeletedRows > 0n
}

/** Not those that have expired at `now` (ms). An unknown `after` gives an empty page. */
export async function listFiles(db: Database, query: PageQuery & { purpose?: string; now: number }): Promise<Page<FileRow>> {
  const { limit, order, after, purpose, now } = query
  let rows = db
    .selectFrom('files')
    .selectAll()
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
  if (purpose !== undefined) rows = rows.where('purpose', '=', purpose)
  if (after !== undefined) {
    const last = await findFile(db, after)
    if (!last) return { data: [], hasMore: false }
    const beyond = order === 'asc' ? '>' : '<'
    rows = rows.where((where) =>
      where.or([where('created_at', beyond, last.created_at), where('created_at', '=', last.created_at).and('id', beyond, last.id)]),
    )
  }
  const found = await rows
    .orderBy('created_at', order)
    .orderBy('id', order)
    .limit(limit + 1)
    .execute()
  return pageOf(found, limit)
}

export async function expiredFiles(db: Database, now: number): Promise<string[]> {
  const rows = await db.selectFrom('files').select('id').where('expires_at', '<=', now).execute()
  return rows.map(({ id }) => id)
}

export async function fileIds(db: Database): Promise<Set<string>> {
  const rows = await db.selectFrom('files').select('id').execute()
  return new Set(rows.map(({ id }) => id))
}
