/** How inputs are cut into computations, and how their tokens' rows become vectors. Pure. */

/** A part of one input: tokens [start, end). */
export interface Part {
  input: number
  slot: number
  start: number
  end: number
}

export type Chunk = readonly Part[]

export type Pooling = 'mean' | 'cls' | 'last'

/**
 * Chunks of at most `chunkTokens` tokens and `slots` inputs, inputs in order. With `whole` no input is cut
 * (each must fit); otherwise only the last of a chunk is, and goes on in the next one, in the same slot.
 */
export function planChunks(
  lengths: readonly number[],
  { chunkTokens, slots, whole }: { chunkTokens: number; slots: number; whole: boolean },
): Chunk[] {
  const chunks: Part[][] = []
  let current: Part[] = []
  let room = chunkTokens
  const close = (): void => {
    if (current.length > 0) chunks.push(current)
    current = []
    room = chunkTokens
  }
  for (const [input, length] of lengths.entries()) {
    // A slot may be used again in the same chunk only by the same input.
    const slot = input % slots
    for (let start = 0; start < length;) {
      if (room === 0 || current.length === slots || (whole && length > room)) close()
      const end = Math.min(length, start + room)
      current.push({ input, slot, start, end })
      room -= end - start
      start = end
    }
  }
  close()
  return chunks
}

/** Collects the rows of each input's tokens into one vector. */
export class VectorPool {
  readonly #pooling: Pooling
  readonly #lengths: readonly number[]
  readonly #vectors: Float32Array[]

  constructor(pooling: Pooling, dimensions: number, inputs: readonly (readonly number[])[]) {
    this.#pooling = pooling
    this.#lengths = inputs.map((tokens) => tokens.length)
    this.#vectors = inputs.map(() => new Float32Array(dimensions))
  }

  /** `row` may be longer than a vector. */
  add(input: number, index: number, row: Float32Array): void {
    const vector = this.#vectors[input]
    const length = this.#lengths[input]
    if (!vector || length === undefined) return
    const only = this.#pooling === 'cls' ? 0 : length - 1
    if (this.#pooling === 'mean')
      for (let place = 0; place < vector.length; place++) vector[place] = (vector[place] ?? 0) + (row[place] ?? 0) / length
    else if (index === only) vector.set(row.subarray(0, vector.length))
  }

  vectors(): Float32Array[] {
    return this.#vectors
  }
}
