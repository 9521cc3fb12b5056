/** A graphics card, accelerator or computer with shared memory, and where its numbers were read. */
export const DEVICE_VENDORS = ['nvidia', 'amd', 'apple', 'intel', 'ascend', 'moore-threads', 'other'] as const
export type DeviceVendor = (typeof DEVICE_VENDORS)[number]

export const DEVICE_NUMBERS = ['memory', 'bandwidth', 'fp16', 'fp8'] as const
export type DeviceNumber = (typeof DEVICE_NUMBERS)[number]

/** GiB (a "24 GB" card has 24 × 2^30 bytes) and 10^9 bytes/s: sizes of one name often differ in both. */
export type DeviceMemory = readonly [gib: number, bandwidth: number]

export interface Device {
  /** As people write it. */
  name: string
  aliases: readonly string[]
  vendor: DeviceVendor
  /** The first is meant when nobody says. */
  memory: readonly [DeviceMemory, ...DeviceMemory[]]
  /** 10^12 operations/s, dense, as language models use them (FP32 accumulation on consumer cards). */
  fp16?: number
  fp8?: number
  /** Its memory is the computer's. */
  isUnified: boolean
  /** Error correction is kept in the memory itself and is on from the factory: a sixteenth of it is gone (`nvidia-smi`: 46068 of 49152 MiB). */
  hasInlineEcc: boolean
  /** What was read, and when that was written. */
  source: string
  /** Numbers for which no public text was found: recalled. Plans say so. */
  unconfirmed: readonly DeviceNumber[]
}

type Row = readonly [
  name: string,
  memory: readonly [DeviceMemory, ...DeviceMemory[]],
  fp16: number | null,
  fp8: number | null,
  rest?: { aliases?: string; source?: string; unconfirmed?: readonly DeviceNumber[]; hasInlineEcc?: boolean },
]

/** Rows of one maker; a row without a source of its own has the common one. */
export function devices(vendor: DeviceVendor, source: string, rows: readonly Row[], isUnified = false): Device[] {
  return rows.map(([name, memory, fp16, fp8, rest = {}]) => ({
    name,
    aliases: rest.aliases === undefined ? [] : rest.aliases.split('|'),
    vendor,
    memory,
    ...(fp16 === null ? {} : { fp16 }),
    ...(fp8 === null ? {} : { fp8 }),
    isUnified,
    hasInlineEcc: rest.hasInlineEcc ?? false,
    source: `${name}: ${rest.source ?? source}`,
    unconfirmed: rest.unconfirmed ?? [],
  }))
}

/** The bandwidth of the size that is nearest to so much memory; 10^9 bytes/s. */
export function bandwidthOf({ memory }: Device, gib: number): number {
  const distance = ([size]: DeviceMemory): number => Math.abs(size - gib)
  return memory.reduce((best, next) => (distance(next) < distance(best) ? next : best))[1]
}
