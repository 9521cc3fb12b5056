/** Progress of a pull over all its files, told at most ten times a second. */

export interface PullProgress {
  state: 'resolving' | 'downloading' | 'verifying'
  source?: string
  file?: string
  doneBytes: number
  /** 0 until it is known. */
  totalBytes: number
  bytesPerSecond: number
}

export interface ProgressMeter {
  /** A change that is always told. */
  state(state: PullProgress['state'], change?: Partial<PullProgress>): void
  /** Bytes so far, told now and then. The first value after `state` is where the speed starts. */
  bytes(doneBytes: number, change?: Partial<PullProgress>): void
}

const TELL_MS = 100
/** The speed is an average over about this long. */
const SPEED_MS = 3000

export function createProgressMeter(tell: (progress: PullProgress) => void, now: () => number = Date.now): ProgressMeter {
  let current: PullProgress = { state: 'resolving', doneBytes: 0, totalBytes: 0, bytesPerSecond: 0 }
  let toldAt = Number.NEGATIVE_INFINITY
  let sample: { at: number; bytes: number } | undefined
  const send = (): void => {
    toldAt = now()
    tell({ ...current })
  }
  const measure = (doneBytes: number): void => {
    const at = now()
    if (sample === undefined || doneBytes < sample.bytes) sample = { at, bytes: doneBytes }
    const elapsed = at - sample.at
    if (elapsed < TELL_MS) return
    const speed = ((doneBytes - sample.bytes) * 1000) / elapsed
    const weight = current.bytesPerSecond === 0 ? 1 : 1 - Math.exp(-elapsed / SPEED_MS)
    current.bytesPerSecond += (speed - current.bytesPerSecond) * weight
    sample = { at, bytes: doneBytes }
  }
  return {
    state: (state, change = {}) => {
      sample = undefined
      current = { ...current, ...change, state, bytesPerSecond: 0 }
      send()
    },
    bytes: (doneBytes, change = {}) => {
      measure(doneBytes)
      current = { ...current, ...change, doneBytes }
      if (now() - toldAt >= TELL_MS) send()
    },
  }
}
