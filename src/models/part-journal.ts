/**
 * What of a download has arrived. Written beside the part, so that after kill -9, or days, the next run knows what to go on with.
 *
 *   target.part          the file at its full length, with holes
 *   target.part.journal  first line: what it is a part of; then a line for each thing that happened
 *     +0-1000 hub;       these bytes were written, and this source sent them
 *     ~hub;  !a;  ?b;    this source agreed with another one; this one lied; this one is doubted
 *     =12;               the first 12 lines are on the disk for sure
 *
 * What a killed process has written is still in the system's memory, so every line counts; after a restart of the machine
 * (another boot) only the lines that `=` names do.
 */
import { createReadStream } from 'node:fs'
import { open, readFile, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import os from 'node:os'
import { createInterface } from 'node:readline'

import { z } from 'zod'

import { writeFileAtomic } from '../base/atomic-file.ts'
import { addRange, rangeBytes, subtractRange } from './transfer/ranges.ts'
import type { Range } from './transfer/ranges.ts'

const PartIdentitySchema = z.object({
  /** Where it came from; matters only when nobody published a hash. */
  url: z.string().optional(),
  /** As published. */
  sha256: z.string().optional(),
  /** Strong ETags only. */
  etag: z.string().optional(),
  totalBytes: z.number().int().positive(),
  /** Of the machine. */
  boot: z.string().optional(),
})
/** What a part is a part of. */
export type PartIdentity = z.infer<typeof PartIdentitySchema>

/** Bytes that have arrived, by the name of the source that sent them. */
export type Arrived = Map<string, Range[]>

/** `doubted`: two sources disagree, and nobody else could say who is right. */
export type Verdict = 'agreed' | 'lied' | 'doubted'

export interface PartJournal {
  identity: PartIdentity
  arrived: Arrived
  /** By source. */
  verdicts: Map<string, Verdict>
}

export interface OpenJournal {
  /** Remembers written bytes; they reach the disk with the next `flush`. */
  note(range: Range, source: string): void
  judge(source: string, verdict: Verdict): void
  /** Writes what was noted. Answers how many lines there are now. */
  flush(): Promise<number>
  /** The part was synced after the flush that answered `lines`. */
  synced(lines: number): Promise<void>
  close(): Promise<void>
}

export function partFile(target: string): string {
  return `${target}.part`
}

export function journalFile(target: string): string {
  return `${target}.part.journal`
}

export async function discardPart(target: string): Promise<void> {
  await rm(partFile(target), { force: true })
  await rm(journalFile(target), { force: true })
}

/** Undefined when there is none that can be read. A line that was cut by a kill is left out. */
export async function readJournal(target: string, boot?: string): Promise<PartJournal | undefined> {
  const [first = '', ...lines] = await readLines(journalFile(target))
  const identity = parseIdentity(first)
  if (!identity) return undefined
  const isOtherBoot = identity.boot !== (boot ?? (await bootId()))
  const entries = lines.filter((line) => line.endsWith(';'))
  const counted = isOtherBoot ? entries.filter((line) => !line.startsWith('=')).slice(0, syncedLines(entries)) : entries
  const journal: PartJournal = { identity, arrived: new Map(), verdicts: new Map() }
  for (const line of counted) applyLine(journal, line)
  return journal
}

/** Notes `range` for `source` alone: what came last is what lies there. */
export function recordArrival(arrived: Arrived, range: Range, source: string): void {
  for (const [name, ranges] of arrived) if (name !== source) arrived.set(name, subtractRange(ranges, range))
  arrived.set(source, addRange(arrived.get(source) ?? [], range))
}

export function arrivedRanges(arrived: Arrived): Range[] {
  return [...arrived.values()].flat().reduce<Range[]>(addRange, [])
}

/** How many bytes of `target` lie in its part. */
export async function arrivedBytes(target: string): Promise<number> {
  const journal = await readJournal(target)
  return journal === undefined ? 0 : rangeBytes(arrivedRanges(journal.arrived))
}

/** Starts a journal that holds what `journal` does, compacted; whatever was there is replaced. */
export async function openJournal(target: string, journal: PartJournal): Promise<OpenJournal> {
  const head = JSON.stringify({ ...journal.identity, boot: journal.identity.boot ?? (await bootId()) })
  const lines = linesOf(journal)
  await writeFileAtomic(journalFile(target), `${[head, ...lines].join('\n')}\n`, { mode: 0o600 })
  return new AppendingJournal(target, await open(journalFile(target), 'a'), lines.length)
}

/** The fewest lines that say the same. */
function linesOf({ arrived, verdicts }: PartJournal): string[] {
  return [
    ...[...verdicts].map(([source, verdict]) => verdictLine(source, verdict)),
    ...[...arrived].flatMap(([source, ranges]) => ranges.map((range) => rangeLine(range, source))),
  ]
}

/** Lines above which a journal is written anew with fewer: a slow line brings a large file in millions of pieces. */
const MANY_LINES = 4096

class AppendingJournal implements OpenJournal {
  readonly #target: string
  #handle: FileHandle
  /** Since the start; those that were taken together afterwards count as they were. */
  #lineCount: number
  #takenOut = 0
  #noted = new Map<string, Range[]>()
  #verdicts: string[] = []
  /** One write after another. */
  #writing: Promise<void> = Promise.resolve()

  constructor(target: string, handle: FileHandle, lineCount: number) {
    this.#target = target
    this.#handle = handle
    this.#lineCount = lineCount
  }

  note(range: Range, source: string): void {
    this.#noted.set(source, addRange(this.#noted.get(source) ?? [], range))
  }

  judge(source: string, verdict: Verdict): void {
    this.#verdicts.push(verdictLine(source, verdict))
  }

  async flush(): Promise<number> {
    const lines = [...[...this.#noted].flatMap(([source, ranges]) => ranges.map((range) => rangeLine(range, source))), ...this.#verdicts]
    this.#noted = new Map()
    this.#verdicts = []
    this.#lineCount += lines.length
    const count = this.#lineCount
    await this.#next(() => this.#append(lines))
    return count
  }

  synced(lines: number): Promise<void> {
    return this.#next(async () => {
      await this.#append([`=${lines - this.#takenOut};`])
      if (lines - this.#takenOut > MANY_LINES) await this.#compact()
    })
  }

  async close(): Promise<void> {
    await this.flush()
    await this.#handle.close()
  }

  #next(work: () => Promise<void>): Promise<void> {
    return (this.#writing = this.#writing.then(work))
  }

  async #append(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.#handle.appendFile(`${lines.join('\n')}\n`)
  }

  /** Takes together what is on the disk for sure, and keeps what came later as it is. */
  async #compact(): Promise<void> {
    const file = journalFile(this.#target)
    const [head = '', ...lines] = await readLines(file)
    const identity = parseIdentity(head)
    if (!identity) return
    const entries = lines.filter((line) => line.endsWith(';'))
    const sure = syncedLines(entries)
    const counted = entries.filter((line) => !line.startsWith('='))
    const journal: PartJournal = { identity, arrived: new Map(), verdicts: new Map() }
    for (const line of counted.slice(0, sure)) applyLine(journal, line)
    const merged = linesOf(journal)
    await writeFileAtomic(file, `${[head, ...merged, `=${merged.length};`, ...counted.slice(sure)].join('\n')}\n`, { mode: 0o600 })
    this.#takenOut += sure - merged.length
    const old = this.#handle
    this.#handle = await open(file, 'a')
    await old.close()
  }
}

async function readLines(file: string): Promise<string[]> {
  const lines: string[] = []
  const input = createReadStream(file, 'utf8')
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) lines.push(line)
  } catch {
    return []
  }
  return lines
}

function parseIdentity(line: string): PartIdentity | undefined {
  try {
    const parsed = PartIdentitySchema.safeParse(JSON.parse(line))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

function rangeLine({ start, end }: Range, source: string): string {
  return `+${start}-${end} ${nameInLine(source)};`
}

const VERDICT_SIGNS: Record<Verdict, string> = { agreed: '~', lied: '!', doubted: '?' }
const VERDICTS: Record<string, Verdict> = { '~': 'agreed', '!': 'lied', '?': 'doubted' }

function verdictLine(source: string, verdict: Verdict): string {
  return `${VERDICT_SIGNS[verdict]}${nameInLine(source)};`
}

function nameInLine(source: string): string {
  return source.replace(/[\s;]+/g, '_')
}

/** Every whole line ends with `;`: one that a kill has cut does not. */
function applyLine({ identity, arrived, verdicts }: PartJournal, line: string): void {
  const judged = /^([~!?])(\S+);$/.exec(line)
  if (judged) {
    const [, sign = '', name = ''] = judged
    verdicts.set(name, VERDICTS[sign] ?? 'doubted')
    if (sign !== '~') arrived.delete(name)
    return
  }
  const match = /^\+(\d{1,15})-(\d{1,15}) (\S*);$/.exec(line)
  if (!match) return
  const range = { start: Number(match[1]), end: Math.min(Number(match[2]), identity.totalBytes) }
  const verdict = verdicts.get(match[3] ?? '')
  if (range.start < range.end && (verdict === undefined || verdict === 'agreed')) recordArrival(arrived, range, match[3] ?? '')
}

function syncedLines(lines: readonly string[]): number {
  return lines.reduce((most, line) => Number(/^=(\d{1,15});$/.exec(line)?.[1] ?? most), 0)
}

let knownBoot: Promise<string> | undefined

/** Names this run of the machine. Linux tells it; elsewhere the time of the start, to ten minutes, since clocks drift. */
function bootId(): Promise<string> {
  knownBoot ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.trim(),
    () => `up-${Math.round((Date.now() / 1000 - os.uptime()) / 600)}`,
  )
  return knownBoot
}
