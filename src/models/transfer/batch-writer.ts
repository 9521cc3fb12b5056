/** Gathers the small pieces of a response and writes them together, while the next ones come. */
import type { FileHandle } from 'node:fs/promises'

import type { Range } from './ranges.ts'

export interface BatchWriter {
  /** Waits only when the disk is slower than the network. Throws what the disk throws. */
  write(chunk: Uint8Array): Promise<void>
  /** Writes what has waited long enough; errors are told by the next `write` or `end`. */
  tick(): void
  /** Writes the rest. */
  end(): Promise<void>
}

const BATCH_BYTES = 1024 * 1024
/** Bytes wait so many ms; those of a slow connection, that has brought only a little by then, less: a kill loses what waits. */
const BATCH_MS = 50
const SLOW_BATCH_MS = 8
const LITTLE_BYTES = 96 * 1024

/** `onWritten` hears of each range as soon as it lies in the file. */
export function createBatchWriter(handle: FileHandle, start: number, onWritten: (range: Range) => void): BatchWriter {
  let chunks: Uint8Array[] = []
  let bytes = 0
  let at = start
  let openedAt = 0
  let writing: Promise<void> = Promise.resolve()
  const flush = async (): Promise<void> => {
    await writing
    if (bytes === 0) return
    const batch = chunks
    const range = { start: at, end: at + bytes }
    chunks = []
    at = range.end
    bytes = 0
    writing = writeAll(handle, batch, range).then(() => onWritten(range))
    // Whoever waits next hears of it.
    writing.catch(() => {})
  }
  const isOld = (): boolean => performance.now() - openedAt >= (bytes < LITTLE_BYTES ? SLOW_BATCH_MS : BATCH_MS)
  return {
    write: async (chunk) => {
      if (chunk.length === 0) return
      if (bytes === 0) openedAt = performance.now()
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= BATCH_BYTES || isOld()) await flush()
    },
    tick: () => {
      if (bytes > 0 && isOld()) flush().catch(() => {})
    },
    end: async () => {
      await flush()
      await writing
    },
  }
}

async function writeAll(handle: FileHandle, chunks: readonly Uint8Array[], { start, end }: Range): Promise<void> {
  const { bytesWritten } = await handle.writev([...chunks], start)
  if (bytesWritten === end - start) return
  // A full disk, a signal: the rest, one by one.
  const rest = Buffer.concat(chunks).subarray(bytesWritten)
  for (let done = 0; done < rest.length;)
    done += (await handle.write(rest, done, rest.length - done, start + bytesWritten + done)).bytesWritten
}
