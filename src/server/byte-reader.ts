import { AppError } from '../shared/errors.ts'

/** Bytes of a body, cut at delimiters. Holds back no more than a delimiter and what came in one piece. */
export class ByteReader {
  readonly #source: ReadableStreamDefaultReader<Uint8Array>
  #held: Buffer = Buffer.alloc(0)
  #ended = false

  constructor(source: ReadableStream<Uint8Array>) {
    this.#source = source.getReader()
  }

  /** All before the delimiter, which is taken as well. Throws `invalid-request` when it never comes. */
  async *until(delimiter: Buffer): AsyncGenerator<Uint8Array> {
    for (;;) {
      const at = this.#held.indexOf(delimiter)
      if (at >= 0) {
        const piece = this.#held.subarray(0, at)
        this.#held = this.#held.subarray(at + delimiter.length)
        if (piece.length > 0) yield piece
        return
      }
      // The end of what is held may be the beginning of the delimiter.
      const free = this.#held.length - delimiter.length + 1
      if (free > 0) {
        const piece = this.#held.subarray(0, free)
        this.#held = this.#held.subarray(free)
        yield piece
      }
      await this.#more()
    }
  }

  async take(count: number): Promise<Buffer> {
    while (this.#held.length < count) await this.#more()
    const taken = this.#held.subarray(0, count)
    this.#held = this.#held.subarray(count)
    return taken
  }

  /** All that still comes. */
  async *rest(): AsyncGenerator<Uint8Array> {
    while (await this.#fill()) {
      yield this.#held
      this.#held = Buffer.alloc(0)
    }
  }

  /** Puts bytes in front of what comes next. */
  unread(bytes: Buffer): void {
    this.#held = Buffer.concat([bytes, this.#held])
  }

  /** Nothing more is wanted. Idempotent. */
  async cancel(): Promise<void> {
    await this.#source.cancel().catch(() => {})
  }

  async #more(): Promise<void> {
    if (!(await this.#fill())) throw brokenOff()
  }

  /** False at the end. */
  async #fill(): Promise<boolean> {
    if (this.#ended) return false
    // Only a client that is gone makes this fail.
    const { done, value } = await this.#source.read().catch(() => {
      throw brokenOff()
    })
    if (done) this.#ended = true
    else this.#held = Buffer.concat([this.#held, value])
    return !done
  }
}

function brokenOff(): AppError {
  return new AppError('invalid-request', { reason: 'the body broke off' })
}
