/** A graphics card, accelerator or computer with shared memory, from its data sheet. */
export const DEVICE_VENDORS = ['nvidia', 'amd', 'apple', 'intel', 'ascend', 'moore-threads', 'other'] as const
export type DeviceVendor = (typeof DEVICE_VENDORS)[number]

export interface Device {
  /** As people write it. */
  name: string
  aliases: readonly string[]
  vendor: DeviceVendor
  /** GiB (a "24 GB" card has 24 × 2^30 bytes); the first is meant when nobody says. */
  memory: readonly number[]
  /** 10^9 bytes/s. */
  bandwidth: number
  /** 10^12 operations/s, dense, as language models use them (FP32 accumulation on consumer cards). */
  fp16?: number
  fp8?: number
  /** Its memory is the computer's. */
  isUnified: boolean
  /** The data sheet. */
  source: string
}

type Row = readonly [
  name: string,
  memory: number | readonly number[],
  bandwidth: number,
  fp16: number | null,
  fp8: number | null,
  aliases?: string,
]

/** Rows of one maker with the same kind of source. */
export function devices(vendor: DeviceVendor, source: string, rows: readonly Row[], isUnified = false): Device[] {
  return rows.map(([name, memory, bandwidth, fp16, fp8, aliases]) => ({
    name,
    aliases: aliases === undefined ? [] : aliases.split('|'),
    vendor,
    memory: typeof memory === 'number' ? [memory] : memory,
    bandwidth,
    ...(fp16 === null ? {} : { fp16 }),
    ...(fp8 === null ? {} : { fp8 }),
    isUnified,
    source: `${source}: ${name}`,
  }))
}
