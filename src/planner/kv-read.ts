/** Bytes of the cache that one new token reads. Sparse attention reads all index keys, and of the rows only those that it selects. */
import { bytesPerToken } from './kv-cache.ts'
import type { KvType } from './kv-cache.ts'
import type { KvModel, KvStream } from './kv-streams.ts'

/** `topK`: rows that sparse attention selects; 0 = it reads all. */
export function cellBytesFor(model: KvModel, type: KvType, allocation: 'llama' | 'paged', tokens: number, topK: number): number {
  return model.streams.reduce((sum, stream) => {
    if (stream.fixedBytes !== undefined) return sum + stream.fixedBytes
    const each = bytesPerToken({ ...model, streams: [withoutWindow(stream)] }, { type, allocation })
    const kept = stream.window === undefined ? tokens : Math.min(tokens, stream.window)
    const isSelected = topK > 0 && (stream.name === 'latent' || (stream.name === 'compressed' && stream.ratio <= 4))
    return sum + each * (isSelected ? Math.min(kept, topK * stream.ratio) : kept)
  }, 0)
}

function withoutWindow({ name, layers, rows, ratio }: KvStream): KvStream {
  return { name, layers, rows, ratio }
}
