import { randomBytes } from 'node:crypto'
import type { Database } from './schema.ts'

/** 32 random bytes that stay the same for this name; made when they are first asked for. */
export async function secretNamed(db: Database, name: string): Promise<Buffer> {
  await db
    .insertInto('secrets')
    .values({ name, value: randomBytes(32) })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const { value } = await db.selectFrom('secrets').select('value').where('name', '=', name).executeTakeFirstOrThrow()
  return value
}
