/** Work on many items, several at once, whose results are wanted in the order of the items. */
import { deferred } from '../base/async.ts'

export interface InOrderOptions<Item, Result> {
  /** How many are worked on at the same time, at most. */
  parallel: number
  /** Must reject when its signal is aborted: that happens when an earlier one has failed. */
  work(item: Item, signal: AbortSignal): Promise<Result>
  /** Called in the order of the items, as soon as all before are done. */
  take(result: Result): void
  signal: AbortSignal
}

/** Throws the error of the first item, in their order, that failed; those after it are aborted. */
export async function inOrder<Item, Result>(
  items: readonly Item[],
  { parallel, work, take, signal }: InOrderOptions<Item, Result>,
): Promise<void> {
  const over = new AbortController()
  // One for each item, or their listeners would pile up on one signal.
  const either = (): AbortSignal => AbortSignal.any([signal, over.signal])
  const jobs = items.map((item) => ({ item, result: deferred<Result>() }))
  // A later one may fail while an earlier one is still waited for.
  for (const { result } of jobs) result.promise.catch(() => {})
  // The workers share it, so each item is taken once.
  const queue = jobs.values()
  const workers = Array.from({ length: Math.max(1, Math.min(parallel, items.length)) }, async () => {
    for (const { item, result } of queue) {
      const stop = either()
      if (stop.aborted) result.reject(stop.reason)
      else await work(item, stop).then(result.resolve, result.reject)
    }
  })
  try {
    for (const { result } of jobs) take(await result.promise)
  } finally {
    over.abort()
    await Promise.all(workers)
  }
}
