/** Speeds of connections, and pauses after failures. Pure. */

const MOST_PAUSE_MS = 30_000
const MOST_RETRY_AFTER_MS = 300_000

/** An average over about a second, in bytes per second; `seconds` is how long the new value speaks for. */
export function mixedSpeed(before: number, value: number, seconds = 0.5): number {
  return before === 0 ? value : before + (value - before) * (1 - Math.exp(-seconds))
}

/** Doubles with each failure, spread by a quarter so that many clients do not come back together; or as the server asked. ms. */
export function pauseAfter(failures: number, firstMs: number, askedMs: number | undefined, random: number): number {
  const grown = firstMs * 2 ** (failures - 1) * (0.75 + random / 2)
  return Math.min(askedMs ?? grown, askedMs === undefined ? MOST_PAUSE_MS : MOST_RETRY_AFTER_MS)
}
