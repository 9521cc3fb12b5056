/** Small asynchronous building blocks. */

export interface Deferred<T> {
  promise: Promise<T>
  resolve(value: T | PromiseLike<T>): void
  reject(error: unknown): void
}

/** A promise with its handles outside. */
export function deferred<T>(): Deferred<T> {
  let resolve: Deferred<T>['resolve'] = () => {}
  let reject: Deferred<T>['reject'] = () => {}
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

/** Resolves after `ms`; rejects with the signal's reason when aborted first. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** An unbounded single-consumer queue between a producer that pushes and a consumer that iterates. */
export class AsyncQueue<T> implements AsyncIterable<T> {
  #items: T[] = []
  #waiting: Deferred<IteratorResult<T>> | undefined
  #ended = false

  get size(): number {
    return this.#items.length
  }

  /** Ignored after `end()`. */
  push(item: T): void {
    if (this.#ended) return
    if (this.#waiting) {
      this.#waiting.resolve({ value: item, done: false })
      this.#waiting = undefined
    } else {
      this.#items.push(item)
    }
  }

  /** The consumer still gets what was pushed before. Idempotent. */
  end(): void {
    this.#ended = true
    this.#waiting?.resolve({ value: undefined, done: true })
    this.#waiting = undefined
  }

  async next(): Promise<IteratorResult<T>> {
    const item = this.#items.shift()
    if (item !== undefined) return { value: item, done: false }
    if (this.#ended) return { value: undefined, done: true }
    this.#waiting = deferred()
    return this.#waiting.promise
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: () => this.next(),
      return: async () => {
        this.end()
        return { value: undefined, done: true }
      },
    }
  }
}
