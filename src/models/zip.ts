/**
 * Reads single members of a zip file without unpacking the rest. Lengths are bounded, paths are never used as paths.
 * Format: PKWARE APPNOTE 6.3.10 (end of central directory 4.3.16, zip64 4.3.14, central header 4.3.12, local header 4.3.7).
 */
import { createInflateRaw, crc32 } from 'node:zlib'

import type { ByteSource } from './byte-source.ts'

export interface ZipMember {
  name: string
  /** Unpacked. */
  bytes: number
  packedBytes: number
  method: 'stored' | 'deflated'
  crc32: number
  /** Of the local header. */
  offset: number
}

/** The archive is damaged or uses something that wheels do not. */
export class ZipError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ZipError'
  }
}

const END = 0x0605_4b50
const END64_LOCATOR = 0x0706_4b50
const END64 = 0x0606_4b50
const CENTRAL = 0x0201_4b50
const LOCAL = 0x0403_4b50
/** The end record and the longest comment. */
const TAIL_BYTES = 22 + 65_535
const MAX_DIRECTORY_BYTES = 64_000_000
const CHUNK_BYTES = 1024 * 1024

/** The members in the order of the directory. Throws ZipError, also when there are more than `mostMembers`. */
export async function listZip(source: ByteSource, mostMembers: number = Number.POSITIVE_INFINITY): Promise<ZipMember[]> {
  const { offset, bytes, count } = await findDirectory(source)
  if (count > mostMembers) throw new ZipError(`it has ${count} members`)
  if (bytes > MAX_DIRECTORY_BYTES || offset + bytes > source.bytes) throw new ZipError('its directory lies outside the file')
  const directory = await readExactly(source, offset, bytes)
  const members: ZipMember[] = []
  for (let at = 0; members.length < count;) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== CENTRAL) throw new ZipError('its directory is damaged')
    const { member, next } = parseCentral(directory, at)
    members.push(member)
    at = next
  }
  return members
}

/** The unpacked bytes of a member, checked against its length and CRC-32. Throws ZipError. */
export async function* readZipMember(source: ByteSource, member: ZipMember): AsyncGenerator<Buffer> {
  const local = await readExactly(source, member.offset, 30)
  if (local.readUInt32LE(0) !== LOCAL) throw new ZipError(`the entry of ${member.name} is damaged`)
  const start = member.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28)
  if (start + member.packedBytes > source.bytes) throw new ZipError(`${member.name} is cut off`)
  const packed = readRange(source, start, member.packedBytes)
  let done = 0
  let sum = 0
  for await (const chunk of member.method === 'stored' ? packed : inflate(packed)) {
    done += chunk.length
    // A zip bomb claims little and unpacks to much.
    if (done > member.bytes) throw new ZipError(`${member.name} is longer than it says`)
    sum = crc32(chunk, sum)
    yield chunk
  }
  if (done !== member.bytes || sum !== member.crc32) throw new ZipError(`${member.name} is damaged`)
}

async function findDirectory(source: ByteSource): Promise<{ offset: number; bytes: number; count: number }> {
  const tailBytes = Math.min(source.bytes, TAIL_BYTES)
  const tail = await readExactly(source, source.bytes - tailBytes, tailBytes)
  for (let at = tail.length - 22; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== END) continue
    const end = { count: tail.readUInt16LE(at + 10), bytes: tail.readUInt32LE(at + 12), offset: tail.readUInt32LE(at + 16) }
    const isLarge = end.count === 0xffff || end.bytes === 0xffff_ffff || end.offset === 0xffff_ffff
    return isLarge ? findDirectory64(source, source.bytes - tailBytes + at) : end
  }
  throw new ZipError('it is not a zip file, or it is cut off')
}

async function findDirectory64(source: ByteSource, endOffset: number): Promise<{ offset: number; bytes: number; count: number }> {
  if (endOffset < 20) throw new ZipError('its end is damaged')
  const locator = await readExactly(source, endOffset - 20, 20)
  if (locator.readUInt32LE(0) !== END64_LOCATOR) throw new ZipError('its end is damaged')
  const record = await readExactly(source, exact(locator.readBigUInt64LE(8)), 56)
  if (record.readUInt32LE(0) !== END64) throw new ZipError('its end is damaged')
  return { count: exact(record.readBigUInt64LE(32)), bytes: exact(record.readBigUInt64LE(40)), offset: exact(record.readBigUInt64LE(48)) }
}

function parseCentral(data: Buffer, at: number): { member: ZipMember; next: number } {
  const flags = data.readUInt16LE(at + 8)
  const method = data.readUInt16LE(at + 10)
  const [nameBytes, extraBytes, commentBytes] = [data.readUInt16LE(at + 28), data.readUInt16LE(at + 30), data.readUInt16LE(at + 32)]
  const next = at + 46 + nameBytes + extraBytes + commentBytes
  if (next > data.length) throw new ZipError('its directory is damaged')
  const name = data.toString('utf8', at + 46, at + 46 + nameBytes)
  if ((flags & 1) !== 0) throw new ZipError(`${name} is encrypted`)
  if (method !== 0 && method !== 8) throw new ZipError(`${name} is packed by the unknown method ${method}`)
  const extra = data.subarray(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes)
  const sizes = { bytes: data.readUInt32LE(at + 24), packedBytes: data.readUInt32LE(at + 20), offset: data.readUInt32LE(at + 42) }
  return { member: { name, ...large(sizes, extra), method: method === 0 ? 'stored' : 'deflated', crc32: data.readUInt32LE(at + 16) }, next }
}

/** Zip64: values that are all ones stand in the extra field 1, in this order. */
function large<T extends { bytes: number; packedBytes: number; offset: number }>(sizes: T, extra: Buffer): T {
  const field = extraField(extra, 1)
  let at = 0
  const take = (value: number): number => {
    if (value !== 0xffff_ffff) return value
    if (field === undefined || at + 8 > field.length) throw new ZipError('its directory is damaged')
    at += 8
    return exact(field.readBigUInt64LE(at - 8))
  }
  return { ...sizes, bytes: take(sizes.bytes), packedBytes: take(sizes.packedBytes), offset: take(sizes.offset) }
}

function extraField(extra: Buffer, id: number): Buffer | undefined {
  for (let at = 0; at + 4 <= extra.length;) {
    const length = extra.readUInt16LE(at + 2)
    if (extra.readUInt16LE(at) === id) return extra.subarray(at + 4, at + 4 + length)
    at += 4 + length
  }
  return undefined
}

async function* readRange(source: ByteSource, start: number, bytes: number): AsyncGenerator<Buffer> {
  for (let done = 0; done < bytes;) {
    const chunk = await readExactly(source, start + done, Math.min(CHUNK_BYTES, bytes - done))
    done += chunk.length
    yield chunk
  }
}

async function* inflate(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const stream = createInflateRaw({ chunkSize: CHUNK_BYTES })
  const feeding = feed(stream, packed)
  // A failure of the source shows below as the stream's error.
  feeding.catch(() => {})
  try {
    for await (const chunk of stream) yield chunk as Buffer
    await feeding
  } catch (error) {
    if (error instanceof ZipError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw code?.startsWith('Z_') ? new ZipError('its packed data is damaged') : error
  } finally {
    stream.destroy()
  }
}

async function feed(stream: ReturnType<typeof createInflateRaw>, packed: AsyncIterable<Buffer>): Promise<void> {
  try {
    for await (const chunk of packed) {
      if (stream.destroyed) return
      if (!stream.write(chunk)) await drained(stream)
    }
    stream.end()
  } catch (error) {
    stream.destroy(error instanceof Error ? error : new Error(String(error)))
  }
}

function drained(stream: ReturnType<typeof createInflateRaw>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done)
      resolve()
    }
    stream.on('drain', done).on('close', done)
  })
}

async function readExactly(source: ByteSource, offset: number, bytes: number): Promise<Buffer> {
  const data = await source.read(offset, bytes)
  if (data.length !== bytes) throw new ZipError('it is cut off')
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

function exact(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new ZipError('its directory is damaged')
  return number
}
