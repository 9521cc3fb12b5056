/**
 * A saved sequence as bytes, in a form that does not depend on the slot it came from nor on how many slots there were. Pure.
 *
 * libllama 0.5.0 writes (src/llama-context.cpp state_seq_get_data, src/llama-kv-cache.cpp state_write):
 *   magic u32 | slot i32 | streams u32 | for each stream: cells u32, and when cells > 0 its cells
 * where the split layout has a stream for each slot, only that of the slot not empty, and the unified layout has one stream.
 * Reading demands as many streams as the context has, and puts whichever is not empty into the slot it is told.
 * So we keep: magic | slot 0 | 1 | cells | the cells, with room behind for the empty streams of any context.
 *
 *   raw     [magic][slot][N][0 … 0][cells][data…][0 … 0]        slot = 2 of N = 4: two empty ones before, one behind
 *   ours           [magic][0][1][cells][data…](0 … 0)           moved by 4 bytes an empty stream before it; data is not moved
 */

/** libllama has at most 256 sequences, and so streams. */
const LONGEST_TAIL = 255 * 4
const HEADER_BYTES = 12

export interface SequenceBlob {
  /** In our form. */
  bytes: Uint8Array
  /** The same memory with the zeros behind it. */
  withTail: Buffer
}

/** A buffer for libllama to write `bytes` into, with room for the tail. */
export function allocateRaw(bytes: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(bytes + LONGEST_TAIL)
  buffer.fill(0, bytes)
  return buffer
}

/**
 * Turns what libllama wrote for the stream number `stream` of `streams` into our form, in place.
 * Undefined when the bytes are not of that form (models with two caches).
 */
export function normalizeBlob(raw: Buffer, rawBytes: number, stream: number, streams: number): SequenceBlob | undefined {
  const before = 4 * stream
  const after = 4 * (streams - 1 - stream)
  if (rawBytes < HEADER_BYTES + before + 4 + after || raw.readUInt32LE(8) !== streams) return undefined
  if (!isZero(raw, HEADER_BYTES, before) || !isZero(raw, rawBytes - after, after)) return undefined
  const magic = raw.readUInt32LE(0)
  const withTail = raw.subarray(before)
  withTail.writeUInt32LE(magic, 0)
  withTail.writeInt32LE(0, 4)
  withTail.writeUInt32LE(1, 8)
  return { bytes: withTail.subarray(0, rawBytes - before - after), withTail }
}

/** Gives bytes that came from elsewhere (the disk) a tail. */
export function blobFromBytes(bytes: Uint8Array): SequenceBlob {
  const withTail = allocateRaw(bytes.length)
  withTail.set(bytes)
  return { bytes: withTail.subarray(0, bytes.length), withTail }
}

/** What a context with `streams` streams reads. Valid until the next call for the same blob. */
export function bytesForStreams({ bytes, withTail }: SequenceBlob, streams: number): Uint8Array {
  withTail.writeUInt32LE(streams, 8)
  return withTail.subarray(0, bytes.length + 4 * (streams - 1))
}

/** Undoes `bytesForStreams`, so that the bytes do not depend on where they were last used. */
export function resetStreams({ withTail }: SequenceBlob): void {
  withTail.writeUInt32LE(1, 8)
}

function isZero(buffer: Buffer, start: number, length: number): boolean {
  for (let index = start; index < start + length; index++) if (buffer[index] !== 0) return false
  return true
}
