/** Who fetches what: the next piece of a file, and what is taken from a connection that is slower than the others. Pure. */
import { missingRanges, rangeBytes } from './ranges.ts'
import type { Range } from './ranges.ts'
import type { SourceState } from './source-state.ts'

/** A piece that a connection is fetching. */
export interface Work {
  source: SourceState
  start: number
  /** The next byte to come. */
  at: number
  /** Exclusive. Falls when another connection takes the rest over. */
  end: number
  /** Bytes per second; 0 until it is measured. */
  speed: number
  /** ms. */
  startedAt: number
  lastByteAt: number
}

export interface PieceSizes {
  least: number
  most: number
  /** A piece takes about so long, s: long enough that asking costs little, short enough that the hash can follow. */
  seconds: number
}

export const PIECE_SIZES: PieceSizes = { least: 1_048_576, most: 16 * 1_048_576, seconds: 1 }

/** What nobody has and nobody fetches. */
export function unassigned(arrived: readonly Range[], works: readonly Work[], totalBytes: number): Range[] {
  // From its start, not from `at`: what has come and is not written yet is nobody else's either.
  return works.reduce<Range[]>(
    (gaps, range) => gaps.flatMap((gap) => missingRanges([range], gap)),
    missingRanges(arrived, { start: 0, end: totalBytes }),
  )
}

/** The first part of what is missing, so that the file is whole from its beginning as early as possible. */
export function nextPiece(gaps: readonly Range[], speed: number, connections: number, sizes: PieceSizes = PIECE_SIZES): Range | undefined {
  const [first] = gaps
  if (!first) return undefined
  // Half a share: the last pieces are small, so that all end at about the same time.
  const share = rangeBytes(gaps) / Math.max(1, 2 * connections)
  const wished = Math.min(sizes.most, Math.max(sizes.least, speed > 0 ? speed * sizes.seconds : sizes.most / 4))
  const bytes = Math.ceil(Math.min(wished, Math.max(sizes.least, share)))
  // What would be left is no piece of its own.
  const end = first.start + bytes + sizes.least / 2 >= first.end ? first.end : first.start + bytes
  return { start: first.start, end }
}

/** A connection that will need this much longer than a new one gives half of what is left. */
const STEAL_FROM_SECONDS = 1
const STEAL_LEAST_BYTES = 512 * 1024

/**
 * The back part of what the slowest connection still has to fetch, in proportion to the speeds.
 * Undefined when it is done soon anyway.
 */
export function partToTakeOver(works: readonly Work[], thief: { speed: number }, now: number): { victim: Work; range: Range } | undefined {
  const left = (work: Work): number => work.end - work.at
  const speedOf = (work: Work): number => work.speed / (1 + Math.max(0, now - work.lastByteAt) / 1000)
  const secondsLeft = (work: Work): number => left(work) / Math.max(1, speedOf(work))
  const victim = works.filter((work) => left(work) >= 2 * STEAL_LEAST_BYTES).toSorted((a, b) => secondsLeft(b) - secondsLeft(a))[0]
  if (!victim || now - victim.startedAt < 200 || secondsLeft(victim) < STEAL_FROM_SECONDS) return undefined
  const own = speedOf(victim)
  const other = thief.speed > 0 ? thief.speed : own
  const kept = Math.floor((left(victim) * own) / Math.max(1, own + other))
  const start = Math.min(victim.at + Math.max(STEAL_LEAST_BYTES, kept), victim.end - STEAL_LEAST_BYTES)
  return { victim, range: { start, end: victim.end } }
}

/**
 * The source for one more connection: the one whose next connection promises most. An unknown one is tried with one
 * connection; one that nobody has vouched for yet gets one connection too, while there is another to check it by.
 */
export function sourceForNext(sources: readonly SourceState[], isTrusted: (source: SourceState) => boolean): SourceState | undefined {
  const free = sources.filter((source) => source.state === 'ready' && source.active < limitOf(source, isTrusted))
  return free.toSorted((a, b) => promise(b) - promise(a))[0]
}

function limitOf(source: SourceState, isTrusted: (source: SourceState) => boolean): number {
  if (source.ignoresRanges) return 1
  return isTrusted(source) ? source.limit : Math.min(1, source.limit)
}

function promise(source: SourceState): number {
  if (source.ignoresRanges) return -1
  if (source.speed === 0 && source.failures > 0) return 0
  if (source.speed === 0) return source.active === 0 ? Number.POSITIVE_INFINITY : 1 / source.active
  return source.speed / (1 + source.active / 64)
}

/** Slower than this share of the best connection of another source for a while, and it is given up. */
export const SLOW_SHARE = 1 / 4

/** Is this connection so slow that another source should fetch the rest? `speeds` are of single connections elsewhere. */
export function isTooSlow(work: Work, speeds: readonly number[], now: number, patienceMs: number, leastSpeed: number): boolean {
  if (now - work.startedAt < patienceMs || speeds.length === 0) return false
  return work.speed < Math.max(...speeds) * SLOW_SHARE || work.speed < leastSpeed
}
