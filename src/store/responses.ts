/** Rows of the Responses API. Items and replies are JSON of the caller's making. */
import type { Database } from './schema.ts'
import type { ResponseRow } from './tables/responses.ts'

export interface StoredResponse extends ResponseRow {
  /** JSON of each item, in order. */
  input: string[]
  output: string[]
}

export interface ItemToStore {
  id: string
  json: string
}

/** Writes a response with its items, or writes it again with another status and output. */
export async function saveResponse(
  db: Database,
  row: ResponseRow,
  items: { input: readonly ItemToStore[]; output: readonly ItemToStore[] },
  events?: string,
): Promise<void> {
  await db.transaction().execute(async (inside) => {
    await inside
      .insertInto('responses')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ status: row.status, reply: row.reply }))
      .execute()
    await inside.deleteFrom('response_items').where('response_id', '=', row.id).execute()
    const rows = (['input', 'output'] as const).flatMap((place) =>
      items[place].map(({ id, json }, position) => ({ response_id: row.id, place, position, id, item: json })),
    )
    // A statement takes 32,766 parameters at most.
    for (let from = 0; from < rows.length; from += 1000) {
      await inside
        .insertInto('response_items')
        .values(rows.slice(from, from + 1000))
        .execute()
    }
    if (events !== undefined) await inside.insertInto('response_events').values({ response_id: row.id, events }).execute()
  })
}

export async function findResponse(db: Database, id: string): Promise<StoredResponse | undefined> {
  const row = await db.selectFrom('responses').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) return undefined
  const items = await db
    .selectFrom('response_items')
    .select(['place', 'item'])
    .where('response_id', '=', id)
    .orderBy('place')
    .orderBy('position')
    .execute()
  const at = (place: string): string[] => items.filter((item) => item.place === place).map(({ item }) => item)
  return { ...row, input: at('input'), output: at('output') }
}

export async function findResponseEvents(db: Database, id: string): Promise<string | undefined> {
  const row = await db.selectFrom('response_events').select('events').where('response_id', '=', id).executeTakeFirst()
  return row?.events
}

/** The JSON of the item that was stored last under this id. */
export async function findItem(db: Database, id: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('response_items')
    .innerJoin('responses', 'responses.id', 'response_items.response_id')
    .select('item')
    .where('response_items.id', '=', id)
    .orderBy('responses.created_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.item
}

/** False when there was none. */
export async function deleteResponse(db: Database, id: string): Promise<boolean> {
  return db.transaction().execute(async (inside) => {
    await inside.deleteFrom('response_items').where('response_id', '=', id).execute()
    await inside.deleteFrom('response_events').where('response_id', '=', id).execute()
    const { numDeletedRows } = await inside.deleteFrom('responses').where('id', '=', id).executeTakeFirst()
    return numDeletedRows > 0n
  })
}

/** Those that were made before `createdAt` (ms) go. */
export async function deleteResponsesBefore(db: Database, createdAt: number): Promise<void> {
  await db.transaction().execute(async (inside) => {
    const old = inside.selectFrom('responses').select('id').where('created_at', '<', createdAt)
    await inside.deleteFrom('response_items').where('response_id', 'in', old).execute()
    await inside.deleteFrom('response_events').where('response_id', 'in', old).execute()
    await inside.deleteFrom('responses').where('created_at', '<', createdAt).execute()
  })
}

/** Responses that an ended process left in one of these states. */
export async function findResponsesInStatus(db: Database, statuses: readonly string[]): Promise<ResponseRow[]> {
  return db
    .selectFrom('responses')
    .selectAll()
    .where('status', 'in', [...statuses])
    .execute()
}
