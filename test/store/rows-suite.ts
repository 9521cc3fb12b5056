/** What every function of the store promises, whichever database is below. */
import { expect, test } from 'vitest'
import { parseColumn } from '../../src/store/column-types.ts'
import {
  batchesInStatus,
  batchReading,
  clearLines,
  endBatch,
  endedLines,
  findBatch,
  finishLine,
  insertBatch,
  insertLines,
  listBatches,
  updateBatch,
  waitingLines,
} from '../../src/store/batches.ts'
import { deleteFile, expiredFiles, fileIds, findFile, insertFile, listFiles } from '../../src/store/files.ts'
import {
  deleteResponse,
  deleteResponsesBefore,
  findItem,
  findResponse,
  findResponseEvents,
  findResponsesInStatus,
  saveResponse,
} from '../../src/store/responses.ts'
import { TABLES, type Database } from '../../src/store/schema.ts'
import { secretNamed } from '../../src/store/secrets.ts'
import { batchColumns, type BatchRow } from '../../src/store/tables/batches.ts'
import type { BatchLineRow } from '../../src/store/tables/batch-lines.ts'
import type { FileRow } from '../../src/store/tables/files.ts'
import type { ResponseRow } from '../../src/store/tables/responses.ts'

/** Past what 32 bits hold: times and sizes do. */
const LATE = 1_800_000_000_123

const file = (id: string, more: Partial<FileRow> = {}): FileRow => ({
  id,
  filename: '天气 🎉.jsonl',
  purpose: 'batch',
  bytes: 5 * 2 ** 32,
  created_at: LATE,
  expires_at: null,
  ...more,
})

function batch(id: string, more: Partial<BatchRow> = {}): BatchRow {
  const empty = Object.fromEntries(
    Object.entries(batchColumns).map(([name, spec]) => {
      const { kind, nullable } = parseColumn(spec)
      return [name, nullable ? null : kind === 'integer' ? 0 : name]
    }),
  ) as unknown as BatchRow
  return { ...empty, id, status: 'in_progress', input_file_id: `input-${id}`, created_at: LATE, expires_at: LATE + 1, ...more }
}

const line = (batchId: string, number: number): BatchLineRow => ({
  batch_id: batchId,
  line: number,
  custom_id: `c${number}`,
  start: number * 2 ** 33,
  bytes: 10,
  state: 'waiting',
  result: null,
})

const response = (id: string, more: Partial<ResponseRow> = {}): ResponseRow => ({
  id,
  previous_id: null,
  status: 'in_progress',
  background: 1,
  created_at: LATE,
  reply: '{"a":"\\u0000 天气"}',
  ...more,
})

const items = (...names: string[]): { id: string; json: string }[] => names.map((id) => ({ id, json: JSON.stringify({ id, text: '🎉' }) }))

/** Each test uses ids of its own, so that they can share a database. */
export function testRows(database: () => Promise<Database>): void {
  test('a secret is made once, and comes back as bytes', async () => {
    const db = await database()
    const [first, second] = await Promise.all([secretNamed(db, 's1'), secretNamed(db, 's1')])
    expect(Buffer.isBuffer(first)).toBe(true)
    expect(first).toHaveLength(32)
    expect(second).toEqual(first)
    expect(await secretNamed(db, 's2')).not.toEqual(first)
  })

  test('a file comes back as it was written, and goes once', async () => {
    const db = await database()
    const row = file('file-a', { expires_at: LATE + 5 })
    await insertFile(db, row)
    expect(await findFile(db, 'file-a')).toEqual(row)
    expect(await fileIds(db)).toContain('file-a')
    expect(await expiredFiles(db, LATE + 4)).not.toContain('file-a')
    expect(await expiredFiles(db, LATE + 5)).toContain('file-a')
    expect(await deleteFile(db, 'file-a')).toBe(true)
    expect(await deleteFile(db, 'file-a')).toBe(false)
    expect(await findFile(db, 'file-a')).toBeUndefined()
  })

  test('an id cannot be taken twice', async () => {
    const db = await database()
    await insertFile(db, file('file-twice'))
    await expect(insertFile(db, file('file-twice'))).rejects.toThrow(/unique/i)
  })

  test.each(['asc', 'desc'] as const)('files are listed page by page, %s, without those that have expired', async (order) => {
    const db = await database()
    const purpose = `pages-${order}`
    // Two at the same time: their ids decide.
    const rows = [
      file('p1', { created_at: 1 }),
      file('p2', { created_at: 2 }),
      file('p3', { created_at: 2 }),
      file('p4', { created_at: LATE }),
    ]
    for (const row of rows) await insertFile(db, { ...row, id: `${order}-${row.id}`, purpose })
    await insertFile(db, file(`${order}-gone`, { purpose, expires_at: 10 }))
    const seen: string[] = []
    for (let after: string | undefined; ; after = seen.at(-1)) {
      const page = await listFiles(db, { limit: 1, order, purpose, now: 10, ...(after === undefined ? {} : { after }) })
      seen.push(...page.data.map(({ id }) => id))
      if (!page.hasMore) break
    }
    const expected = ['p1', 'p2', 'p3', 'p4'].map((id) => `${order}-${id}`)
    expect(seen).toEqual(order === 'asc' ? expected : expected.toReversed())
    expect(await listFiles(db, { limit: 1, order, purpose, now: 10, after: 'nobody' })).toEqual({ data: [], hasMore: false })
  })

  test('a batch comes back as it was written, and changes', async () => {
    const db = await database()
    const row = batch('b-change', { metadata: '{"a":"b"}', output_seconds: 3600 })
    await insertBatch(db, row)
    expect(await findBatch(db, 'b-change')).toEqual(row)
    await updateBatch(db, 'b-change', { status: 'failed', failed_at: LATE, errors: null })
    expect(await findBatch(db, 'b-change')).toEqual({ ...row, status: 'failed', failed_at: LATE })
    expect(await findBatch(db, 'nobody')).toBeUndefined()
  })

  test('batches are found by state, by file, and page by page', async () => {
    const db = await database()
    await insertBatch(db, batch('b-new', { status: 'listed', created_at: LATE + 20 }))
    await insertBatch(db, batch('b-old', { status: 'listed', created_at: LATE + 10 }))
    expect((await batchesInStatus(db, ['listed', 'other'])).map(({ id }) => id)).toEqual(['b-old', 'b-new'])
    const first = await listBatches(db, { limit: 1 })
    expect(first).toMatchObject({ data: [{ id: 'b-new' }], hasMore: true })
    expect(await listBatches(db, { limit: 1, after: 'b-new' })).toMatchObject({ data: [{ id: 'b-old' }] })
    expect(await listBatches(db, { limit: 1, after: 'nobody' })).toEqual({ data: [], hasMore: false })
    await insertBatch(db, batch('b-reads', { status: 'finalizing', input_file_id: 'input' }))
    expect(await batchReading(db, 'input')).toBe('b-reads')
    await updateBatch(db, 'b-reads', { status: 'completed' })
    expect(await batchReading(db, 'input')).toBeUndefined()
  })

  test('a line is counted once, however often its result is written', async () => {
    const db = await database()
    await insertBatch(db, batch('b-lines', { total: 3 }))
    await insertLines(db, [])
    await insertLines(db, [line('b-lines', 1), line('b-lines', 2), line('b-lines', 10)])
    expect(await waitingLines(db, 'b-lines', 0, 10)).toEqual([line('b-lines', 1), line('b-lines', 2), line('b-lines', 10)])
    expect((await waitingLines(db, 'b-lines', 1, 1)).map((row) => row.line)).toEqual([2])
    const usage = { inputTokens: 5, cachedTokens: 1, outputTokens: 2 ** 33, reasoningTokens: 0 }
    await Promise.all([1, 1, 1].map((number) => finishLine(db, 'b-lines', number, { state: 'completed', result: 'first', ...usage })))
    await finishLine(db, 'b-lines', 10, { state: 'failed', result: 'wrong', ...usage })
    expect(await findBatch(db, 'b-lines')).toMatchObject({ completed: 1, failed: 1, input_tokens: 10, output_tokens: 2 ** 34 })
    expect(await endedLines(db, { batchId: 'b-lines', state: 'completed', after: 0, limit: 5 })).toEqual([{ line: 1, result: 'first' }])
    expect(await endedLines(db, { batchId: 'b-lines', state: 'failed', after: 0, limit: 5 })).toEqual([{ line: 10, result: 'wrong' }])
    await clearLines(db, 'b-lines')
    expect(await waitingLines(db, 'b-lines', 0, 10)).toEqual([])
  })

  test('many lines go in at once', async () => {
    const db = await database()
    await insertLines(
      db,
      Array.from({ length: 1000 }, (_, index) => line('b-many', index + 1)),
    )
    expect(await waitingLines(db, 'b-many', 998, 10)).toHaveLength(2)
  })

  test('a batch ends with its files, or not at all', async () => {
    const db = await database()
    await insertBatch(db, batch('b-end'))
    await insertLines(db, [line('b-end', 1)])
    await insertFile(db, file('file-taken'))
    await expect(endBatch(db, 'b-end', [file('file-new'), file('file-taken')], { status: 'completed' })).rejects.toThrow(/unique/i)
    expect(await findFile(db, 'file-new')).toBeUndefined()
    expect(await findBatch(db, 'b-end')).toMatchObject({ status: 'in_progress' })
    await endBatch(db, 'b-end', [file('file-new')], { status: 'completed', output_file_id: 'file-new' })
    expect(await findFile(db, 'file-new')).toBeDefined()
    expect(await waitingLines(db, 'b-end', 0, 10)).toEqual([])
  })

  test('a response is written, written again with another end, and found with its items in order', async () => {
    const db = await database()
    await saveResponse(db, response('r1'), { input: items('i1'), output: [] })
    const many = Array.from({ length: 1500 }, (_, index) => `o${index}`)
    await saveResponse(
      db,
      response('r1', { status: 'completed', reply: '{}', created_at: 1 }),
      { input: items('i1', 'i2'), output: items(...many) },
      '[1]',
    )
    const found = await findResponse(db, 'r1')
    // When it was made does not change.
    expect(found).toMatchObject({ ...response('r1'), status: 'completed', reply: '{}' })
    expect(found?.input).toEqual(items('i1', 'i2').map(({ json }) => json))
    expect(found?.output).toEqual(items(...many).map(({ json }) => json))
    expect(await findResponseEvents(db, 'r1')).toBe('[1]')
    expect(await findResponseEvents(db, 'nobody')).toBeUndefined()
    expect(await deleteResponse(db, 'r1')).toBe(true)
    expect(await deleteResponse(db, 'r1')).toBe(false)
    expect(await findResponse(db, 'r1')).toBeUndefined()
    expect(await findResponseEvents(db, 'r1')).toBeUndefined()
    expect(await findItem(db, 'i1')).toBeUndefined()
  })

  test('an item is the one that was stored last under its id, and old responses go', async () => {
    const db = await database()
    await saveResponse(
      db,
      response('r-old', { created_at: 1, status: 'stuck' }),
      { input: [{ id: 'same', json: '"old"' }], output: [] },
      '[]',
    )
    await saveResponse(db, response('r-new', { created_at: 9 }), { input: [{ id: 'same', json: '"new"' }], output: [] })
    expect(await findItem(db, 'same')).toBe('"new"')
    expect((await findResponsesInStatus(db, ['stuck', 'queued'])).map(({ id }) => id)).toEqual(['r-old'])
    await deleteResponsesBefore(db, 9)
    expect(await findResponse(db, 'r-old')).toBeUndefined()
    expect(await findResponseEvents(db, 'r-old')).toBeUndefined()
    expect(await findResponse(db, 'r-new')).toBeDefined()
  })

  test('what fails in a transaction leaves nothing', async () => {
    const db = await database()
    const work = db.transaction().execute(async (inside) => {
      await insertFile(inside, file('file-undone'))
      throw new Error('half-way')
    })
    await expect(work).rejects.toThrow('half-way')
    expect(await findFile(db, 'file-undone')).toBeUndefined()
  })

  test('every table takes and gives rows', async () => {
    const db = await database()
    for (const table of Object.keys(TABLES) as (keyof typeof TABLES)[])
      expect(Array.isArray(await db.selectFrom(table).selectAll().execute())).toBe(true)
  })
}
