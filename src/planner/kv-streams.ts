/**
 * What one sequence keeps of its past, stream by stream: how many layers hold it, the rows of one cell, how many tokens a cell stands for.
 * Sources: llama.cpp src/llama-kv-cache.cpp (a K and a V row a layer; latent attention has no V), src/llama-kv-cache-dsa.cpp (index keys),
 * src/llama-kv-cache-dsv4.cpp (V4's window, compressed rows, compressor states), src/llama-memory-recurrent.cpp; arXiv 2609.19969 (V4.1).
 */
import { shapeFacts } from './shape-facts.ts'
import type { ShapeFacts } from './shape-facts.ts'
import type { ModelShape } from '../models/headers/model-header.ts'

export const KV_STREAMS = [
  'keys-values',
  'window',
  'latent',
  'index-keys',
  'compressed',
  'compressed-index',
  'compressed-window',
  'state',
] as const
export type KvStreamName = (typeof KV_STREAMS)[number]

export interface KvStream {
  name: KvStreamName
  layers: number
  /** Elements of each row that a cell holds: K, and V where there is one. */
  rows: readonly number[]
  /** Tokens that one cell stands for. */
  ratio: number
  /** Tokens that are kept at most. */
  window?: number
  /** Bytes that each sequence takes in all these layers, whatever its length (F32). */
  fixedBytes?: number
}

export interface KvModel {
  scheme: 'MHA' | 'GQA' | 'MQA' | 'MLA' | 'MLA-legacy' | 'MLA+index' | 'V4' | 'V4.1' | 'recurrent' | 'none'
  streams: readonly KvStream[]
  /** Slots never share cells (V4's caches are made for each sequence). */
  isPerSequence: boolean
  /** One latent row serves all heads, so that tensor parallelism cannot split it. */
  isReplicated: boolean
  kvHeads: number
}

/** `mlaLayout`: of a GGUF; other files are latent. */
export function kvModelOf(shape: ModelShape, mlaLayout: 'latent' | 'legacy' = 'latent'): KvModel {
  const facts = shapeFacts(shape)
  if (facts.compression) return compressedModel(facts, facts.compression)
  if (facts.latent) return latentModel(facts, facts.latent, mlaLayout)
  return headsModel(facts)
}

function headsModel(facts: ShapeFacts): KvModel {
  const { headDim, valueDim, kvHeads, windows, recurrent, heads } = facts
  const groups = new Map<string, { count: number; heads: number; window: number }>()
  let states = 0
  let stateLayers = 0
  for (let layer = 0; layer < facts.layers; layer += 1) {
    const state = recurrent[layer]
    if (state) {
      states += state.bytes
      stateLayers += 1
      continue
    }
    const own = kvHeads[layer] ?? 0
    if (own === 0) continue
    const window = windows[layer] ?? 0
    const key = `${own} ${window}`
    const group = groups.get(key) ?? { count: 0, heads: own, window }
    group.count += 1
    groups.set(key, group)
  }
  const cached = [...groups.values()].map(({ count, heads: own, window }): KvStream => ({
    name: window > 0 ? 'window' : 'keys-values',
    layers: count,
    rows: [own * headDim, own * valueDim],
    ratio: 1,
    ...(window > 0 ? { window } : {}),
  }))
  const state: KvStream[] = stateLayers > 0 ? [{ name: 'state', layers: stateLayers, rows: [], ratio: 1, fixedBytes: states }] : []
  const most = Math.max(0, ...[...groups.values()].map((group) => group.heads))
  return {
    scheme: schemeOf(heads, most, stateLayers),
    streams: [...cached, ...state],
    isPerSequence: false,
    isReplicated: false,
    kvHeads: most,
  }
}

function schemeOf(heads: number, kvHeads: number, stateLayers: number): KvModel['scheme'] {
  if (stateLayers > 0) return 'recurrent'
  if (kvHeads === 0) return 'none'
  if (kvHeads === heads) return 'MHA'
  return kvHeads === 1 ? 'MQA' : 'GQA'
}

/** The legacy layout keeps full keys and values of all heads: 71 times as much for V3. */
function latentModel(facts: ShapeFacts, latent: NonNullable<ShapeFacts['latent']>, layout: 'latent' | 'legacy'): KvModel {
  const { layers, heads, index } = facts
  const { rank, rope, nope, value } = latent
  const indexKeys: KvStream[] = index ? [{ name: 'index-keys', layers, rows: [index.dim], ratio: 1 }] : []
  if (layout === 'legacy') {
    const streams: KvStream[] = [{ name: 'keys-values', layers, rows: [heads * (nope + rope), heads * value], ratio: 1 }, ...indexKeys]
    return { scheme: 'MLA-legacy', streams, isPerSequence: false, isReplicated: false, kvHeads: heads }
  }
  const streams: KvStream[] = [{ name: 'latent', layers, rows: [rank + rope], ratio: 1 }, ...indexKeys]
  return { scheme: index ? 'MLA+index' : 'MLA', streams, isPerSequence: false, isReplicated: true, kvHeads: 1 }
}

/** Of the micro-batch that is computed at once, which the window must hold beside itself (libllama's n_ubatch). */
export const MICRO_BATCH = 512
/** V4's compressed layers: overlapping rows with an index, and long ones. */
const SHORT_RATIO = 4

function compressedModel(facts: ShapeFacts, compression: NonNullable<ShapeFacts['compression']>): KvModel {
  const { ratios, sources } = compression
  const window = Math.max(0, ...facts.windows)
  const windows: KvStream = { name: 'compressed-window', layers: facts.layers, rows: [facts.headDim], ratio: 1, window }
  const common = { isPerSequence: true, isReplicated: true, kvHeads: 1 }
  if (sources) return { scheme: 'V4.1', streams: [windows, ...sharedStreams(facts, ratios, sources)], ...common }
  const indexDim = facts.index?.dim ?? 0
  const short = ratios.filter((ratio) => ratio > 0 && ratio <= SHORT_RATIO)
  const long = ratios.filter((ratio) => ratio > SHORT_RATIO)
  const shortRatio = short[0] ?? SHORT_RATIO
  const longRatio = long[0] ?? 128
  // Compressor states, F32: keys and scores of two overlapping blocks twice as wide (short), of one block (long).
  const shortState = short.length * 4 * (2 * 2 * shortRatio * (2 * facts.headDim) + 2 * 2 * shortRatio * (2 * indexDim))
  const longState = long.length * 4 * 2 * longRatio * facts.headDim
  const streams: KvStream[] = [
    windows,
    { name: 'compressed', layers: short.length, rows: [facts.headDim], ratio: shortRatio },
    { name: 'compressed-index', layers: short.length, rows: [indexDim], ratio: shortRatio },
    { name: 'compressed', layers: long.length, rows: [facts.headDim], ratio: longRatio },
    { name: 'state', layers: short.length + long.length, rows: [], ratio: 1, fixedBytes: shortState + longState },
  ]
  return { scheme: 'V4', streams: streams.filter((stream) => stream.layers > 0), ...common }
}

/** V4.1: only the source layers write rows; all others read theirs. */
function sharedStreams(facts: ShapeFacts, ratios: readonly number[], sources: readonly number[]): KvStream[] {
  return sources.flatMap((layer): KvStream[] => {
    const ratio = ratios[layer] ?? 0
    if (ratio === 0) return []
    return [
      { name: 'compressed', layers: 1, rows: [facts.headDim], ratio },
      ...(facts.index ? [{ name: 'compressed-index' as const, layers: 1, rows: [facts.index.dim], ratio }] : []),
    ]
  })
}
