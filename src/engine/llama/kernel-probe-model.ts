/**
 * The tiny model that kernels are measured with: two Llama layers of random Q4_K weights (12 MB), so that the same code runs as for a real
 * one: repacked quantised products, F16 cache, attention. Its numbers mean nothing, but none of them overflows.
 */
import { writeGguf } from './gguf-writer.ts'
import type { GgufWriteTensor, GgufWriteValue } from './gguf-writer.ts'

const LAYERS = 2
const HIDDEN = 1024
const FEED_FORWARD = 2816
const HEADS = 16
const KV_HEADS = 4
const HEAD_DIMENSION = 64
export const PROBE_CONTEXT = 512
export const PROBE_VOCABULARY = 256

/** Multiplications and additions for one token. */
export const PROBE_OPERATIONS: number =
  2 * (LAYERS * (2 * HIDDEN * HIDDEN + 2 * HIDDEN * KV_HEADS * HEAD_DIMENSION + 3 * HIDDEN * FEED_FORWARD) + HIDDEN * PROBE_VOCABULARY)

export function makeProbeModel(): Buffer {
  const random = randomBytesFrom(1)
  const matrix = (name: string, columns: number, rows: number): GgufWriteTensor => ({
    name: `${name}.weight`,
    shape: [columns, rows],
    type: 'q4_k',
    data: randomQ4K((columns * rows) / 256, random),
  })
  const norm = (name: string): GgufWriteTensor => ({ name: `${name}.weight`, shape: [HIDDEN], type: 'f32', data: ones(HIDDEN) })
  const layers = Array.from({ length: LAYERS }, (_, index) => {
    const prefix = `blk.${index}.`
    return [
      norm(`${prefix}attn_norm`),
      norm(`${prefix}ffn_norm`),
      matrix(`${prefix}attn_q`, HIDDEN, HEADS * HEAD_DIMENSION),
      matrix(`${prefix}attn_k`, HIDDEN, KV_HEADS * HEAD_DIMENSION),
      matrix(`${prefix}attn_v`, HIDDEN, KV_HEADS * HEAD_DIMENSION),
      matrix(`${prefix}attn_output`, HEADS * HEAD_DIMENSION, HIDDEN),
      matrix(`${prefix}ffn_gate`, HIDDEN, FEED_FORWARD),
      matrix(`${prefix}ffn_up`, HIDDEN, FEED_FORWARD),
      matrix(`${prefix}ffn_down`, FEED_FORWARD, HIDDEN),
    ]
  })
  const tensors = [matrix('token_embd', HIDDEN, PROBE_VOCABULARY), norm('output_norm'), ...layers.flat()]
  return writeGguf(probeMetadata(), tensors)
}

function probeMetadata(): Record<string, GgufWriteValue> {
  const uint32 = (value: number): GgufWriteValue => ({ type: 'uint32', value })
  return {
    'general.architecture': { type: 'string', value: 'llama' },
    'general.name': { type: 'string', value: 'bendi kernel probe' },
    'llama.block_count': uint32(LAYERS),
    'llama.context_length': uint32(PROBE_CONTEXT),
    'llama.embedding_length': uint32(HIDDEN),
    'llama.feed_forward_length': uint32(FEED_FORWARD),
    'llama.attention.head_count': uint32(HEADS),
    'llama.attention.head_count_kv': uint32(KV_HEADS),
    'llama.attention.layer_norm_rms_epsilon': { type: 'float32', value: 1e-5 },
    'llama.rope.dimension_count': uint32(HEAD_DIMENSION),
    'llama.vocab_size': uint32(PROBE_VOCABULARY),
    'tokenizer.ggml.model': { type: 'string', value: 'no_vocab' },
  }
}

/** block_q4_K of ggml-common.h: scale d and minimum dmin as halves, 12 bytes of 6-bit scales, 128 bytes of 4-bit numbers. */
function randomQ4K(blocks: number, random: (bytes: Uint8Array) => void): Uint8Array {
  const size = 144
  const data = new Uint8Array(blocks * size)
  random(data)
  for (let at = 0; at < data.length; at += size) {
    // 2^-13 as a half is 0x0800; small enough that nothing grows over the layers.
    data.set([0x00, 0x08, 0x00, 0x08], at)
  }
  return data
}

function ones(count: number): Uint8Array {
  return new Uint8Array(new Float32Array(count).fill(1).buffer)
}

/** xorshift32: always the same bytes, and fast. */
function randomBytesFrom(seed: number): (bytes: Uint8Array) => void {
  let state = seed
  return (bytes) => {
    for (let index = 0; index < bytes.length; index++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      bytes[index] = state
    }
  }
}
