/** What the planner and the engine need to know of a model, computed from its GGUF header alone. Pure. */
import { AppError } from '../shared/errors.ts'
import { fileTypeName, rowBytes } from './ggml-types.ts'
import type { GgmlType } from './ggml-types.ts'
import type { GgufHeader, GgufTensor, GgufValue } from './gguf.ts'

/** As the engine's KvType. */
export type KvCacheType = 'f16' | 'q8_0' | 'q4_0'

export interface ModelFacts {
  architecture: string
  name?: string
  /** Exact: the elements of all tensors. */
  parameters: number
  quantization: string
  /** Tokens; 0 when the file does not say. */
  trainedContext: number
  layers: number
  embeddingLength: number
  feedForwardLength: number
  headCount: number
  vocabularySize: number
  /** Bytes of all tensors, without padding. */
  weightBytes: number
  /** … of the tensors outside the layers (embeddings, output), which stay in system memory or move last. */
  outerWeightBytes: number
  attention: 'mha' | 'gqa' | 'mqa' | 'mla' | 'none'
  /** Bytes that one more token of context takes in all layers, as libllama allocates. With a sliding window an upper bound. */
  kvBytesPerToken(type: KvCacheType): number
  /** Bytes of recurrent state that each sequence takes, whatever its length. */
  stateBytesPerSequence: number
  slidingWindow?: number
  expertCount?: number
  activeExperts?: number
  chatTemplate?: string
  license?: string
  poolingType?: number
}

/** ggml blocks of the three KV cache types. */
const KV_TYPES: Readonly<Record<KvCacheType, GgmlType>> = {
  f16: { name: 'F16', blockSize: 1, blockBytes: 2 },
  q8_0: { name: 'Q8_0', blockSize: 32, blockBytes: 34 },
  q4_0: { name: 'Q4_0', blockSize: 32, blockBytes: 18 },
}

/** libllama's LLAMA_MAX_LAYERS. */
const MAX_LAYERS = 1024

/** Throws `invalid-model-file` when the header is not of a language model. `file` is for the message. */
export function factsOf(header: GgufHeader, file = 'the file'): ModelFacts {
  const read = readerOf(header.metadata)
  const architecture = read.text('general.architecture')
  const refusal = refusalOf(header, architecture, read)
  if (architecture === undefined || refusal !== undefined)
    throw new AppError('invalid-model-file', { path: file, reason: refusal ?? 'it does not name its architecture' })
  const layers = read.number(`${architecture}.block_count`) ?? 0
  const embeddingLength = read.number(`${architecture}.embedding_length`) ?? 0
  const attention = attentionOf(read, architecture, layers, embeddingLength)
  return {
    architecture,
    parameters: sum(header.tensors, elementsOf),
    quantization: quantizationOf(header, read),
    trainedContext: read.number(`${architecture}.context_length`) ?? 0,
    layers,
    embeddingLength,
    feedForwardLength: Math.max(0, ...read.numbers(`${architecture}.feed_forward_length`)),
    headCount: attention.headCount,
    vocabularySize: vocabularySizeOf(header, read, architecture),
    weightBytes: sum(header.tensors, (tensor) => tensor.bytes),
    outerWeightBytes: sum(header.tensors, (tensor) => (tensor.name.startsWith('blk.') ? 0 : tensor.bytes)),
    attention: attention.kind,
    kvBytesPerToken: (type) => sum(attention.rows, (elements) => rowBytes(KV_TYPES[type], elements)),
    stateBytesPerSequence: stateBytesOf(read, architecture, layers - attention.layersWithCache),
    ...defined({
      name: read.text('general.name'),
      slidingWindow: read.number(`${architecture}.attention.sliding_window`),
      expertCount: read.number(`${architecture}.expert_count`),
      activeExperts: read.number(`${architecture}.expert_used_count`),
      chatTemplate: read.text('tokenizer.chat_template'),
      license: read.text('general.license'),
      poolingType: read.number(`${architecture}.pooling_type`),
    }),
  }
}

/** One header for a model that is split over several files: metadata of the first, tensors of all. Throws `invalid-model-file`. */
export function mergeHeaders(headers: readonly GgufHeader[], file = 'the file'): GgufHeader {
  const [first, ...rest] = headers
  if (first === undefined) throw new AppError('invalid-model-file', { path: file, reason: 'it has no parts' })
  const expected = splitCountOf(first)
  if (expected !== headers.length) {
    throw new AppError('invalid-model-file', { path: file, reason: `the model has ${expected} parts, and ${headers.length} are here` })
  }
  if (rest.length === 0) return first
  return { ...first, tensors: headers.flatMap((header) => header.tensors), bytes: sum(headers, (header) => header.bytes) }
}

/** How many files the model is split over. */
export function splitCountOf(header: GgufHeader): number {
  const count = header.metadata.get('split.count')
  return typeof count === 'number' && count > 1 ? count : 1
}

interface MetadataReader {
  text(key: string): string | undefined
  number(key: string): number | undefined
  /** A value for each layer, or one for all, or none. */
  numbers(key: string): readonly number[]
}

function readerOf(metadata: ReadonlyMap<string, GgufValue>): MetadataReader {
  const numbers = (key: string): readonly number[] => {
    const value = metadata.get(key)
    const values = typeof value === 'object' ? (value.values ?? []) : [value]
    return values.filter((item): item is number => typeof item === 'number' && Number.isFinite(item) && item >= 0)
  }
  return {
    text: (key) => {
      const value = metadata.get(key)
      return typeof value === 'string' && value !== '' ? value : undefined
    },
    number: (key) => numbers(key)[0],
    numbers,
  }
}

function refusalOf(header: GgufHeader, architecture: string | undefined, read: MetadataReader): string | undefined {
  const type = read.text('general.type')
  if (architecture === 'clip' || type === 'mmproj') return 'it is the vision part of a model, not the model'
  if (type === 'adapter') return 'it is an adapter (LoRA), not a model'
  if (type === 'imatrix') return 'it is an importance matrix, not a model'
  if (header.tensors.length === 0) return 'it has no tensors (a vocabulary only)'
  if (architecture === undefined) return 'it does not name its architecture'
  const layers = read.number(`${architecture}.block_count`)
  if (layers === undefined || !Number.isInteger(layers) || layers < 1 || layers > MAX_LAYERS)
    return `${architecture}.block_count is ${layers ?? 'missing'}`
  const width = read.number(`${architecture}.embedding_length`)
  if (width === undefined || !Number.isInteger(width) || width < 1) return `${architecture}.embedding_length is ${width ?? 'missing'}`
  return undefined
}

interface Attention {
  kind: ModelFacts['attention']
  headCount: number
  layersWithCache: number
  /** Elements of each row that the cache holds per token. */
  rows: readonly number[]
}

/**
 * The rows that libllama's caches hold for a token. Source: llama.cpp src/llama-kv-cache.cpp (constructor: a K row and a V row of
 * head_length × n_head_kv a layer; with MLA `has_v = !is_mla`, V is a view of K), src/llama-kv-cache-dsa.cpp (indexer keys),
 * src/llama-hparams.cpp `is_mla` (both `*_length_mla` keys are set; older files lack them and take the full cache).
 */
function attentionOf(read: MetadataReader, architecture: string, layers: number, embeddingLength: number): Attention {
  const key = (name: string): string => `${architecture}.attention.${name}`
  const heads = perLayer(read.numbers(key('head_count')), layers)
  const kvHeads = perLayer(read.numbers(key('head_count_kv')), layers, heads)
  const headCount = Math.max(0, ...heads)
  const defaultLength = headCount > 0 ? Math.floor(embeddingLength / headCount) : 0
  const keyLength = read.number(key('key_length')) ?? defaultLength
  const valueLength = read.number(key('value_length')) ?? defaultLength
  const isMla = (read.number(key('key_length_mla')) ?? 0) > 0 && (read.number(key('value_length_mla')) ?? 0) > 0
  const indexerLength = read.number(key('indexer.key_length')) ?? 0
  const interval = read.number(`${architecture}.full_attention_interval`) ?? 1
  const cached = kvHeads.filter((count, layer) => count > 0 && (interval <= 1 || (layer + 1) % interval === 0))
  const rows = cached.flatMap((count) => [
    keyLength * count,
    ...(isMla ? [] : [valueLength * count]),
    ...(indexerLength > 0 ? [indexerLength] : []),
  ])
  const mostKvHeads = Math.max(0, ...cached)
  return { kind: kindOf(isMla, headCount, mostKvHeads), headCount, layersWithCache: cached.length, rows }
}

function kindOf(isMla: boolean, heads: number, kvHeads: number): ModelFacts['attention'] {
  if (isMla) return 'mla'
  if (kvHeads === 0) return 'none'
  if (kvHeads === heads) return 'mha'
  return kvHeads === 1 ? 'mqa' : 'gqa'
}

function perLayer(values: readonly number[], layers: number, fallback: readonly number[] = []): number[] {
  return Array.from({ length: layers }, (_, layer) => (values.length > 1 ? values[layer] : values[0]) ?? fallback[layer] ?? 0)
}

/** Convolution and state of Mamba-like layers, in f32. Source: llama-hparams.cpp `n_embd_r`, `n_embd_s`. */
function stateBytesOf(read: MetadataReader, architecture: string, recurrentLayers: number): number {
  const inner = read.number(`${architecture}.ssm.inner_size`)
  const state = read.number(`${architecture}.ssm.state_size`)
  if (inner === undefined || state === undefined || recurrentLayers <= 0) return 0
  const kernel = read.number(`${architecture}.ssm.conv_kernel`) ?? 0
  const groups = read.number(`${architecture}.ssm.group_count`) ?? 0
  return recurrentLayers * 4 * (Math.max(0, kernel - 1) * (inner + 2 * groups * state) + state * inner)
}

function quantizationOf(header: GgufHeader, read: MetadataReader): string {
  const named = read.number('general.file_type')
  // Bit 10 marks a guessed type (LLAMA_FTYPE_GUESSED).
  const name = named === undefined ? undefined : fileTypeName(named & 1023)
  return name ?? dominantType(header.tensors)
}

function dominantType(tensors: readonly GgufTensor[]): string {
  const bytes = new Map<string, number>()
  for (const tensor of tensors) bytes.set(tensor.type.name, (bytes.get(tensor.type.name) ?? 0) + tensor.bytes)
  return [...bytes].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? 'unknown'
}

function vocabularySizeOf(header: GgufHeader, read: MetadataReader, architecture: string): number {
  const tokens = header.metadata.get('tokenizer.ggml.tokens')
  if (typeof tokens === 'object' && tokens.length > 0) return tokens.length
  const embeddings = header.tensors.find((tensor) => tensor.name === 'token_embd.weight')
  return read.number(`${architecture}.vocab_size`) ?? embeddings?.shape[1] ?? 0
}

function elementsOf(tensor: GgufTensor): number {
  return tensor.shape.reduce((product, size) => product * size, 1)
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function defined<T extends Record<string, unknown>>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>
}
