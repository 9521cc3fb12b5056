/**
 * Writes a GGUF that has a header and no weights: a sparse file of the right length. Enough for a dry run, which reads no weights.
 * The vocabulary is left out (`no_vocab`): only its size matters for the buffers. Format: ggml/docs/gguf.md of llama.cpp, version 3.
 */
import { open } from 'node:fs/promises'
import { alignGguf, ggufText, ggufUint32, ggufUint64 } from './gguf-bytes.ts'

/** A metadata value with its GGUF type, e.g. `{ type: 'u32', value: 32 }`. */
export type SparseValue =
  | { type: 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64'; value: number }
  | { type: 'u64' | 'i64'; value: number | bigint }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  | { type: 'array'; elementType: Exclude<SparseValue['type'], 'array'>; values: readonly (string | number | bigint | boolean)[] }

export interface SparseTensor {
  name: string
  /** Innermost first, as ggml's `ne`. */
  shape: readonly number[]
  /** As ggml_type, e.g. 1 for F16. */
  typeId: number
  bytes: number
}

export interface SparseModel {
  metadata: Readonly<Record<string, SparseValue>>
  tensors: readonly SparseTensor[]
}

const TYPE_IDS = { u8: 0, i8: 1, u16: 2, i16: 3, u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9, u64: 10, i64: 11, f64: 12 } as const

/** The file takes as many bytes of disk as its header. Throws what the file system throws. */
export async function writeSparseGguf(file: string, model: SparseModel): Promise<void> {
  const header = encodeHeader(model)
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(header)
    await handle.truncate(header.length + model.tensors.reduce((total, tensor) => total + alignGguf(tensor.bytes), 0))
  } finally {
    await handle.close()
  }
}

function encodeHeader({ metadata, tensors }: SparseModel): Buffer {
  const entries = Object.entries(metadata)
  const parts = [Buffer.from('GGUF'), ggufUint32(3), ggufUint64(tensors.length), ggufUint64(entries.length)]
  for (const [key, value] of entries) parts.push(ggufText(key), ggufUint32(TYPE_IDS[value.type]), encodeValue(value))
  let offset = 0
  for (const tensor of tensors) {
    parts.push(
      ggufText(tensor.name),
      ggufUint32(tensor.shape.length),
      ...tensor.shape.map(ggufUint64),
      ggufUint32(tensor.typeId),
      ggufUint64(offset),
    )
    offset += alignGguf(tensor.bytes)
  }
  const header = Buffer.concat(parts)
  return Buffer.concat([header], alignGguf(header.length))
}

function encodeValue(entry: SparseValue): Buffer {
  if (entry.type !== 'array') return scalar(entry.type, entry.value)
  const { elementType, values } = entry
  return Buffer.concat([ggufUint32(TYPE_IDS[elementType]), ggufUint64(values.length), ...values.map((value) => scalar(elementType, value))])
}

function scalar(type: Exclude<SparseValue['type'], 'array'>, value: string | number | bigint | boolean): Buffer {
  if (type === 'string') return ggufText(String(value))
  if (type === 'bool') return Buffer.from([value === true ? 1 : 0])
  const data = Buffer.alloc(8)
  return data.subarray(0, WRITERS[type](data, Number(value), BigInt(type.endsWith('64') && type !== 'f64' ? Number(value) : 0), value))
}

type NumberType = Exclude<SparseValue['type'], 'array' | 'string' | 'bool'>

/** Each writes at 0 and returns how many bytes it took. */
const WRITERS: Readonly<Record<NumberType, (data: Buffer, value: number, large: bigint, exact: unknown) => number>> = {
  u8: (data, value) => data.writeUInt8(value),
  i8: (data, value) => data.writeInt8(value),
  u16: (data, value) => data.writeUInt16LE(value),
  i16: (data, value) => data.writeInt16LE(value),
  u32: (data, value) => data.writeUInt32LE(value),
  i32: (data, value) => data.writeInt32LE(value),
  f32: (data, value) => data.writeFloatLE(value),
  f64: (data, value) => data.writeDoubleLE(value),
  u64: (data, _value, large, exact) => data.writeBigUInt64LE(typeof exact === 'bigint' ? exact : large),
  i64: (data, _value, large, exact) => data.writeBigInt64LE(typeof exact === 'bigint' ? exact : large),
}
