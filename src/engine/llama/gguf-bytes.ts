/** The bytes that GGUF files are made of: little-endian numbers, texts with their length before them, tensor data at multiples of 32. */
export const GGUF_ALIGNMENT = 32

/** Up to the next place where tensor data may begin, bytes. */
export function alignGguf(length: number): number {
  return Math.ceil(length / GGUF_ALIGNMENT) * GGUF_ALIGNMENT
}

export function ggufText(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8')
  return Buffer.concat([ggufUint64(bytes.length), bytes])
}

export function ggufUint32(value: number): Buffer {
  const data = Buffer.alloc(4)
  data.writeUInt32LE(value)
  return data
}

export function ggufUint64(value: number): Buffer {
  const data = Buffer.alloc(8)
  data.writeBigUInt64LE(BigInt(value))
  return data
}
