/** Copies files between disks: verified, told as it goes, and gone on with where an earlier try (a kill, a Ctrl-C) has stopped. */
import { constants } from 'node:fs'
import { copyFile, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'

import { syncFolder } from '../base/atomic-file.ts'
import { AppError } from '../shared/errors.ts'
import { createProgressMeter } from './progress.ts'
import { ensureFree } from './transfer/disk-space.ts'
import { createFileHasher } from './transfer/file-hasher.ts'

export interface CopyProgress {
  state: 'copying' | 'verifying'
  file: string
  doneBytes: number
  totalBytes: number
  bytesPerSecond: number
  /** Absent while it is not known. */
  etaSeconds?: number
}

export interface CopyOptions {
  signal?: AbortSignal
  onProgress?: (progress: CopyProgress) => void
  now?: () => number
}

/** Progress over all files of one task. */
export interface CopyMeter {
  /** More of `file` is there. */
  copied(file: string, bytes: number): void
  verifying(file: string): void
}

export interface CopySource {
  /** Absolute; the copy has the same name. */
  path: string
  bytes: number
  sha256?: string | undefined
}

export interface CopiedFile {
  path: string
  bytes: number
  sha256: string
}

const BLOCK_BYTES = 4 * 1024 * 1024

export function createCopyMeter(totalBytes: number, { onProgress = () => {}, now }: CopyOptions): CopyMeter {
  let file = ''
  let done = 0
  const meter = createProgressMeter(
    ({ state, doneBytes, bytesPerSecond, etaSeconds }) =>
      onProgress({
        state: state === 'verifying' ? 'verifying' : 'copying',
        file,
        doneBytes,
        totalBytes,
        bytesPerSecond,
        ...(etaSeconds === undefined ? {} : { etaSeconds }),
      }),
    now,
  )
  const copying = (name: string): void => {
    file = name
    meter.state('downloading', { doneBytes: done, totalBytes })
  }
  return {
    copied: (name, bytes) => {
      if (file !== name) copying(name)
      done += bytes
      meter.bytes(done)
    },
    verifying: (name) => {
      file = name
      meter.state('verifying')
      // The next bytes are of a copy again.
      file = ''
    },
  }
}

/**
 * Copies `files` into `folder` one after the other. What is there already counts once its hash is right. The source is only read.
 * Throws `disk-full`, `checksum-mismatch` (of the source, when it is not what its hash says), and the signal's reason; what was copied stays.
 */
export async function copyFiles(
  files: readonly CopySource[],
  folder: string,
  meter: CopyMeter,
  { signal }: Pick<CopyOptions, 'signal'> = {},
): Promise<CopiedFile[]> {
  await mkdir(folder, { recursive: true })
  const present = await Promise.all(files.map((file) => bytesOf(path.join(folder, path.basename(file.path)), file.bytes)))
  const missing = files.reduce((sum, file, index) => sum + file.bytes - (present[index] ?? 0), 0)
  if (missing > 0) await ensureFree(folder, missing)
  const copied: CopiedFile[] = []
  for (const file of files) copied.push(await copyOne(file, path.join(folder, path.basename(file.path)), meter, signal))
  await syncFolder(folder)
  return copied
}

/** Of the whole copy or of its part. */
async function bytesOf(target: string, most: number): Promise<number> {
  const found = (await stat(target).catch(() => undefined)) ?? (await stat(partOf(target)).catch(() => undefined))
  return Math.min(found?.size ?? 0, most)
}

function partOf(target: string): string {
  return `${target}.part`
}

async function copyOne(file: CopySource, target: string, meter: CopyMeter, signal: AbortSignal | undefined): Promise<CopiedFile> {
  const name = path.basename(target)
  const expected = file.sha256 ?? (await hashOf(file.path, file.bytes, signal))
  const before = await bytesOf(target, file.bytes)
  await takeBack(target)
  let sha256 = await copyInto(file, target, before, meter, signal)
  // What an earlier try has left may be of something else.
  if (sha256 !== expected && before > 0) {
    await rm(partOf(target), { force: true })
    meter.copied(name, -file.bytes)
    sha256 = await copyInto(file, target, 0, meter, signal)
  }
  if (sha256 !== expected) {
    await rm(partOf(target), { force: true })
    throw new AppError('checksum-mismatch', { file: file.path, actual: sha256, expected })
  }
  await rename(partOf(target), target)
  return { path: target, bytes: file.bytes, sha256 }
}

/** A whole file of an earlier try is checked as a part is. */
async function takeBack(target: string): Promise<void> {
  await rename(target, partOf(target)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

/** The rest of the part from `start` on; answers the hash of the whole. */
async function copyInto(
  file: CopySource,
  target: string,
  start: number,
  meter: CopyMeter,
  signal: AbortSignal | undefined,
): Promise<string> {
  const part = partOf(target)
  const name = path.basename(target)
  const isShared = start === 0 && (await shareBlocks(file.path, part))
  const hasher = createFileHasher(part, file.bytes)
  try {
    meter.copied(name, isShared ? file.bytes : start)
    if (isShared) hasher.advance(file.bytes)
    else
      await copyFrom(file, part, start, signal, (bytes, until) => {
        hasher.advance(until)
        meter.copied(name, bytes)
      })
    meter.verifying(name)
    return await abortable(hasher.digest(file.bytes), signal)
  } finally {
    await hasher.close()
  }
}

/** Where the file system can, both are the same blocks until one of them changes. */
async function shareBlocks(from: string, to: string): Promise<boolean> {
  return copyFile(from, to, constants.COPYFILE_FICLONE_FORCE).then(
    () => true,
    async () => {
      await rm(to, { force: true })
      return false
    },
  )
}

async function copyFrom(
  { path: from, bytes }: CopySource,
  part: string,
  start: number,
  signal: AbortSignal | undefined,
  onBlock: (bytes: number, until: number) => void,
): Promise<void> {
  const source = await open(from, 'r')
  try {
    const target = await open(part, start > 0 ? 'r+' : 'w', 0o644)
    try {
      const block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
      for (let at = start; at < bytes;) {
        signal?.throwIfAborted()
        const { bytesRead } = await source.read(block, 0, Math.min(block.length, bytes - at), at)
        if (bytesRead === 0) throw new AppError('invalid-model-file', { path: from, reason: `it ends at ${at} of ${bytes} bytes` })
        await writeAll(target, block.subarray(0, bytesRead), at, part)
        at += bytesRead
        onBlock(bytesRead, at)
      }
      await target.truncate(bytes)
      // Before anybody deletes the source.
      await target.sync()
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

async function writeAll(target: FileHandle, data: Uint8Array, position: number, name: string): Promise<void> {
  try {
    for (let at = 0; at < data.length;) at += (await target.write(data, at, data.length - at, position + at)).bytesWritten
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    throw new AppError('disk-full', { path: name, free: '0 B', needed: `${data.length} B` }, { cause: error })
  }
}

/** Throws the signal's reason. */
export async function hashOf(file: string, bytes: number, signal?: AbortSignal): Promise<string> {
  const hasher = createFileHasher(file, bytes)
  try {
    return await abortable(hasher.digest(bytes), signal)
  } finally {
    await hasher.close()
  }
}

async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  work.catch(() => {})
  signal.throwIfAborted()
  let stop = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
