/** Random access to bytes: a file now, ranges of a remote file later. */
import { openToRead } from './open-to-read.ts'

export interface ByteSource {
  /** Whole length in bytes. */
  readonly bytes: number
  /** What a reader that goes forward should ask for at once, where more would cost. */
  readonly chunkBytes?: number
  /** Up to `length` bytes from `offset`; fewer only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>
}

export interface FileSource extends ByteSource {
  close(): Promise<void>
}

/** Throws `unknown-format` for pipes and devices, and what `open` throws (ENOENT …). */
export async function openFileSource(file: string): Promise<FileSource> {
  const handle = await openToRead(file)
  try {
    const { size } = await handle.stat()
    return {
      bytes: size,
      read: async (offset, length) => {
        const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)))
        let done = 0
        while (done < buffer.length) {
          const { bytesRead } = await handle.read(buffer, done, buffer.length - done, offset + done)
          if (bytesRead === 0) break
          done += bytesRead
        }
        return buffer.subarray(0, done)
      },
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

export function memorySource(data: Uint8Array): ByteSource {
  return { bytes: data.length, read: async (offset, length) => data.subarray(offset, Math.min(data.length, offset + length)) }
}

/**
 * Reads forward through a source in chunks, holding one chunk. Numbers are little-endian.
 * `take*` are synchronous and need `await ensure(n)` before, so that long lists cost no promise per element.
 */
export class ByteReader {
  readonly #source: ByteSource
  readonly #chunkBytes: number
  #buffer: Buffer = Buffer.alloc(0)
  /** Where #buffer starts in the source. */
  #start = 0
  #at = 0

  constructor(source: ByteSource, chunkBytes: number = source.chunkBytes ?? 256 * 1024) {
    this.#source = source
    this.#chunkBytes = chunkBytes
  }

  /** Position in the source. */
  get offset(): number {
    return this.#start + this.#at
  }

  /** Bytes of the source after the position. */
  get remaining(): number {
    return this.#source.bytes - this.offset
  }

  /** Bytes that can be taken without `ensure`. */
  get buffered(): number {
    return this.#buffer.length - this.#at
  }

  /** False when the source ends before. */
  async ensure(bytes: number): Promise<boolean> {
    if (this.buffered >= bytes) return true
    if (this.remaining < bytes) return false
    const offset = this.offset
    const data = await this.#source.read(offset, Math.max(bytes, this.#chunkBytes))
    this.#buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    this.#start = offset
    this.#at = 0
    return this.#buffer.length >= bytes
  }

  /** Moves on without reading. The caller checks `remaining`. */
  skip(bytes: number): void {
    if (bytes <= this.buffered) {
      this.#at += bytes
      return
    }
    this.#start = this.offset + bytes
    this.#buffer = Buffer.alloc(0)
    this.#at = 0
  }

  take(bytes: number): Buffer {
    const data = this.#buffer.subarray(this.#at, this.#at + bytes)
    this.#at += bytes
    return data
  }

  u32(): number {
    const value = this.#buffer.readUInt32LE(this.#at)
    this.#at += 4
    return value
  }

  /** A number where it is exact, else Infinity: every length above 2^53 is a lie. */
  u64(): number {
    const low = this.#buffer.readUInt32LE(this.#at)
    const high = this.#buffer.readUInt32LE(this.#at + 4)
    this.#at += 8
    return high > 0x1f_ffff ? Number.POSITIVE_INFINITY : high * 2 ** 32 + low
  }
}
