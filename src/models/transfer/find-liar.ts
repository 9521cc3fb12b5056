/** The whole file is wrong: finds out which source sent the wrong part, and gets that part from the others. */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'

import type { Logger } from '../../base/logger.ts'
import { recordArrival } from '../part-journal.ts'
import type { OpenJournal, PartJournal } from '../part-journal.ts'
import { rangeBytes } from './ranges.ts'
import type { Range } from './ranges.ts'
import type { SourceState } from './source-state.ts'

export interface LiarSearch {
  expected: string
  /** The wrong hash. */
  actual: string
  sources: readonly SourceState[]
  journal: PartJournal
  log: OpenJournal
  handle: FileHandle
  logger: Logger
  /** Fetches what is missing and answers the hash of the file. */
  bring(): Promise<string>
  /** The hash begins anew. */
  restart(): Promise<void>
}

/**
 * Suspects those first that nobody vouched for, then those that sent least. All that a suspect has sent is fetched again from
 * the others. Answers the last hash: the right one when a liar was found.
 */
export async function findLiar(search: LiarSearch): Promise<string> {
  const { journal, sources, expected, logger } = search
  const suspects = [...journal.arrived.keys()].toSorted(
    (a, b) => suspicion(search, b) - suspicion(search, a) || sent(journal, a) - sent(journal, b),
  )
  let { actual } = search
  for (const name of suspects) {
    const others = witnesses(sources, name)
    if (others.length === 0) continue
    const suspect = sources.find((source) => source.name === name)
    logger.warn('the file is not what was published; fetching the part of one source again', { source: name, bytes: sent(journal, name) })
    const before = suspect?.state
    if (suspect) suspect.state = 'dropped'
    const ranges = journal.arrived.get(name) ?? []
    const marks = await marksOf(search.handle, ranges)
    journal.arrived.delete(name)
    // A kill must not begin the search anew.
    search.log.judge(name, 'doubted')
    await search.restart()
    actual = await search.bring()
    if (actual === expected) {
      if (suspect) suspect.verdict = 'lied'
      search.log.judge(name, 'lied')
      return actual
    }
    if (!(await marksOf(search.handle, ranges)).equals(marks)) continue
    // The others sent the same: it is innocent, and may help again.
    if (suspect && before !== undefined) suspect.state = before
    search.log.judge(name, 'agreed')
    for (const range of ranges) {
      recordArrival(journal.arrived, range, name)
      search.log.note(range, name)
    }
  }
  return actual
}

/** Who can be asked instead; those that were doubted get another chance when there is nobody else. */
function witnesses(sources: readonly SourceState[], name: string): SourceState[] {
  const others = sources.filter((source) => source.name !== name)
  const good = others.filter((source) => source.state !== 'dropped')
  if (good.length > 0) return good
  const doubted = others.filter((source) => source.verdict === 'doubted')
  for (const source of doubted) {
    source.state = 'ready'
    delete source.verdict
  }
  return doubted
}

/** Without a witness: most suspicious. What lay on the disk before counts as a source too. */
function suspicion({ sources }: LiarSearch, name: string): number {
  const source = sources.find((item) => item.name === name)
  return source === undefined ? 2 : source.agreements > 0 ? 0 : 1
}

function sent({ arrived }: PartJournal, name: string): number {
  return rangeBytes(arrived.get(name) ?? [])
}

/** A hash of what lies in these ranges, to see later whether it has changed. */
async function marksOf(handle: FileHandle, ranges: readonly Range[]): Promise<Buffer> {
  const hash = createHash('sha256')
  const block = Buffer.allocUnsafe(1024 * 1024)
  for (const { start, end } of ranges) {
    for (let at = start; at < end;) {
      const { bytesRead } = await handle.read(block, 0, Math.min(block.length, end - at), at)
      if (bytesRead === 0) break
      hash.update(block.subarray(0, bytesRead))
      at += bytesRead
    }
  }
  return hash.digest()
}
