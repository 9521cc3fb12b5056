import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSqlite } from '../../src/store/sqlite-database.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bendi-e2e-store-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

test('the store is shared by two processes that open and write at the same time', async () => {
  const file = path.join(folder, 'bendi.db')
  const source = `
    import { openStore } from ${JSON.stringify(path.resolve('src/store/store.ts'))}
    import { silentLogger } from ${JSON.stringify(path.resolve('src/base/logger.ts'))}
    const { db, close } = await openStore({ file: process.argv[2], logger: silentLogger, now: Date.now })
    for (let i = 0; i < 50; i++)
      await db.transaction().execute(async (t) => {
        const row = await t.selectFrom('secrets').selectAll().where('name', '=', 'n').executeTakeFirst()
        const n = row ? row.value.readUInt32LE() + 1 : 1
        const value = Buffer.alloc(4); value.writeUInt32LE(n)
        await t.insertInto('secrets').values({ name: 'n', value }).onConflict((c) => c.column('name').doUpdateSet({ value })).execute()
      })
    await close()`
  const script = path.join(folder, 'writer.mts')
  await writeFile(script, source)
  const run = (): Promise<unknown> => promisify(execFile)(process.execPath, ['--import', 'tsx', script, file])
  await Promise.all([run(), run()])
  const sqlite = openSqlite(file)
  const [row] = sqlite.prepare('select value from secrets').all([]) as { value: Buffer }[]
  sqlite.close()
  expect(row?.value.readUInt32LE()).toBe(100)
})
