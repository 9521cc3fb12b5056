/**
 * How fast the disk of the data folder reads one file from its beginning on: what bounds the time to load a model.
 *
 * Measured on Linux with O_DIRECT, past the page cache, four requests of 1 MiB in flight, for half a second at most. The file is the
 * largest in the folder of models when there is one of 64 MB or more (real placement on the disk); else one that is written for it and
 * removed. Error: a new file may still lie in the disk's own cache and then reads faster than old ones; disks of virtual machines are
 * often cached by their host. Elsewhere, and on file systems without O_DIRECT (tmpfs, many FUSE ones), nothing is told rather than the
 * speed of the page cache.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import path from 'node:path'

import { within } from './system.ts'

export interface DiskSpeedOptions {
  /** Looked through for a large file; it need not exist. */
  models: string
  /** Where a file may be written when there is none. */
  scratch: string
  freeBytes: number
}

const MIB = 1024 * 1024
const REQUEST_BYTES = MIB
const IN_FLIGHT = 4
const READ_MS = 500
const WRITE_MS = 400
const LEAST_FILE_BYTES = 64_000_000
const SCRATCH_BYTES = 64 * MIB
/** Brought to the disk at once, so that a slow one is noticed in time. */
const WRITE_BYTES = 8 * MIB
/** For finding a large file. */
const SEARCH_MS = 300
/** Written only when this much is free. */
const LEAST_FREE_BYTES = 2_000_000_000
/** O_DIRECT wants memory and offsets in multiples of the disk's block. */
const ALIGNMENT = 4096

/** Bytes a second; undefined when it cannot be measured honestly. Takes about 1 s at most. */
export async function measureDiskRead(options: DiskSpeedOptions): Promise<number | undefined> {
  if (constants.O_DIRECT === undefined) return undefined
  const existing = await within(
    largestFile(options.models).catch(() => undefined),
    SEARCH_MS,
    undefined,
  )
  if (existing !== undefined) return readSpeed(existing).catch(() => undefined)
  if (options.freeBytes < LEAST_FREE_BYTES) return undefined
  const file = path.join(options.scratch, `disk-speed-${process.pid}-${randomBytes(4).toString('hex')}.tmp`)
  try {
    await mkdir(options.scratch, { recursive: true })
    await writeScratch(file)
    return await readSpeed(file)
  } catch {
    return undefined
  } finally {
    await rm(file, { force: true }).catch(() => {})
  }
}

async function largestFile(folder: string): Promise<string | undefined> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  let best: { file: string; bytes: number } | undefined
  for (const entry of entries.filter((item) => item.isFile()).slice(0, 1000)) {
    const file = path.join(entry.parentPath, entry.name)
    const bytes = (await stat(file)).size
    if (bytes >= LEAST_FILE_BYTES && bytes > (best?.bytes ?? 0)) best = { file, bytes }
  }
  return best?.file
}

/** Random bytes, for some file systems would shrink anything else. */
async function writeScratch(file: string): Promise<void> {
  const piece = randomBytes(WRITE_BYTES)
  const until = performance.now() + WRITE_MS
  const handle = await open(file, 'wx', 0o600)
  try {
    for (let at = 0; at < SCRATCH_BYTES && performance.now() < until; at += piece.length) {
      await handle.write(piece, 0, piece.length, at)
      await handle.datasync()
    }
  } finally {
    await handle.close()
  }
}

async function readSpeed(file: string): Promise<number | undefined> {
  const handle = await open(file, constants.O_RDONLY | constants.O_DIRECT)
  try {
    const buffers = await alignedBuffers(handle)
    if (!buffers) return undefined
    const { size } = await handle.stat()
    return await readAll(handle, buffers, size - (size % REQUEST_BYTES))
  } finally {
    await handle.close()
  }
}

async function readAll(handle: FileHandle, buffers: readonly Uint8Array[], size: number): Promise<number | undefined> {
  const started = performance.now()
  let [next, done] = [0, 0]
  const reader = async (buffer: Uint8Array): Promise<void> => {
    while (next < size && performance.now() - started < READ_MS) {
      const at = next
      next += REQUEST_BYTES
      done += (await handle.read(buffer, 0, REQUEST_BYTES, at)).bytesRead
    }
  }
  await Promise.all(buffers.map(reader))
  const seconds = (performance.now() - started) / 1000
  return done >= 4 * MIB && seconds > 0 ? Math.round(done / seconds) : undefined
}

/** JavaScript cannot ask where a buffer lies; the kernel refuses with EINVAL until the start within it is right. */
async function alignedBuffers(handle: FileHandle): Promise<Uint8Array[] | undefined> {
  const buffers: Uint8Array[] = []
  for (let index = 0; index < IN_FLIGHT; index++) {
    const whole = Buffer.allocUnsafeSlow(REQUEST_BYTES + ALIGNMENT)
    const start = await findStart(handle, whole)
    if (start === undefined) return undefined
    buffers.push(whole.subarray(start, start + REQUEST_BYTES))
  }
  return buffers
}

async function findStart(handle: FileHandle, whole: Buffer): Promise<number | undefined> {
  for (let start = 0; start < ALIGNMENT; start += 16) {
    // The smallest request that any disk takes.
    const fits = await handle.read(whole, start, ALIGNMENT, 0).then(
      () => true,
      () => false,
    )
    if (fits) return start
  }
  return undefined
}
