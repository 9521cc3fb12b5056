/** Files that are either old or new, never half. */
import { randomBytes } from 'node:crypto'
import { open, mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'

/** Writes beside the target, syncs, renames. `mode` is of a new file (default 0644). */
export async function writeFileAtomic(file: string, data: string | Uint8Array, options: { mode?: number } = {}): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true })
  const temporary = `${file}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`
  try {
    const handle = await open(temporary, 'wx', options.mode ?? 0o644)
    try {
      await handle.writeFile(data)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(path.dirname(file))
}

/** Makes renames in a folder survive a power failure. Does nothing where the system cannot (Windows, some network disks). */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch {
    // Folders cannot be synced here: the rename itself is still atomic.
  }
}
