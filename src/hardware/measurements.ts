/** What was measured here once: memory and disk speed. Kept in a file that may be deleted at any time. */
import { readFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'

import { writeFileAtomic } from '../base/atomic-file.ts'
import type { Hardware } from '../shared/hardware.ts'
import { measureDiskRead } from './disk-speed.ts'
import { measureMemoryBandwidth } from './memory-bandwidth.ts'

const MeasurementsSchema = z.object({
  /** The machine that they are of: a folder may move, and a virtual machine may be resized. */
  machine: z.string(),
  memoryReadBytesPerSecond: z.number().int().positive().optional(),
  diskReadBytesPerSecond: z.number().int().positive().optional(),
  /** When, in ms since 1970. */
  measuredAt: z.number(),
})
export type Measurements = z.infer<typeof MeasurementsSchema>

export interface MeasureOptions {
  hardware: Hardware
  /** `paths.cache`. */
  cacheFolder: string
  /** `paths.models`. */
  models: string
  signal?: AbortSignal
  now?: () => number
  /** Programs that ran or wanted to, on average of the last minute; absent = the system's. */
  load?: () => number
  /** For tests. */
  memory?: typeof measureMemoryBandwidth
  disk?: typeof measureDiskRead
}

/** The same hardware with the speeds that are known; nothing is measured. */
export async function withMeasurements(hardware: Hardware, cacheFolder: string): Promise<Hardware> {
  const known = await readMeasurements(hardware, cacheFolder)
  return known === undefined ? hardware : applied(hardware, known)
}

/**
 * … measuring first what is not known. About 3 s the first time, and nothing afterwards. A busy machine (one that answers requests, say) is
 * left alone: it would be slowed down, and the number would be wrong for ever. Never throws.
 */
export async function measureHardware(options: MeasureOptions): Promise<Hardware> {
  const { hardware, cacheFolder, memory = measureMemoryBandwidth, disk = measureDiskRead, now = Date.now } = options
  const known = await readMeasurements(hardware, cacheFolder)
  if (known !== undefined) return applied(hardware, known)
  if (isBusy(hardware, options.load ?? (() => os.loadavg()[0] ?? 0))) return hardware
  const {
    cpu,
    memory: { availableBytes },
  } = hardware
  // One after the other: reading a disk takes memory bandwidth.
  const memorySpeed = await memory({
    cores: cpu.cores,
    availableBytes,
    ...(cpu.cacheBytes === undefined ? {} : { cacheBytes: cpu.cacheBytes }),
    ...(options.signal ? { signal: options.signal } : {}),
  })
  const diskSpeed = options.signal?.aborted
    ? undefined
    : await disk({ models: options.models, scratch: cacheFolder, freeBytes: hardware.disk.freeBytes })
  const measured: Measurements = {
    machine: machineOf(hardware),
    measuredAt: now(),
    ...(memorySpeed === undefined ? {} : { memoryReadBytesPerSecond: memorySpeed }),
    ...(diskSpeed === undefined ? {} : { diskReadBytesPerSecond: diskSpeed }),
  }
  // A busy machine, or one where somebody was in a hurry, is measured again next time.
  if (memorySpeed !== undefined) await writeFileAtomic(fileIn(cacheFolder), JSON.stringify(measured), { mode: 0o600 }).catch(() => {})
  return applied(hardware, measured)
}

/** The kernel probe that runs before counts for a part of one core. */
function isBusy({ cpu }: Hardware, load: () => number): boolean {
  return load() > Math.max(1, cpu.cores / 2)
}

async function readMeasurements(hardware: Hardware, cacheFolder: string): Promise<Measurements | undefined> {
  try {
    const known = MeasurementsSchema.parse(JSON.parse(await readFile(fileIn(cacheFolder), 'utf8')))
    return known.machine === machineOf(hardware) ? known : undefined
  } catch {
    return undefined
  }
}

function fileIn(cacheFolder: string): string {
  return path.join(cacheFolder, 'measurements.json')
}

/** Memory in whole GiB, for the kernel keeps a little more or less of it each time. */
function machineOf({ platform, cpu, memory, disk }: Hardware): string {
  return [platform, cpu.model, cpu.cores, Math.round(memory.totalBytes / 1024 ** 3), disk.path, disk.type ?? ''].join('|')
}

function applied(hardware: Hardware, known: Measurements): Hardware {
  const { memoryReadBytesPerSecond, diskReadBytesPerSecond } = known
  return {
    ...hardware,
    memory: { ...hardware.memory, ...(memoryReadBytesPerSecond ? { readBytesPerSecond: memoryReadBytesPerSecond } : {}) },
    disk: { ...hardware.disk, ...(diskReadBytesPerSecond ? { readBytesPerSecond: diskReadBytesPerSecond } : {}) },
  }
}
