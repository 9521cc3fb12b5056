/** This machine with its speeds measured: once, when somebody first needs them, and from then on from a file. */
import { within } from '../hardware/system.ts'
import type { Hardware } from '../shared/api.ts'

export interface MeasuredHardwareOptions {
  probe(): Promise<Hardware>
  /** Fills in what is not known; see src/hardware/measurements.ts. */
  measure(hardware: Hardware, signal: AbortSignal): Promise<Hardware>
  /** ms. */
  now?: () => number
  patienceMs?: number
}

export interface MeasuredHardware {
  /** Waits at most `patienceMs` for a measurement, which goes on for those who ask later. */
  hardware(): Promise<Hardware>
  /** Ends a measurement that is under way, and waits until it has let go. */
  close(): Promise<void>
}

const PATIENCE_MS = 2000
/** A machine that was too busy to measure is not tried again sooner. */
const AGAIN_MS = 60_000

export function measuredHardware({ probe, measure, now = Date.now, patienceMs = PATIENCE_MS }: MeasuredHardwareOptions): MeasuredHardware {
  const stop = new AbortController()
  let running: Promise<Hardware> | undefined
  let triedAt = Number.NEGATIVE_INFINITY
  const begin = (hardware: Hardware): Promise<Hardware> => {
    triedAt = now()
    running = measure(hardware, stop.signal)
      .catch(() => hardware)
      .finally(() => (running = undefined))
    return running
  }
  return {
    hardware: async () => {
      const hardware = await probe()
      if (hardware.memory.readBytesPerSecond !== undefined || stop.signal.aborted) return hardware
      if (running === undefined && now() - triedAt < AGAIN_MS) return hardware
      const measured = await within(running ?? begin(hardware), patienceMs, hardware)
      const { readBytesPerSecond } = measured.memory
      return readBytesPerSecond === undefined ? hardware : { ...hardware, memory: { ...hardware.memory, readBytesPerSecond } }
    },
    close: async () => {
      stop.abort(new Error('closed'))
      await running
    },
  }
}
