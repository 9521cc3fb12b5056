/** Room on the disk: asked for before the first byte comes, so that no download ends for the want of it. */
import { stat, statfs } from 'node:fs/promises'
import path from 'node:path'

import { formatBytes } from '../../base/bytes.ts'
import { AppError } from '../../shared/errors.ts'

/** Kept free. */
const DISK_MARGIN_BYTES = 100_000_000

/** Throws `disk-full` when `folder` (or the nearest above it that exists) has no room for `needed` more bytes. */
export async function ensureFree(folder: string, needed: number): Promise<void> {
  const free = await freeBytesAt(folder)
  if (free >= needed + DISK_MARGIN_BYTES) return
  throw new AppError('disk-full', { path: folder, free: formatBytes(free), needed: formatBytes(needed + DISK_MARGIN_BYTES) })
}

export async function freeBytesAt(folder: string): Promise<number> {
  const there = await existingFolder(path.resolve(folder))
  const { bavail, bsize } = await statfs(there)
  return bavail * bsize
}

async function existingFolder(folder: string): Promise<string> {
  const exists = await stat(folder).then(
    () => true,
    () => false,
  )
  return exists || path.dirname(folder) === folder ? folder : existingFolder(path.dirname(folder))
}
