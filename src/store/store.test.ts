import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLogger, silentLogger, type LogEntry } from '../base/logger.ts'
import { AppError } from '../shared/errors.ts'
import { parseColumn } from './column-types.ts'
import { migrations, type SchemaChange } from './migrations.ts'
import { TABLES } from './schema.ts'
import { secretNamed } from './secrets.ts'
import { openSqlite, toSqlValue } from './sqlite-database.ts'
import { openStore, type Store } from './store.ts'

let folder: string
const open: Store[] = []

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bendi-store-'))
})

afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
  await rm(folder, { recursive: true, force: true })
})

const fileOf = (): string => path.join(folder, 'data', 'bendi.db')

async function openHere(more: Partial<Parameters<typeof openStore>[0]> = {}): Promise<Store> {
  const store = await openStore({ file: fileOf(), logger: silentLogger, now: () => 0, ...more })
  open.push(store)
  return store
}

describe('values', () => {
  test.each([
    [true, 1n],
    [false, 0n],
    [undefined, null],
    [null, null],
    [3, 3n],
    [-0, 0n],
    [0.5, 0.5],
    [1e300, 1e300],
    ['天气', '天气'],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
  ])('%s is bound as %s', (value, bound) => {
    expect(toSqlValue(value)).toBe(bound)
  })

  test.each([[Number.NaN], [{ a: 1 }], [[1]], [2n ** 60n], [Symbol('x')], [() => 1]])('%s is refused', (value) => {
    expect(() => toSqlValue(value)).toThrow(TypeError)
  })

  test('a text with a NUL is the caller’s mistake', () => {
    expect(() => toSqlValue('a\u0000b')).toThrow(AppError)
  })

  test('a boolean, a float, bytes and an emoji come back through a query', async () => {
    const { db } = await openHere()
    const bytes = Buffer.from([0, 255, 1])
    const { rows } =
      await sql`select ${true} as truth, typeof(${7}) as kind, ${0.1} as fraction, ${bytes} as bytes, ${'🎉x'} as text`.execute(db)
    expect(rows).toEqual([{ truth: 1, kind: 'integer', fraction: 0.1, bytes, text: '🎉x' }])
  })

  test('a blob is a Buffer, and the same one again', async () => {
    const { db } = await openHere()
    const secret = await secretNamed(db, 'a')
    expect(Buffer.isBuffer(secret)).toBe(true)
    expect(secret).toHaveLength(32)
    expect(await secretNamed(db, 'a')).toEqual(secret)
    expect(await secretNamed(db, 'b')).not.toEqual(secret)
  })
})

describe('migrations', () => {
  test('make the tables that tables/ describe', async () => {
    const { db } = await openHere()
    for (const [table, columns] of Object.entries(TABLES)) {
      const { rows } = await sql<{
        name: string
        type: string
        notnull: number
      }>`select name, type, "notnull" from pragma_table_info(${table})`.execute(db)
      const expected = Object.entries(columns).map(([name, spec]) => {
        const { kind, nullable } = parseColumn(spec)
        return { name, type: kind.toUpperCase(), notnull: nullable ? 0 : 1 }
      })
      expect(rows.map((row) => ({ ...row, type: row.type.toUpperCase() }))).toEqual(expected)
    }
  })

  test('are in order, and opening again changes nothing', async () => {
    expect(migrations.map(({ name }) => name)).toEqual(migrations.map(({ name }) => name).toSorted())
    await (await openHere()).close()
    const { db } = await openHere()
    const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
    expect(rows.map(({ name }) => name)).toEqual(migrations.map(({ name }) => name))
  })

  test('one that fails half-way leaves nothing and can be tried again', async () => {
    let fails = true
    const later: SchemaChange = {
      name: '9999-later',
      async up(schema) {
        await schema.createTable('later', { id: 'text' }, ['id'])
        if (fails) throw new Error('half-way')
      },
    }
    await expect(openHere({ changes: [...migrations, later] })).rejects.toThrow('half-way')
    fails = false
    const { db } = await openHere({ changes: [...migrations, later] })
    await sql`insert into later values ('x')`.execute(db)
  })

  test('of a newer version are told as such, and left alone', async () => {
    const later: SchemaChange = { name: '9999-later', up: async (schema) => schema.createTable('later', { id: 'text' }, ['id']) }
    await (await openHere({ changes: [...migrations, later] })).close()
    const before = await readFile(fileOf())
    await expect(openHere()).rejects.toMatchObject({
      code: 'store-unavailable',
      data: { reason: expect.stringContaining('newer') as string },
    })
    expect(await readFile(fileOf())).toEqual(before)
    await openHere({ changes: [...migrations, later] })
  })
})

describe('another program that holds the file', () => {
  test('is waited for, and nothing else waits meanwhile', async () => {
    const { db } = await openHere()
    const other = openSqlite(fileOf())
    other.exec('begin exclusive')
    // SQLite's own wait would be 5 s.
    const begin = performance.now()
    const writing = secretNamed(db, 'a')
    await new Promise((resolve) => setImmediate(resolve))
    expect(performance.now() - begin).toBeLessThan(4000)
    other.exec('rollback')
    const secret = await writing
    expect(other.prepare('select name, value from secrets').all([])).toEqual([{ name: 'a', value: secret }])
    other.close()
  })

  test('is waited for when we open it', async () => {
    await (await openHere()).close()
    const other = openSqlite(fileOf())
    other.exec('begin exclusive')
    const opening = openHere()
    await new Promise((resolve) => setTimeout(resolve, 60))
    other.exec('rollback')
    expect(await secretNamed((await opening).db, 'a')).toHaveLength(32)
    other.close()
  })

  test('and does not let go is an error', async () => {
    const { db } = await openHere({ patienceMs: 100 })
    const other = openSqlite(fileOf())
    other.exec('begin exclusive')
    const reason = expect.stringContaining('locked') as string
    await expect(secretNamed(db, 'a')).rejects.toMatchObject({ code: 'store-unavailable', data: { reason } })
    await expect(db.transaction().execute((inside) => secretNamed(inside, 'a'))).rejects.toMatchObject({ code: 'store-unavailable' })
    other.exec('rollback')
    // What is written afterwards is there for everybody, and nothing is held back.
    await secretNamed(db, 'b')
    await db.transaction().execute((inside) => secretNamed(inside, 'c'))
    expect(other.prepare('select name from secrets order by name').all([])).toEqual([{ name: 'b' }, { name: 'c' }])
    other.exec('begin exclusive')
    other.exec('rollback')
    other.close()
  })
})

describe('the file', () => {
  test('is for its owner only, its companions too', async () => {
    await openHere()
    for (const name of await readdir(path.dirname(fileOf()))) {
      expect((await stat(path.join(path.dirname(fileOf()), name))).mode & 0o077).toBe(0)
    }
  })

  test.each([
    ['is no database', async (file: string) => writeFile(file, 'this is not a database, but long enough to be read as one'.repeat(100))],
    [
      'is a damaged one',
      async (file: string) => {
        await (await openHere()).close()
        const bytes = await readFile(file)
        await writeFile(file, bytes.fill(0xa5, 4096, 4096 * 3))
      },
    ],
  ])('that %s is moved aside with a line in the log', async (_, damage) => {
    await (await openHere()).close()
    await damage(fileOf())
    const broken = await readFile(fileOf())
    const log: LogEntry[] = []
    const folders = [path.join(folder, 'data', 'files'), path.join(folder, 'data', 'nowhere')]
    await mkdir(path.join(folder, 'data', 'files'))
    await writeFile(path.join(folder, 'data', 'files', 'file-1'), 'kept')
    const { db } = await openHere({ folders, logger: createLogger({ level: 'error', sink: (entry) => log.push(entry) }) })
    expect(await secretNamed(db, 'a')).toHaveLength(32)
    expect(log).toHaveLength(1)
    const aside = String(log[0]?.fields['aside'])
    expect(await readFile(aside)).toEqual(broken)
    const ending = aside.slice(fileOf().length)
    expect(await readFile(path.join(folder, 'data', `files${ending}`, 'file-1'), 'utf8')).toBe('kept')
  })

  test('in a folder that cannot be is a clear error', async () => {
    await writeFile(path.join(folder, 'data'), '')
    await expect(openHere()).rejects.toMatchObject({ code: 'store-unavailable' })
  })

  test('on a full disk says so, and works again when there is room', async () => {
    const { db } = await openHere()
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db)
    await sql`pragma max_page_count = ${sql.raw(String(rows[0]?.page_count))}`.execute(db)
    const big = (): Promise<unknown> =>
      db
        .insertInto('secrets')
        .values({ name: 'big', value: Buffer.alloc(100_000) })
        .execute()
    await expect(big()).rejects.toMatchObject({ code: 'store-unavailable', data: { reason: expect.stringContaining('full') as string } })
    await sql`pragma max_page_count = 1000000`.execute(db)
    await big()
  })

  test('a mistake in a statement stays a mistake', async () => {
    const { db } = await openHere()
    await expect(sql`select * from nowhere`.execute(db)).rejects.toMatchObject({ code: 'SQLITE_ERROR' })
  })
})
