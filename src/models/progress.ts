/** Progress of a pull over all its files, told at most ten times a second. */
import type { Localized } from '../shared/language.ts'

export interface PullProgress {
  state: 'resolving' | 'downloading' | 'verifying'
  source?: string
  file?: string
  doneBytes: number
  /** 0 until it is known. */
  totalBytes: number
  bytesPerSecond: number
  /** Absent while it is not known. */
  etaSeconds?: number
  /** Each file of several. */
  files?: { path: string; doneBytes: number; totalBytes: number }[]
  connections?: number
  /** Why it is slow. */
  notice?: Localized
}

export interface ProgressMeter {
  /** A change that is always told. */
  state(state: PullProgress['state'], change?: Partial<PullProgress>): void
  /** Bytes so far, told now and then. The first value after `state` is where the speed starts. */
  bytes(doneBytes: number, change?: Partial<PullProgress>): void
  /** Always told, and kept until it goes on well for a while. */
  notice(text: Localized): void
}

const TELL_MS = 100
/** The speed is an average over about this long. */
const SPEED_MS = 3000
/** How long a notice is shown after the last trouble. */
const NOTICE_MS = 10_000

export function createProgressMeter(tell: (progress: PullProgress) => void, now: () => number = Date.now): ProgressMeter {
  let current: PullProgress = { state: 'resolving', doneBytes: 0, totalBytes: 0, bytesPerSecond: 0 }
  let toldAt = Number.NEGATIVE_INFINITY
  let sample: { at: number; bytes: number } | undefined
  let noticedAt = Number.NEGATIVE_INFINITY
  const send = (): void => {
    toldAt = now()
    if (now() - noticedAt > NOTICE_MS) delete current.notice
    if (current.bytesPerSecond > 0 && current.totalBytes > 0)
      current.etaSeconds = Math.max(0, current.totalBytes - current.doneBytes) / current.bytesPerSecond
    else delete current.etaSeconds
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
    notice: (notice) => {
      noticedAt = now()
      current = { ...current, notice }
      send()
    },
  }
}
