/** Writes zip archives and wheels for tests: stored, deflated, zip64. */
import { createHash } from 'node:crypto'
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipEntry {
  name: string
  data: Buffer
  method?: 'stored' | 'deflated'
  /** Sizes and offset in the zip64 extra field. */
  zip64?: boolean
  /** What the directory claims instead of the truth. */
  claimedBytes?: number
}

export function zipBytes(entries: readonly ZipEntry[], options: { zip64End?: boolean; comment?: string } = {}): Buffer {
  const chunks: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const entry of entries) {
    const packed = entry.method === 'stored' ? entry.data : deflateRawSync(entry.data)
    const name = Buffer.from(entry.name)
    const method = entry.method === 'stored' ? 0 : 8
    const sum = crc32(entry.data)
    const bytes = entry.claimedBytes ?? entry.data.length
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(method, 8)
    local.writeUInt32LE(sum, 14)
    local.writeUInt32LE(packed.length, 18)
    local.writeUInt32LE(bytes, 22)
    local.writeUInt16LE(name.length, 26)
    chunks.push(local, name, packed)
    directory.push(centralHeader(entry, { name, method, sum, bytes, packed: packed.length, offset }))
    offset += 30 + name.length + packed.length
  }
  const central = Buffer.concat(directory)
  return Buffer.concat([...chunks, central, endRecord(entries.length, central.length, offset, options)])
}

/** A wheel with one GGUF, its RECORD and METADATA. */
export function wheelBytes(
  project: string,
  version: string,
  gguf: { name: string; data: Buffer },
  options: { wrongRecord?: boolean; stored?: boolean } = {},
): Buffer {
  const info = `${project.replaceAll('-', '_')}-${version}.dist-info`
  const hash = createHash('sha256')
    .update(options.wrongRecord ? 'something else' : gguf.data)
    .digest('base64url')
  return zipBytes([
    { name: gguf.name, data: gguf.data, method: options.stored ? 'stored' : 'deflated' },
    {
      name: `${info}/METADATA`,
      data: Buffer.from(`Metadata-Version: 2.1\nName: ${project}\nVersion: ${version}\nLicense: Apache-2.0\n\nText: no header`),
    },
    { name: `${info}/RECORD`, data: Buffer.from(`${gguf.name},sha256=${hash},${gguf.data.length}\n${info}/RECORD,,\n`) },
  ])
}

function centralHeader(
  entry: ZipEntry,
  file: { name: Buffer; method: number; sum: number; bytes: number; packed: number; offset: number },
): Buffer {
  const extra = Buffer.alloc(entry.zip64 ? 28 : 0)
  if (entry.zip64) {
    extra.writeUInt16LE(1, 0)
    extra.writeUInt16LE(24, 2)
    for (const [index, value] of [file.bytes, file.packed, file.offset].entries()) extra.writeBigUInt64LE(BigInt(value), 4 + index * 8)
  }
  const header = Buffer.alloc(46)
  header.writeUInt32LE(0x02014b50, 0)
  header.writeUInt16LE(file.method, 10)
  header.writeUInt32LE(file.sum, 16)
  header.writeUInt32LE(entry.zip64 ? 0xffffffff : file.packed, 20)
  header.writeUInt32LE(entry.zip64 ? 0xffffffff : file.bytes, 24)
  header.writeUInt16LE(file.name.length, 28)
  header.writeUInt16LE(extra.length, 30)
  header.writeUInt32LE(entry.zip64 ? 0xffffffff : file.offset, 42)
  return Buffer.concat([header, file.name, extra])
}

function endRecord(
  count: number,
  bytes: number,
  offset: number,
  { zip64End, comment = '' }: { zip64End?: boolean; comment?: string },
): Buffer {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(zip64End ? 0xffff : count, 8)
  end.writeUInt16LE(zip64End ? 0xffff : count, 10)
  end.writeUInt32LE(zip64End ? 0xffffffff : bytes, 12)
  end.writeUInt32LE(zip64End ? 0xffffffff : offset, 16)
  end.writeUInt16LE(comment.length, 20)
  const tail = Buffer.concat([end, Buffer.from(comment)])
  if (!zip64End) return tail
  const record = Buffer.alloc(56)
  record.writeUInt32LE(0x06064b50, 0)
  record.writeBigUInt64LE(BigInt(count), 32)
  record.writeBigUInt64LE(BigInt(bytes), 40)
  record.writeBigUInt64LE(BigInt(offset), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(offset + bytes), 8)
  return Buffer.concat([record, locator, tail])
}
