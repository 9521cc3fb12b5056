/** A cap on the bytes per second of everything that is downloaded (a token bucket). */
import { delay as realDelay } from '../../base/async.ts'

export interface RateLimit {
  /** Waits until so many bytes may pass. Order of callers is kept. */
  take(bytes: number, signal?: AbortSignal): Promise<void>
}

export interface RateLimitOptions {
  bytesPerSecond: number
  /** ms. */
  now?: () => number
  delay?: (ms: number, signal?: AbortSignal) => Promise<void>
}

/** What may pass at once after a pause, in seconds of the rate. */
const BURST_SECONDS = 0.25

export function createRateLimit({ bytesPerSecond, now = Date.now, delay = realDelay }: RateLimitOptions): RateLimit {
  /** When the bytes that were granted so far have all been paid for, ms. */
  let paidUntil = now()
  return {
    take: async (bytes, signal) => {
      const at = now()
      paidUntil = Math.max(paidUntil, at - BURST_SECONDS * 1000) + (bytes * 1000) / bytesPerSecond
      if (paidUntil > at) await delay(paidUntil - at, signal)
    },
  }
}
