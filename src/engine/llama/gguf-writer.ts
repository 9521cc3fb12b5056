/**
 * Writes GGUF version 3 files, small ones, for the kernel probe and for tests.
 * Format: ggml/docs/gguf.md of llama.cpp. All little-endian; tensor data aligned to 32 bytes.
 */
import { alignGguf, ggufText, ggufUint32, ggufUint64 } from './gguf-bytes.ts'

export type GgufWriteValue =
  | { type: 'uint32' | 'int32' | 'float32'; value: number }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  | { type: 'strings'; value: readonly string[] }
  | { type: 'int32s'; value: readonly number[] }

export interface GgufWriteTensor {
  name: string
  /** Elements by dimension, the contiguous one first (so a matrix of r rows and c columns is [c, r]). */
  shape: readonly number[]
  type: 'f32' | 'f16' | 'q4_k'
  data: Uint8Array
}

const MAGIC = 'GGUF'
const VERSION = 3
const VALUE_TYPE = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8 } as const
const ARRAY_TYPE = 9
const TENSOR_TYPE = { f32: 0, f16: 1, q4_k: 12 } as const

export function writeGguf(metadata: Readonly<Record<string, GgufWriteValue>>, tensors: readonly GgufWriteTensor[]): Buffer {
  const entries = Object.entries(metadata)
  const parts = [Buffer.from(MAGIC), ggufUint32(VERSION), ggufUint64(tensors.length), ggufUint64(entries.length)]
  for (const [key, value] of entries) parts.push(ggufText(key), encodeValue(value))
  let offset = 0
  for (const tensor of tensors) {
    parts.push(ggufText(tensor.name), ggufUint32(tensor.shape.length), ...tensor.shape.map(ggufUint64))
    parts.push(ggufUint32(TENSOR_TYPE[tensor.type]), ggufUint64(offset))
    offset += alignGguf(tensor.data.length)
  }
  const header = Buffer.concat(parts)
  const padded = (bytes: Uint8Array): Buffer => Buffer.concat([bytes], alignGguf(bytes.length))
  return Buffer.concat([padded(header), ...tensors.map((tensor) => padded(tensor.data))])
}

function encodeValue(entry: GgufWriteValue): Buffer {
  switch (entry.type) {
    case 'uint32':
      return Buffer.concat([ggufUint32(VALUE_TYPE.uint32), ggufUint32(entry.value)])
    case 'int32':
      return Buffer.concat([ggufUint32(VALUE_TYPE.int32), bytesOf(new Int32Array([entry.value]))])
    case 'float32':
      return Buffer.concat([ggufUint32(VALUE_TYPE.float32), bytesOf(new Float32Array([entry.value]))])
    case 'bool':
      return Buffer.concat([ggufUint32(VALUE_TYPE.bool), Buffer.from([entry.value ? 1 : 0])])
    case 'string':
      return Buffer.concat([ggufUint32(VALUE_TYPE.string), ggufText(entry.value)])
    case 'strings':
      return Buffer.concat([arrayHead(VALUE_TYPE.string, entry.value.length), ...entry.value.map(ggufText)])
    case 'int32s':
      return Buffer.concat([arrayHead(VALUE_TYPE.int32, entry.value.length), bytesOf(new Int32Array(entry.value))])
  }
}

function arrayHead(type: number, length: number): Buffer {
  return Buffer.concat([ggufUint32(ARRAY_TYPE), ggufUint32(type), ggufUint64(length)])
}

function bytesOf(values: Int32Array | Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength)
}
