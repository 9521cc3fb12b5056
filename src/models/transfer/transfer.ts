/**
 * Brings the missing bytes of one file from all its sources at once.
 *
 *   sources ──ranges──▶ connections ──batches──▶ part ──frontier──▶ hash
 *                           │  each notes its source in the journal
 *                           └─ slow, dead or lying: what it had goes to another
 *
 * The invariant: a byte is in `arrived`, or in the range of exactly one connection, or unassigned.
 */
import { deferred, delay as realDelay } from '../../base/async.ts'
import type { Http } from '../../base/http.ts'
import { AppError } from '../../shared/errors.ts'
import { arrivedRanges, recordArrival } from '../part-journal.ts'
import type { DiskPace } from './batch-writer.ts'
import { createBulkHttp } from './bulk-http.ts'
import { compareSample, rollCall } from './cross-check.ts'
import type { SampleVerdict } from './cross-check.ts'
import { mixedSpeed, pauseAfter } from './pace.ts'
import { addRange, rangeBytes, subtractRange, wholeUntil } from './ranges.ts'
import type { Range } from './ranges.ts'
import { diskFailure, GIVEN_UP, receivePiece } from './receive-piece.ts'
import type { Connection } from './receive-piece.ts'
import { SourceFailure, triesAfter, TRUSTED_AGREEMENTS } from './source-state.ts'
import type { SourceState, Trouble } from './source-state.ts'
import type { TransferOptions } from './transfer-options.ts'
import { isTooSlow, nextPiece, partToTakeOver, sourceForNext, unassigned } from './work.ts'

const TICK_MS = 50
/** Slower than this is given up when there is another source, bytes per second. */
const LEAST_SPEED = 20_000
/** While another source is there, nobody waits longer than this for a connection that stands still, ms. */
const STILL_MS = 3000
/** Sources are held back until they have agreed with each other, but not longer than this, ms. */
const PROBATION_MS = 2000
/** What is on the disk for sure is noted each time this much has arrived. */
const CHECKPOINT_BYTES = 256_000_000
/** Of the pieces of a trusted source this share is checked against another one. */
const CHECKED_SHARE = 1 / 8
/** One more connection for each so many bytes. */
const BYTES_PER_CONNECTION = 4_000_000

export class Transfer {
  readonly #options: TransferOptions
  readonly #bulk: Http
  readonly #connections = new Set<Connection>()
  readonly #background = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  readonly #now: () => number
  #ranges: Range[]
  #doneBytes: number
  readonly #disk: DiskPace
  #unflushed = 0
  #isFlushing = false
  #uncheckpointed = 0
  #failure: unknown
  #settle: { resolve(): void; reject(error: unknown): void } | undefined
  #isOver = false
  readonly #startedAt: number

  constructor(options: TransferOptions) {
    // Requests of some kilobytes and of many megabytes take the same way: what is known of an address serves both.
    this.#bulk = createBulkHttp(options.http)
    this.#options = { ...options, http: this.#bulk }
    this.#now = options.now ?? performance.now.bind(performance)
    this.#startedAt = this.#now()
    this.#disk = { slowUntil: 0, now: performance.now.bind(performance) }
    this.#ranges = arrivedRanges(options.arrived)
    this.#doneBytes = rangeBytes(this.#ranges)
  }

  /** Resolves when every byte is there. Throws `gated-model`, `disk-full`, SourceFailure (the last one), and the signal's reason. */
  async run(): Promise<void> {
    const { signal, journal, hasher } = this.#options
    signal?.throwIfAborted()
    hasher().advance(wholeUntil(this.#ranges))
    const ticker = setInterval(() => this.#tick(), TICK_MS)
    const onAbort = (): void => this.#end(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await new Promise<void>((resolve, reject) => {
        this.#settle = { resolve, reject }
        this.#inBackground(this.#callRoll())
        this.#pump()
      })
    } finally {
      this.#isOver = true
      clearInterval(ticker)
      signal?.removeEventListener('abort', onAbort)
      this.#stop.abort(new Error('the transfer is over'))
      while (this.#background.size > 0) await Promise.all(this.#background)
      await this.#bulk.close()
      await journal.flush()
    }
  }

  /** Starts connections as long as there is work and a source for it; ends when there is neither. */
  #pump(): void {
    while (!this.#isOver && this.#startOne()) continue
    if (this.#isOver) return
    if (this.#doneBytes === this.#options.totalBytes) this.#end(undefined)
    else if (this.#background.size === 0) this.#end(this.#failure ?? new SourceFailure('refused', 'no source is left'))
  }

  #startOne(): boolean {
    const { sources, totalBytes } = this.#options
    const left = totalBytes - this.#doneBytes
    const most = Math.min(this.#options.tuning.connections, Math.ceil(left / BYTES_PER_CONNECTION))
    if (left === 0 || this.#connections.size >= most) return false
    const source = sourceForNext(sources, (item) => this.#isTrusted(item))
    if (!source) return false
    const range = this.#rangeFor(source, most)
    if (!range) return false
    this.#begin(source, range)
    return true
  }

  #rangeFor(source: SourceState, connections: number): Range | undefined {
    const works = [...this.#connections]
    const gaps = unassigned(this.#ranges, works, this.#options.totalBytes)
    if (gaps.length > 0) {
      if (source.ignoresRanges) return gaps[0]
      return nextPiece(gaps, this.#isTrusted(source) ? source.speed : 1, connections)
    }
    if (source.ignoresRanges) return undefined
    const taken = partToTakeOver(works, source, this.#now())
    if (!taken) return undefined
    taken.victim.end = taken.range.start
    return taken.range
  }

  #begin(source: SourceState, range: Range): void {
    const now = this.#now()
    const connection: Connection = {
      source,
      start: range.start,
      at: range.start,
      end: range.end,
      speed: 0,
      startedAt: now,
      lastByteAt: now,
      abort: new AbortController(),
      sampledAt: now,
      sampledBytes: 0,
      closed: deferred(),
    }
    source.active += 1
    this.#connections.add(connection)
    this.#inBackground(this.#fetch(connection))
  }

  /** What it throws ends the transfer. When it is over there may be more to start. */
  #inBackground(work: Promise<void>): void {
    const tracked: Promise<void> = work
      .catch((error: unknown) => this.#end(error))
      .finally(() => {
        this.#background.delete(tracked)
        this.#pump()
      })
    this.#background.add(tracked)
  }

  async #fetch(connection: Connection): Promise<void> {
    const { source } = connection
    try {
      await receivePiece(
        { ...this.#options, now: this.#now, disk: this.#disk, onWritten: (range) => this.#wrote(range, source) },
        connection,
      )
      this.#succeeded(connection)
    } catch (error) {
      this.#failed(connection, error)
    } finally {
      source.active -= 1
      this.#connections.delete(connection)
      connection.closed.resolve()
    }
    await this.#check(connection)
  }

  #wrote(range: Range, source: SourceState): void {
    if (source.verdict === 'lied' || source.verdict === 'doubted') return
    const { arrived, journal } = this.#options
    recordArrival(arrived, range, source.name)
    this.#ranges = addRange(this.#ranges, range)
    this.#doneBytes = rangeBytes(this.#ranges)
    journal.note(range, source.name)
    this.#options.hasher().advance(wholeUntil(this.#ranges))
    this.#unflushed += range.end - range.start
    if (!this.#isFlushing) this.#inBackground(this.#flush())
    this.#tell(source)
  }

  /** Writes the notes at once; those that come meanwhile are written together. */
  async #flush(): Promise<void> {
    const { journal, handle } = this.#options
    this.#isFlushing = true
    try {
      while (this.#unflushed > 0) {
        this.#uncheckpointed += this.#unflushed
        this.#unflushed = 0
        const lines = await journal.flush()
        if (this.#uncheckpointed < CHECKPOINT_BYTES) continue
        this.#uncheckpointed = 0
        this.#inBackground(handle.datasync().then(() => journal.synced(lines)))
      }
    } finally {
      this.#isFlushing = false
    }
  }

  #tell(source: SourceState, trouble?: Trouble): void {
    const connections = this.#connections.size
    this.#options.onProgress({ doneBytes: this.#doneBytes, source: source.name, connections, ...(trouble ? { trouble } : {}) })
  }

  #succeeded({ source, at, start, startedAt }: Connection): void {
    source.failures = 0
    source.limit = Math.min(this.#options.tuning.connections, source.limit + 1)
    delete source.trouble
    const seconds = (this.#now() - startedAt) / 1000
    if (at > start && seconds > 0) source.speed = mixedSpeed(source.speed, (at - start) / seconds)
  }

  #failed(connection: Connection, error: unknown): void {
    const { source } = connection
    if (this.#isOver || error === GIVEN_UP) return
    if (!(error instanceof SourceFailure)) {
      if (!(error instanceof AppError && error.code === 'gated-model')) throw diskFailure(error)
      this.#failure = error
      source.state = 'dropped'
      return
    }
    if (error.kind === 'changed') throw error
    // A dozen connections that break together are one failure.
    if (connection.startedAt <= source.lastFailureAt || source.state !== 'ready') return
    if (!(this.#failure instanceof AppError)) this.#failure = error
    source.lastFailureAt = this.#now()
    source.failures = connection.at > connection.start ? 1 : source.failures + 1
    if (error.kind === 'busy') source.limit = Math.max(1, Math.floor(source.active / 2))
    const { attempts } = this.#options.tuning
    if (source.failures >= triesAfter(error, attempts)) {
      this.#trouble(source, error)
      source.state = 'dropped'
      return
    }
    this.#wait(source, error)
  }

  #wait(source: SourceState, error: SourceFailure): void {
    const { tuning, random = Math.random, delay = realDelay } = this.#options
    const pauseMs = pauseAfter(source.failures, tuning.pauseMs, error.waitMs, random())
    this.#trouble(source, error, pauseMs)
    source.state = 'waiting'
    const wake = (): void => {
      if (source.state === 'waiting') source.state = 'ready'
    }
    this.#inBackground(delay(pauseMs, this.#stop.signal).then(wake, wake))
  }

  #trouble(source: SourceState, { kind, message }: SourceFailure, pauseMs?: number): void {
    const trouble: Trouble = { kind, source: source.name, message, ...(pauseMs === undefined ? {} : { pauseMs }) }
    source.trouble = trouble
    this.#options.logger.info('a source of a download has trouble', {
      source: source.name,
      reason: message,
      pauseMs: Math.round(pauseMs ?? 0),
    })
    this.#tell(source, trouble)
  }

  /** Measures, gives up what stands still or crawls, and takes over what the slowest still have. */
  #tick(): void {
    const now = this.#now()
    for (const connection of this.#connections) this.#measure(connection, now)
    for (const connection of this.#connections) this.#judgeSpeed(connection, now)
    this.#pump()
  }

  #measure(connection: Connection, now: number): void {
    const elapsed = now - connection.sampledAt
    const bytes = connection.at - connection.start
    connection.speed = mixedSpeed(connection.speed, ((bytes - connection.sampledBytes) * 1000) / Math.max(1, elapsed), elapsed / 1000)
    connection.sampledAt = now
    connection.sampledBytes = bytes
    if (now - connection.startedAt > 500) connection.source.speed = mixedSpeed(connection.source.speed, connection.speed, elapsed / 1000)
  }

  #judgeSpeed(connection: Connection, now: number): void {
    const { stallMs, slowMs } = this.#options.tuning
    const { source } = connection
    const host = new URL(source.url.url).host
    if (now - connection.lastByteAt > stallMs)
      return connection.abort.abort(new SourceFailure('stalled', `${host} sent nothing for ${Math.round(stallMs / 1000)} s`))
    const others = this.#options.sources.filter((item) => item !== source && item.state === 'ready')
    if (others.length > 0 && now - connection.lastByteAt > Math.min(stallMs, STILL_MS))
      return connection.abort.abort(new SourceFailure('stalled', `${host} sent nothing for ${STILL_MS / 1000} s`))
    const speeds = others.map((item) => item.speed)
    if (this.#options.limit || !isTooSlow(connection, speeds, now, slowMs, LEAST_SPEED)) return
    source.limit = Math.max(1, Math.floor(source.limit / 2))
    connection.abort.abort(new SourceFailure('slow', `${host} is slower than the others`))
  }

  #isTrusted(source: SourceState): boolean {
    return source.agreements >= TRUSTED_AGREEMENTS || !this.#canCompare() || this.#now() - this.#startedAt > PROBATION_MS
  }

  /** There is a second source that can be asked for the same bytes. */
  #canCompare(): boolean {
    const { isHashKnown, sources } = this.#options
    return isHashKnown && sources.filter((source) => source.state !== 'dropped' && !source.ignoresRanges).length > 1
  }

  /** A sample of a finished piece, asked for at another source too. Who is alone with its bytes is dropped, and its bytes with it. */
  async #check(connection: Connection): Promise<void> {
    const { source, start, at } = connection
    const { random = Math.random, sources } = this.#options
    const isDone = this.#doneBytes === this.#options.totalBytes
    if (this.#isOver || isDone || at === start || !this.#canCompare() || source.state === 'dropped') return
    if (this.#isTrusted(source) && random() >= CHECKED_SHARE) return
    const verdict = await compareSample(
      { ...this.#options, signal: this.#stop.signal, now: this.#now, random },
      source,
      { start, end: at },
      sources.filter((item) => item !== source && item.state === 'ready' && item.failures === 0 && !item.ignoresRanges),
    )
    await this.#accept(verdict)
  }

  /** Before much has come: do they all have the same file? */
  async #callRoll(): Promise<void> {
    const { sources, random = Math.random } = this.#options
    const doubted = sources.filter((source) => source.verdict === 'doubted' && !source.ignoresRanges)
    const ready = sources.filter((source) => source.state === 'ready' && !source.ignoresRanges)
    const isNews = doubted.length > 0 ? doubted.length + ready.length > 2 : !ready.every((source) => source.verdict === 'agreed')
    const asked = [...ready, ...doubted]
    if (asked.length < 2 || !isNews || (doubted.length === 0 && !this.#canCompare())) return
    if (this.#options.totalBytes - this.#doneBytes < BYTES_PER_CONNECTION) return
    const context = { ...this.#options, signal: this.#stop.signal, now: this.#now, random }
    const verdict = await rollCall(context, asked)
    // One sample of the whole file says as much as several of one piece.
    for (const source of verdict.agreed) source.agreements = Math.max(source.agreements, TRUSTED_AGREEMENTS - 1)
    await this.#accept(verdict)
  }

  async #accept({ agreed, lied, doubted }: SampleVerdict): Promise<void> {
    if (this.#isOver) return
    for (const source of agreed) {
      if (source.verdict === 'doubted') this.#rehabilitate(source)
      source.agreements += 1
      if (source.agreements !== TRUSTED_AGREEMENTS) continue
      source.verdict = 'agreed'
      this.#options.journal.judge(source.name, 'agreed')
    }
    for (const source of lied) await this.#convict(source, 'lied')
    for (const source of doubted) await this.#convict(source, 'doubted')
    await this.#options.journal.flush()
  }

  /** Two disagreed before, and now a third one has said that this one was right. */
  #rehabilitate(source: SourceState): void {
    source.state = 'ready'
    delete source.verdict
    delete source.trouble
    this.#pump()
  }

  async #convict(source: SourceState, verdict: 'lied' | 'doubted'): Promise<void> {
    if (source.state === 'dropped') return
    source.state = 'dropped'
    source.verdict = verdict
    this.#options.journal.judge(source.name, verdict)
    const message = verdict === 'lied' ? `${source.name} sent wrong bytes` : `${source.name} has other bytes than another source`
    this.#trouble(source, new SourceFailure(verdict, message))
    const liars = [...this.#connections].filter((connection) => connection.source === source)
    for (const connection of liars) connection.abort.abort(GIVEN_UP)
    // What they still write must not land on what others bring.
    await Promise.all(liars.map((connection) => connection.closed.promise))
    await this.#takeBack(source.name)
  }

  /** Everything that this source has sent is missing again. */
  async #takeBack(name: string): Promise<void> {
    const { arrived, resetHasher, hasher } = this.#options
    const taken = arrived.get(name) ?? []
    arrived.delete(name)
    for (const range of taken) this.#ranges = subtractRange(this.#ranges, range)
    this.#doneBytes = rangeBytes(this.#ranges)
    if (taken.length > 0) await resetHasher()
    hasher().advance(wholeUntil(this.#ranges))
  }

  #end(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const connection of this.#connections) connection.abort.abort(error ?? GIVEN_UP)
    this.#stop.abort(new Error('the transfer is over'))
    if (error === undefined) this.#settle?.resolve()
    else this.#settle?.reject(error)
  }
}
