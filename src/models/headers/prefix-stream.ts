/** The beginning of a file from a server that knows no ranges: its answer is read on only as far as somebody asks, and kept. */
import type { HttpResponse } from '../../base/http.ts'
import { AppError } from '../../shared/errors.ts'
import type { FileSource } from '../byte-source.ts'

/** Nobody's header is longer; weights must not be read for it. */
const MOST_BYTES = 64 * 1024 * 1024

export class PrefixStream implements FileSource {
  readonly bytes: number
  readonly #response: HttpResponse
  readonly #cost: { bytes: number }
  readonly #chunks: AsyncIterator<Uint8Array>
  #held: Buffer = Buffer.alloc(0)
  #length = 0

  constructor(response: HttpResponse, bytes: number, cost: { bytes: number }) {
    this.#response = response
    this.bytes = bytes
    this.#cost = cost
    this.#chunks = response.body[Symbol.asyncIterator]()
  }

  /** Throws `download-failed` for what lies far behind the beginning. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const end = Math.min(offset + length, this.bytes)
    if (end <= offset) return new Uint8Array(0)
    if (end > MOST_BYTES) throw this.#failure('does not give parts of a file, and the part lies far from its beginning')
    while (this.#length < end) {
      const { value, done } = await this.#next()
      if (done) throw this.#failure('broke off')
      this.#append(value)
    }
    return this.#held.subarray(offset, end)
  }

  async close(): Promise<void> {
    await this.#chunks.return?.()
    await this.#response.discard()
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#chunks.next()
    } catch (error) {
      throw this.#failure('broke off', error)
    }
  }

  #append(chunk: Uint8Array): void {
    this.#cost.bytes += chunk.length
    if (this.#length + chunk.length > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(1024 * 1024, 2 * (this.#length + chunk.length)))
      this.#held.copy(larger, 0, 0, this.#length)
      this.#held = larger
    }
    this.#held.set(chunk, this.#length)
    this.#length += chunk.length
  }

  #failure(reason: string, cause?: unknown): AppError {
    const { host, pathname } = new URL(this.#response.url)
    return new AppError('download-failed', { file: pathname.split('/').at(-1) ?? '', reason: `${host} ${reason}` }, { cause })
  }
}
