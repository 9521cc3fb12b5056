/**
 * Writes the pieces of a response. While the system takes them at once into its memory, each is written as it comes, in this thread:
 * that costs a fraction of handing it to another one, and a kill loses next to nothing. When the disk makes us wait, other threads write
 * for a while, and what comes meanwhile is written together.
 *
 *   filling ◀── the next pieces      spare ──▶ being written; when it is done they change places
 */
import { writeSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'

import type { Range } from './ranges.ts'

export interface BatchWriter {
  /** Waits only when the disk is slower than the network; the chunk may be used again afterwards. Throws what the disk throws. */
  write(chunk: Uint8Array): Promise<void>
  /** Writes the rest. */
  end(): Promise<void>
}

/** What the connections of one transfer know together of their disk. */
export interface DiskPace {
  /** Until then other threads write, ms. */
  slowUntil: number
  now: () => number
}

/** A write that took so long waited for the disk, ms. */
const SLOW_WRITE_MS = 50
/** Then others write for so many times as long: this thread never gives more than a twentieth of its time to the disk. */
const SLOW_PAUSE = 20
/** Two for each connection, while the disk is slow. */
const BLOCK_BYTES = 512 * 1024

/** For the bytes from `start` on. `onWritten` hears of each range as soon as it lies in the file. */
export function createBatchWriter(handle: FileHandle, start: number, pace: DiskPace, onWritten: (range: Range) => void): BatchWriter {
  let blocks: { filling: Buffer; spare: Buffer } | undefined
  let filled = 0
  let at = start
  let writing: Promise<void> | undefined
  let failure: { error: unknown } | undefined
  const writeOut = async (): Promise<void> => {
    try {
      while (blocks && filled > 0) {
        const { filling, spare } = blocks
        const batch = filling.subarray(0, filled)
        blocks = { filling: spare, spare: filling }
        filled = 0
        await writeAll(handle, batch, at)
        at = told(at, batch.length)
      }
    } catch (error) {
      failure = { error }
    } finally {
      writing = undefined
    }
  }
  const told = (from: number, bytes: number): number => {
    onWritten({ start: from, end: from + bytes })
    return from + bytes
  }
  const check = (): void => {
    if (failure) throw failure.error
  }
  const writeHere = (chunk: Uint8Array): void => {
    const startedAt = pace.now()
    for (let done = 0; done < chunk.length;) done += writeSync(handle.fd, chunk, done, chunk.length - done, at + done)
    at = told(at, chunk.length)
    const endedAt = pace.now()
    if (endedAt - startedAt > SLOW_WRITE_MS) pace.slowUntil = endedAt + SLOW_PAUSE * (endedAt - startedAt)
  }
  const writeElsewhere = async (chunk: Uint8Array): Promise<void> => {
    for (let from = 0; from < chunk.length;) {
      if (filled === BLOCK_BYTES) await writing
      check()
      blocks ??= { filling: Buffer.allocUnsafeSlow(BLOCK_BYTES), spare: Buffer.allocUnsafeSlow(BLOCK_BYTES) }
      const bytes = Math.min(chunk.length - from, BLOCK_BYTES - filled)
      blocks.filling.set(chunk.subarray(from, from + bytes), filled)
      filled += bytes
      from += bytes
      writing ??= writeOut()
    }
  }
  return {
    write: async (chunk) => {
      check()
      if (writing === undefined && pace.now() >= pace.slowUntil) writeHere(chunk)
      else await writeElsewhere(chunk)
    },
    end: async () => {
      await writing
      check()
    },
  }
}

async function writeAll(handle: FileHandle, batch: Uint8Array, start: number): Promise<void> {
  // A full disk or a signal may cut a write.
  for (let done = 0; done < batch.length;) done += (await handle.write(batch, done, batch.length - done, start + done)).bytesWritten
}
