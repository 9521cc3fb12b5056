import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { arrivedRanges, journalFile, openJournal, readJournal } from './part-journal.ts'
import type { OpenJournal, PartJournal } from './part-journal.ts'
import { addRange } from './transfer/ranges.ts'
import type { Range } from './transfer/ranges.ts'

const PIECE = 16_384
const identity = { totalBytes: 1e9, sha256: 'ab', boot: 'first' }

let folder: string
let target: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bendi-journal-'))
  target = path.join(folder, 'file.gguf')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

const begin = (): Promise<OpenJournal> => openJournal(target, { identity, arrived: new Map(), verdicts: new Map() })
const piece = (index: number): Range => ({ start: index * PIECE, end: (index + 1) * PIECE })
/** The pieces of two connections that work their way forward. */
const placeOf = (index: number): Range => piece(index % 2 === 0 ? index / 2 : 20_000 + (index - 1) / 2)
const rangesIn = (journal: PartJournal | undefined): Range[] => arrivedRanges(journal?.arrived ?? new Map())

/** Two connections, each from its own place on, one line a piece. */
async function bring(journal: OpenJournal, from: number, to: number): Promise<number> {
  let lines = 0
  for (let index = from; index < to; index++) {
    journal.note(placeOf(index), index % 2 === 0 ? 'a' : 'b')
    lines = await journal.flush()
  }
  return lines
}

const brought = (count: number): Range[] => Array.from({ length: count }, (_, index) => placeOf(index)).reduce<Range[]>(addRange, [])

test('a journal of very many pieces stays small, and loses nothing', async () => {
  const journal = await begin()
  for (let from = 0; from < 10_000; from += 1000) await journal.synced(await bring(journal, from, from + 1000))
  await bring(journal, 10_000, 10_100)
  const known = await readJournal(target, 'first')
  expect(rangesIn(known)).toEqual(brought(10_100))
  expect([...(known?.arrived.keys() ?? [])].toSorted()).toEqual(['a', 'b'])
  await journal.close()
  const { size } = await stat(journalFile(target))
  expect(size).toBeLessThan(5000 * 32)
}, 60_000)

test('after a restart of the machine what was on the disk for sure counts, also when it was written anew meanwhile', async () => {
  const journal = await begin()
  const early = await bring(journal, 0, 5000)
  await bring(journal, 5000, 5200)
  await journal.synced(early)
  await bring(journal, 5200, 5300)
  expect(rangesIn(await readJournal(target, 'second'))).toEqual(brought(5000))
  await journal.synced(await bring(journal, 5300, 5400))
  expect(rangesIn(await readJournal(target, 'second'))).toEqual(brought(5400))
  expect(rangesIn(await readJournal(target, 'first'))).toEqual(brought(5400))
  await journal.close()
}, 60_000)

test('a line that a kill has cut is left out', async () => {
  const journal = await begin()
  await bring(journal, 0, 4)
  await journal.close()
  const content = await readFile(journalFile(target), 'utf8')
  await writeFile(journalFile(target), content.slice(0, -6))
  expect(rangesIn(await readJournal(target, 'first'))).toEqual(brought(3))
})

test('the bytes of a source that lied are not counted, whenever it is told', async () => {
  const journal = await begin()
  await bring(journal, 0, 10)
  journal.judge('b', 'lied')
  await journal.flush()
  await bring(journal, 10, 20)
  expect([...((await readJournal(target, 'first'))?.arrived.keys() ?? [])]).toEqual(['a'])
  await journal.close()
})
