/** Time as an argument, so that tests own it. */
export interface Clock {
  /** ms since 1970. */
  now(): number
  /** Calls back once after `ms`; the answer cancels. */
  timer(ms: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  now: Date.now,
  timer(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, 2 ** 31 - 1))
    timer.unref()
    return () => clearTimeout(timer)
  },
}
