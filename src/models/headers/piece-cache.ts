/** Pieces of a file that were read, by where they begin. Bounded: the piece that was added first goes first. */
const MOST_BYTES = 96 * 1024 * 1024

export class PieceCache {
  #pieces: { start: number; data: Uint8Array }[] = []
  #bytes = 0

  add(start: number, data: Uint8Array): void {
    this.#pieces.push({ start, data })
    this.#bytes += data.length
    while (this.#bytes > MOST_BYTES && this.#pieces.length > 1) this.#bytes -= this.#pieces.shift()?.data.length ?? 0
  }

  /** The first byte from `offset` on that is not here. */
  heldUntil(offset: number): number {
    let at = offset
    for (let piece = this.#at(at); piece !== undefined; piece = this.#at(at)) at = piece.start + piece.data.length
    return at
  }

  /** `length` bytes that are all here (see `heldUntil`); without a copy when one piece has them. */
  take(offset: number, length: number): Uint8Array {
    const first = this.#at(offset)
    const inside = offset - (first?.start ?? 0)
    if (first !== undefined && inside + length <= first.data.length) return first.data.subarray(inside, inside + length)
    const result = new Uint8Array(length)
    for (let done = 0; done < length;) {
      const piece = this.#at(offset + done)
      if (piece === undefined) throw new Error('a piece is missing')
      const part = piece.data.subarray(offset + done - piece.start).subarray(0, length - done)
      result.set(part, done)
      done += part.length
    }
    return result
  }

  clear(): void {
    this.#pieces = []
    this.#bytes = 0
  }

  #at(offset: number): { start: number; data: Uint8Array } | undefined {
    return this.#pieces.findLast((piece) => piece.start <= offset && offset < piece.start + piece.data.length)
  }
}
