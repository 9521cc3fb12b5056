/**
 * One file over HTTP, from all the places that have it: resumed, retried, verified while it arrives, and put in place
 * at once when it is whole. `transfer/transfer.ts` brings the bytes; here is what is done before and after.
 */
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'

import { delay as realDelay } from '../base/async.ts'
import { syncFolder } from '../base/atomic-file.ts'
import { AppError } from '../shared/errors.ts'
import type { DownloadOptions, Downloaded } from './download-options.ts'
import { downloadUnsized } from './download-unsized.ts'
import { arrivedRanges, discardPart, journalFile, openJournal, partFile, readJournal } from './part-journal.ts'
import type { PartIdentity, PartJournal } from './part-journal.ts'
import { ensureFree } from './transfer/disk-space.ts'
import { createFileHasher } from './transfer/file-hasher.ts'
import { findLiar } from './transfer/find-liar.ts'
import { askFacts } from './transfer/open-range.ts'
import { rangeBytes } from './transfer/ranges.ts'
import { newSource, SourceFailure, triesAfter } from './transfer/source-state.ts'
import type { SourceState } from './transfer/source-state.ts'
import { Transfer } from './transfer/transfer.ts'
import type { TransferTuning } from './transfer/transfer-options.ts'

const TUNING: TransferTuning = { stallMs: 30_000, attempts: 8, pauseMs: 500, connections: 16, slowMs: 5000 }

/**
 * Throws `download-failed`, `checksum-mismatch`, `gated-model`, `disk-full`, and the signal's reason.
 * What has arrived is kept, except when it is wrong.
 */
export async function downloadFile(options: DownloadOptions): Promise<Downloaded> {
  await mkdir(path.dirname(options.target), { recursive: true })
  const present = await alreadyWhole(options)
  if (present) return present
  const { attempts = TUNING.attempts } = options
  for (let mismatches = 0, changes = 0; ;) {
    try {
      return await downloadOnce(options)
    } catch (error) {
      options.signal?.throwIfAborted()
      await discardIfEmpty(options.target)
      if (error instanceof AppError && error.code === 'checksum-mismatch') {
        mismatches += 1
        // Once may be a bad proxy or disk. Of several sources each has been tried without the others already.
        if (mismatches > 1 || options.urls.length > 1) throw error
        options.logger.warn('a download was not what was published', { file: path.basename(options.target) })
      } else if (error instanceof SourceFailure && error.kind === 'changed' && changes + 1 < attempts) {
        changes += 1
        await discardPart(options.target)
      } else {
        throw error instanceof SourceFailure ? failed(options, error.message, error) : error
      }
    }
  }
}

/** A file that an earlier run finished, of a set that it did not. */
async function alreadyWhole({ target, sha256, bytes }: DownloadOptions): Promise<Downloaded | undefined> {
  const size = await sizeOf(target)
  if (sha256 === undefined || size === 0 || (bytes !== undefined && size !== bytes)) return undefined
  return (await hashOf(target, size)) === sha256 ? { path: target, bytes: size, sha256, source: 'disk' } : undefined
}

async function hashOf(file: string, bytes: number): Promise<string> {
  const hasher = createFileHasher(file, bytes)
  try {
    return await hasher.digest(bytes)
  } finally {
    await hasher.close()
  }
}

/** One run over all sources, from what is there. */
async function downloadOnce(options: DownloadOptions): Promise<Downloaded> {
  if (options.urls.length === 0) throw failed(options, 'there is no address')
  const sources = sourcesOf(options)
  const identity = await identify(options, sources)
  if (identity === undefined) return downloadUnsized(options)
  const known = await usableJournal(options, identity)
  const journal: PartJournal = known ?? { identity, arrived: new Map(), verdicts: new Map() }
  applyVerdicts(sources, journal)
  await ensureFree(path.dirname(options.target), identity.totalBytes - rangeBytes(arrivedRanges(journal.arrived)))
  const handle = await openPart(options.target, identity.totalBytes, known !== undefined)
  try {
    const part = await bringAll(options, sources, journal, handle)
    await handle.sync()
    return await finish(options, { ...part, bytes: identity.totalBytes })
  } finally {
    await handle.close()
  }
}

function sourcesOf({ urls, connections = TUNING.connections }: DownloadOptions): SourceState[] {
  const names = new Set<string>()
  return urls.map((url) => {
    const plain = url.name.replace(/[\s;]+/g, '_')
    let name = plain
    for (let number = 2; names.has(name); number += 1) name = `${plain}#${number}`
    names.add(name)
    return { ...newSource(url, connections), name }
  })
}

/** What the file is. Undefined when nobody says how long it is. */
async function identify(options: DownloadOptions, sources: readonly SourceState[]): Promise<PartIdentity | undefined> {
  const { bytes, sha256, http, signal = new AbortController().signal } = options
  if (bytes !== undefined && bytes > 0 && sha256 !== undefined) return { totalBytes: bytes, sha256 }
  const facts = await askWithPatience(options, () => firstAnswer(sources, (source) => askFacts(http, source, signal)))
  const totalBytes = bytes ?? facts.totalBytes
  if (totalBytes === undefined || totalBytes === 0 || (sha256 === undefined && facts.etag === undefined)) return undefined
  if (sha256 !== undefined) return { totalBytes, sha256 }
  // Only one source can vouch for an ETag.
  for (const source of sources) if (source !== facts.source) source.state = 'dropped'
  return { totalBytes, url: facts.source.url.url, ...(facts.etag === undefined ? {} : { etag: facts.etag }) }
}

async function firstAnswer<T extends object>(
  sources: readonly SourceState[],
  ask: (source: SourceState) => Promise<T>,
): Promise<T & { source: SourceState }> {
  let failure: unknown
  for (const source of sources) {
    try {
      return { ...(await ask(source)), source }
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

async function askWithPatience<T>(options: DownloadOptions, ask: () => Promise<T>): Promise<T> {
  const { attempts = TUNING.attempts, pauseMs = TUNING.pauseMs, random = Math.random, delay = realDelay } = options
  for (let failures = 1; ; failures += 1) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof SourceFailure) || failures >= triesAfter(error, attempts)) throw error
      await delay(error.waitMs ?? pauseMs * 2 ** (failures - 1) * (0.75 + random() / 2), options.signal)
    }
  }
}

/** The journal of a part that belongs to this very file; otherwise the part is deleted. */
async function usableJournal(options: DownloadOptions, identity: PartIdentity): Promise<PartJournal | undefined> {
  const journal = await readJournal(options.target)
  const size = await sizeOf(partFile(options.target))
  if (journal && isSameFile(journal.identity, identity) && size === identity.totalBytes) return { ...journal, identity }
  await discardPart(options.target)
  return undefined
}

function isSameFile(known: PartIdentity, wanted: PartIdentity): boolean {
  if (known.totalBytes !== wanted.totalBytes) return false
  if (wanted.sha256 !== undefined) return known.sha256 === wanted.sha256
  return known.sha256 === undefined && known.etag !== undefined && known.etag === wanted.etag && known.url === wanted.url
}

/** Who lied before is not asked again, unless nobody else is left. */
function applyVerdicts(sources: readonly SourceState[], { verdicts }: PartJournal): void {
  const isBad = (source: SourceState): boolean => ['lied', 'doubted'].includes(verdicts.get(source.name) ?? '')
  const honest = sources.filter((source) => !isBad(source))
  for (const source of sources) {
    const verdict = verdicts.get(source.name)
    if (verdict === 'agreed') Object.assign(source, { ...newSource(source.url, source.limit, verdict), name: source.name })
    if (!isBad(source) || honest.length === 0 || verdict === undefined) continue
    source.state = 'dropped'
    source.verdict = verdict
  }
}

/** At its full length, with holes: a disk that is too small says so now. */
async function openPart(target: string, totalBytes: number, exists: boolean): Promise<FileHandle> {
  const handle = await open(partFile(target), exists ? 'r+' : 'w+')
  try {
    if (!exists) await handle.truncate(totalBytes)
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Every byte, right. Throws `checksum-mismatch` when no choice of sources has the published hash; the part is gone then. */
async function bringAll(
  options: DownloadOptions,
  sources: SourceState[],
  journal: PartJournal,
  handle: FileHandle,
): Promise<{ sha256: string; source: string }> {
  const { target, sha256: expected } = options
  const { totalBytes, etag } = journal.identity
  const log = await openJournal(target, journal)
  let hasher = createFileHasher(partFile(target), totalBytes)
  const bring = async (): Promise<string> => {
    const { stallMs, attempts, pauseMs, connections, slowMs } = { ...TUNING, ...definedOf(options) }
    const transfer = new Transfer({
      http: options.http,
      totalBytes,
      ...(etag === undefined ? {} : { etag }),
      isHashKnown: expected !== undefined,
      sources,
      arrived: journal.arrived,
      journal: log,
      handle,
      hasher: () => hasher,
      resetHasher: async () => {
        await hasher.close()
        hasher = createFileHasher(partFile(target), totalBytes)
      },
      logger: options.logger,
      tuning: { stallMs, attempts, pauseMs, connections, slowMs },
      onProgress: (progress) => options.onProgress?.({ ...progress, totalBytes }),
      ...(options.limit ? { limit: options.limit } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
      ...(options.delay ? { delay: options.delay } : {}),
      ...(options.random ? { random: options.random } : {}),
    })
    await transfer.run()
    return hasher.digest(totalBytes)
  }
  const restart = async (): Promise<void> => {
    await hasher.close()
    hasher = createFileHasher(partFile(target), totalBytes)
  }
  try {
    let sha256 = await bring()
    if (expected !== undefined && sha256 !== expected) {
      sha256 = await findLiar({ ...options, expected, actual: sha256, sources, journal, log, handle, bring, restart })
    }
    if (expected !== undefined && sha256 !== expected) {
      await discardPart(target)
      throw new AppError('checksum-mismatch', { file: path.basename(target), actual: sha256, expected })
    }
    return { sha256, source: mainSource(journal, sources) }
  } finally {
    await hasher.close()
    await log.close()
  }
}

function definedOf(options: DownloadOptions): Partial<TransferTuning> {
  const { stallMs, attempts, pauseMs, connections, slowMs } = options
  return Object.fromEntries(
    Object.entries({ stallMs, attempts, pauseMs, connections, slowMs }).filter(([, value]) => value !== undefined),
  ) as Partial<TransferTuning>
}

function mainSource({ arrived }: PartJournal, sources: readonly SourceState[]): string {
  const [most] = [...arrived].toSorted(([, a], [, b]) => rangeBytes(b) - rangeBytes(a))
  return sources.find((source) => source.name === most?.[0])?.url.name ?? most?.[0] ?? sources[0]?.name ?? 'disk'
}

async function finish({ target }: DownloadOptions, part: { sha256: string; source: string; bytes: number }): Promise<Downloaded> {
  await rename(partFile(target), target)
  await rm(journalFile(target), { force: true })
  await syncFolder(path.dirname(target))
  return { path: target, ...part }
}

/** Nothing has come: nothing is left. */
async function discardIfEmpty(target: string): Promise<void> {
  const journal = await readJournal(target)
  if (journal === undefined || arrivedRanges(journal.arrived).length === 0) await discardPart(target)
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    (status) => status.size,
    () => 0,
  )
}

function failed({ target }: DownloadOptions, reason: string, cause?: Error): AppError {
  return new AppError('download-failed', { file: path.basename(target), reason }, cause ? { cause } : {})
}
