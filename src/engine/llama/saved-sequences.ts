/** Sequences taken out of the KV cache into ordinary memory, by key, and back into any slot of a context of any shape. */
import type { ContextPointer } from './binding-types.ts'
import type { LlamaModel } from './model.ts'
import { allocateRaw, blobFromBytes, bytesForStreams, normalizeBlob, resetStreams } from './sequence-blob.ts'
import type { SequenceBlob } from './sequence-blob.ts'

export interface SequenceMemory {
  context: ContextPointer
  /** 1 in the unified layout, one a slot in the split one. */
  streams: number
}

export class SavedSequences {
  #model: LlamaModel
  #blobs = new Map<number, SequenceBlob>()
  readonly isPortable: boolean

  constructor(model: LlamaModel) {
    this.#model = model
    this.isPortable = isPortable(model)
  }

  /** Out of the cache. */
  async read(memory: SequenceMemory, slot: number): Promise<SequenceBlob> {
    const { binding } = this.#model
    const raw = allocateRaw(binding.stateBytes(memory.context, slot))
    const written = await binding.readState(memory.context, raw, slot)
    if (written === 0) throw new Error(`the state of slot ${slot} could not be read`)
    if (!this.isPortable) return { bytes: raw.subarray(0, written), withTail: raw }
    const blob = normalizeBlob(raw, written, memory.streams === 1 ? 0 : slot, memory.streams)
    if (!blob) throw new Error(`the state of slot ${slot} has an unknown form`)
    return blob
  }

  /** Into a slot, which is emptied before. */
  async write(memory: SequenceMemory, slot: number, blob: SequenceBlob): Promise<void> {
    const bytes = this.isPortable ? bytesForStreams(blob, memory.streams) : blob.bytes
    const moved = await this.#model.binding.writeState(memory.context, bytes, slot)
    if (this.isPortable) resetStreams(blob)
    if (moved === 0) throw new Error(`a saved sequence of ${blob.bytes.length} bytes does not fit into slot ${slot}`)
  }

  async save(memory: SequenceMemory, slot: number, key: number): Promise<void> {
    this.#blobs.set(key, await this.read(memory, slot))
  }

  async load(memory: SequenceMemory, slot: number, key: number): Promise<void> {
    const blob = this.#blobs.get(key)
    if (!blob) throw new Error(`there is no saved sequence ${key}`)
    await this.write(memory, slot, blob)
  }

  bytes(key: number): Uint8Array | undefined {
    return this.#blobs.get(key)?.bytes
  }

  add(key: number, bytes: Uint8Array): void {
    this.#blobs.set(key, blobFromBytes(bytes))
  }

  drop(key: number): void {
    this.#blobs.delete(key)
  }

  /** When the context changes its shape. */
  dropUnportable(): void {
    if (!this.isPortable) this.#blobs.clear()
  }

  get totalBytes(): number {
    return [...this.#blobs.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
  }
}

/** Models with a sliding window or a recurrent state write other formats, which only a context of the same shape reads. */
export function isPortable({ shape }: Pick<LlamaModel, 'shape'>): boolean {
  return !shape.isRecurrent && shape.slidingWindow === 0
}
