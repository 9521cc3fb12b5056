/**
 * Bytes of the KV cache, to the byte as the engine allocates it.
 * llama.cpp: cells in multiples of 256, by sequence (split) or in one pool (unified); src/llama-context.cpp, src/llama-kv-cache.cpp.
 * vLLM and SGLang: pages of tokens; fp8 rows of DeepSeek's sparse and compressed attention have their own layouts.
 */
import type { PLAN_KV_TYPES } from '../shared/plan.ts'
import { MICRO_BATCH } from './kv-streams.ts'
import type { KvModel, KvStream, KvStreamName } from './kv-streams.ts'
import { typeBytes } from './tensor-types.ts'

export type KvType = (typeof PLAN_KV_TYPES)[number]

export interface KvWish {
  /** Tokens of one sequence. */
  context: number
  users: number
  type: KvType
  layout: 'unified' | 'split'
  allocation: 'llama' | 'paged'
  /** libllama's `swa_full`: sliding windows are kept whole, so that prefixes can be shared. Default false. */
  fullWindows?: boolean
}

export interface KvPart {
  stream: KvStreamName
  layers: number
  /** Of all sequences together. */
  cells: number
  /** Of one cell in one layer. */
  bytesPerCell: number
  bytes: number
}

export interface KvSize {
  bytes: number
  parts: readonly KvPart[]
  /** What one more token costs a sequence, in the long run. */
  bytesPerToken: number
  /** What a sequence costs before its first token. */
  fixedBytesPerSequence: number
}

/** llama.cpp pads to this many cells. */
const LLAMA_PAD = 256
/** vLLM's and SGLang's usual page with latent attention; smaller ones elsewhere, which is below the precision that matters. */
const PAGE_TOKENS = 64

export function kvSize(model: KvModel, wish: KvWish): KvSize {
  const parts = model.streams.map((stream) => partOf(stream, model, wish))
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0)
  return { bytes, parts, bytesPerToken: bytesPerToken(model, wish), fixedBytesPerSequence: fixedBytes(model) }
}

/** Of all layers, without windows and states. */
export function bytesPerToken(
  model: KvModel,
  { type, allocation, fullWindows = false }: Pick<KvWish, 'type' | 'allocation' | 'fullWindows'>,
): number {
  return model.streams
    .filter((stream) => stream.window === undefined || (fullWindows && stream.name === 'window'))
    .reduce((sum, stream) => sum + (stream.layers * cellBytes(stream, model, { type, allocation })) / stream.ratio, 0)
}

function fixedBytes(model: KvModel): number {
  return model.streams.reduce((sum, stream) => sum + (stream.fixedBytes ?? 0), 0)
}

function partOf(stream: KvStream, model: KvModel, wish: KvWish): KvPart {
  const { name, layers } = stream
  if (stream.fixedBytes !== undefined) {
    return { stream: name, layers, cells: wish.users, bytesPerCell: stream.fixedBytes / layers, bytes: stream.fixedBytes * wish.users }
  }
  const cells = wish.allocation === 'llama' ? llamaCells(stream, model, wish) : pagedCells(stream, wish)
  const each = cellBytes(stream, model, wish)
  return { stream: name, layers, cells, bytesPerCell: each, bytes: layers * cells * each }
}

/** Source: llama-context.cpp (n_ctx padded to 256; n_ctx_seq = n_ctx / n_seq_max when split), llama-kv-cache-iswa.cpp (window + n_ubatch). */
function llamaCells(stream: KvStream, model: KvModel, { context, users, layout, fullWindows }: KvWish): number {
  const isOwn = layout === 'split' || model.isPerSequence
  const tokens = isOwn ? pad(context, LLAMA_PAD) : pad(context * users, LLAMA_PAD)
  const copies = isOwn ? users : 1
  if (stream.name === 'compressed-window') return copies * pad(Math.min(context, (stream.window ?? 0) + MICRO_BATCH), LLAMA_PAD)
  if (stream.window !== undefined && !fullWindows) {
    const kept = stream.window * (isOwn ? 1 : users) + MICRO_BATCH
    return copies * Math.min(tokens, pad(kept, LLAMA_PAD))
  }
  if (stream.ratio === 1) return copies * tokens
  return copies * pad(Math.ceil(context / stream.ratio), model.scheme === 'V4' ? LLAMA_PAD : 1)
}

/** Pages are taken as a sequence grows: the last one counts whole. */
function pagedCells(stream: KvStream, { context, users }: KvWish): number {
  const tokens = stream.window === undefined ? context : Math.min(context, stream.window)
  return users * Math.ceil(pad(tokens, PAGE_TOKENS) / stream.ratio)
}

/** One cell in one layer. */
function cellBytes(stream: KvStream, model: KvModel, { type, allocation }: Pick<KvWish, 'type' | 'allocation'>): number {
  if (type === 'fp8' && allocation === 'paged' && stream.rows.length > 0) {
    const special = sparseRowBytes(stream.name, model.scheme)
    if (special !== undefined) return special
  }
  return stream.rows.reduce((sum, elements) => sum + typeBytes(STORAGE[type], 1, elements), 0)
}

const STORAGE: Readonly<Record<KvType, string>> = { f16: 'F16', bf16: 'BF16', q8_0: 'Q8_0', q4_0: 'Q4_0', fp8: 'F8_E4M3' }

/**
 * vLLM's `fp8_ds_mla`: 512 FP8 + 16 of scales + 64 BF16 of position = 656; V4: 448 FP8 + 64 BF16 + 8 of scales = 584; an index row is
 * 128 FP8 + 4 of scale = 132. Source: shared facts models.md 7.2 (vLLM vllm/v1/attention/backends/mla).
 */
function sparseRowBytes(name: KvStreamName, scheme: KvModel['scheme']): number | undefined {
  if (scheme === 'MLA+index') return name === 'latent' ? 656 : 132
  if (scheme !== 'V4' && scheme !== 'V4.1') return undefined
  return name === 'compressed-index' ? 132 : 584
}

function pad(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple
}
