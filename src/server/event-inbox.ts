/** Between a source that must not wait and a reader that may be slow. */

/** How an item joins those that the reader has not taken yet; it may change the last of them instead of adding. */
export type Merge<T> = (pending: T[], item: T) => void

/**
 * Takes what the source gives at once and merges it with what still waits, so that a slow reader costs the text's bytes rather than an object
 * for every token. A source that throws ends with that failure.
 */
export class EventInbox<T> {
  #pending: T[] = []
  #ended = false
  #failure: unknown
  #stopped = false
  #wake: (() => void) | undefined
  readonly #iterator: AsyncIterator<T>
  readonly #merge: Merge<T>

  constructor(source: AsyncIterable<T>, merge: Merge<T>) {
    this.#merge = merge
    this.#iterator = source[Symbol.asyncIterator]()
    void this.#pump()
  }

  /** What has not been taken yet; the oldest first. */
  get pending(): readonly T[] {
    return this.#pending
  }

  /** The source has ended; `pending` may still hold its last items. */
  get ended(): boolean {
    return this.#ended
  }

  /** What the source threw, once `ended`. */
  get failure(): unknown {
    return this.#failure
  }

  take(): T[] {
    const items = this.#pending
    this.#pending = []
    return items
  }

  /** Resolves at the next item or the end; one caller at a time. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** Nobody reads any more: the source is returned, and what it still gives is dropped. Idempotent. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#pending = []
    // A generator that is waiting only sees this after its next item; the caller's AbortSignal is what hurries it.
    if (!this.#ended) this.#iterator.return?.().catch(() => {})
    this.#finish()
  }

  async #pump(): Promise<void> {
    try {
      while (!this.#stopped) {
        const { done, value } = await this.#iterator.next()
        if (done || this.#stopped) break
        this.#merge(this.#pending, value)
        this.#notify()
      }
    } catch (error) {
      if (!this.#stopped) this.#failure = error
    }
    this.#finish()
  }

  #finish(): void {
    this.#ended = true
    this.#notify()
  }

  #notify(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}
