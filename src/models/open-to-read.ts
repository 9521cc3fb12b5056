/** Opens what a person or another program names, for reading. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'

import { AppError } from '../shared/errors.ts'

/**
 * A pipe would make `open` itself wait for a writer, in a thread that nothing can call back: it is opened without waiting, and refused.
 * So are devices and sockets, which have no length. Throws `unknown-format`, and what `open` throws (ENOENT …).
 */
export async function openToRead(file: string): Promise<FileHandle> {
  // Windows has neither such pipes nor the flag, and Node's types do not say so.
  const withoutWaiting: number | undefined = constants.O_NONBLOCK
  const handle = await open(file, constants.O_RDONLY | (withoutWaiting ?? 0))
  try {
    const status = await handle.stat()
    if (!status.isFile() && !status.isDirectory())
      throw new AppError('unknown-format', { path: file, reason: 'it is a pipe or a device, not a file' })
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}
