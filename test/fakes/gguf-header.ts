/** Writes GGUF bytes for tests of the parser: any metadata, any tensors, and lies. Weights are zeros. */

export type MetadataItem =
  | { type: 'u32'; value: number }
  | { type: 'u64'; value: bigint }
  | { type: 'i32'; value: number }
  | { type: 'f32'; value: number }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  | { type: 'strings'; value: readonly string[] }
  | { type: 'u32s'; value: readonly number[] }

export interface TensorItem {
  name: string
  shape: readonly number[]
  /** ggml type number; F32 by default. */
  type?: number
  bytes?: number
  offset?: number
}

export interface GgufParts {
  magic?: string
  version?: number
  metadata?: Readonly<Record<string, MetadataItem>>
  tensors?: readonly TensorItem[]
  /** Counts that lie. */
  tensorCount?: bigint
  metadataCount?: bigint
  alignment?: number
  /** Leave the tensor data out. */
  headerOnly?: boolean
}

/** The whole file. */
export function ggufBytes(parts: GgufParts = {}): Buffer {
  const { metadata = {}, tensors = [], alignment = 32 } = parts
  const chunks: Buffer[] = [Buffer.from(parts.magic ?? 'GGUF', 'latin1'), u32(parts.version ?? 3)]
  chunks.push(u64(parts.tensorCount ?? BigInt(tensors.length)), u64(parts.metadataCount ?? BigInt(Object.keys(metadata).length)))
  for (const [key, item] of Object.entries(metadata)) chunks.push(text(key), value(item))
  let offset = 0
  for (const tensor of tensors) {
    const bytes = tensor.bytes ?? tensor.shape.reduce((product, size) => product * size, 4)
    chunks.push(text(tensor.name), u32(tensor.shape.length), ...tensor.shape.map((size) => u64(BigInt(size))))
    chunks.push(u32(tensor.type ?? 0), u64(BigInt(tensor.offset ?? offset)))
    offset += Math.ceil(bytes / alignment) * alignment
  }
  const head = Buffer.concat(chunks)
  if (parts.headerOnly) return head
  return Buffer.concat([head, Buffer.alloc((alignment - (head.length % alignment)) % alignment), Buffer.alloc(offset)])
}

/** A small but complete llama-like model: what the library and pull accept. */
export function tinyModelBytes(
  options: { name?: string; architecture?: string; vocabulary?: number; extraBytes?: number; seed?: number } = {},
): Buffer {
  const { name = 'Tiny', architecture = 'llama', vocabulary = 8, extraBytes = 0, seed = 1 } = options
  const bytes = ggufBytes({
    metadata: {
      'general.architecture': { type: 'string', value: architecture },
      'general.name': { type: 'string', value: name },
      'general.license': { type: 'string', value: 'apache-2.0' },
      'general.file_type': { type: 'u32', value: 0 },
      [`${architecture}.block_count`]: { type: 'u32', value: 2 },
      [`${architecture}.context_length`]: { type: 'u32', value: 2048 },
      [`${architecture}.embedding_length`]: { type: 'u32', value: 64 },
      [`${architecture}.feed_forward_length`]: { type: 'u32', value: 128 },
      [`${architecture}.attention.head_count`]: { type: 'u32', value: 4 },
      [`${architecture}.attention.head_count_kv`]: { type: 'u32', value: 2 },
      'tokenizer.ggml.tokens': { type: 'strings', value: Array.from({ length: vocabulary }, (_, index) => `t${index}`) },
    },
    tensors: [
      { name: 'token_embd.weight', shape: [64, vocabulary] },
      { name: 'blk.0.attn_q.weight', shape: [64, 64] },
      ...(extraBytes > 0 ? [{ name: 'blk.1.ffn_up.weight', shape: [Math.ceil(extraBytes / 4)] }] : []),
    ],
  })
  // Not all zeros, so that shifted or repeated parts show in the hash.
  for (let at = bytes.length - (extraBytes || 512), state = seed; at < bytes.length; at += 1) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff
    bytes[at] = state >> 16
  }
  return bytes
}

function value(item: MetadataItem): Buffer {
  switch (item.type) {
    case 'u32':
      return Buffer.concat([u32(4), u32(item.value)])
    case 'i32':
      return Buffer.concat([u32(5), u32(item.value >>> 0)])
    case 'f32': {
      const data = Buffer.alloc(4)
      data.writeFloatLE(item.value)
      return Buffer.concat([u32(6), data])
    }
    case 'bool':
      return Buffer.concat([u32(7), Buffer.from([item.value ? 1 : 0])])
    case 'string':
      return Buffer.concat([u32(8), text(item.value)])
    case 'u64':
      return Buffer.concat([u32(10), u64(item.value)])
    case 'strings':
      return Buffer.concat([u32(9), u32(8), u64(BigInt(item.value.length)), ...item.value.map(text)])
    case 'u32s':
      return Buffer.concat([u32(9), u32(4), u64(BigInt(item.value.length)), ...item.value.map(u32)])
  }
}

function u32(number: number): Buffer {
  const data = Buffer.alloc(4)
  data.writeUInt32LE(number >>> 0)
  return data
}

function u64(number: bigint): Buffer {
  const data = Buffer.alloc(8)
  data.writeBigUInt64LE(BigInt.asUintN(64, number))
  return data
}

function text(string: string): Buffer {
  const data = Buffer.from(string, 'utf8')
  return Buffer.concat([u64(BigInt(data.length)), data])
}
