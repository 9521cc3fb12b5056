/** Intel graphics cards, by xpu-smi; without it by the kernel's list. Parts of a processor are left out: they add no memory. */
import { z } from 'zod'

import type { Gpu } from '../shared/hardware.ts'
import { drmCards } from './drm-cards.ts'
import { MIB, known } from './gpu-probe.ts'
import type { GpuProbe } from './gpu-probe.ts'
import { parseJson } from './parse-json.ts'
import { answer } from './system.ts'
import type { System } from './system.ts'
import { troubleOf } from './trouble.ts'

/** Smaller ones are processor graphics. */
const LEAST_BYTES = 3_000_000_000
const PCI_VENDOR = '0x8086'
/** Cards asked for their details; a machine with more has a cluster's tools. */
const MOST_CARDS = 16

export async function probeIntel(system: System): Promise<GpuProbe> {
  if (system.platform !== 'linux' && system.platform !== 'win32') return { gpus: [], troubles: [] }
  const list = await answer(system, 'xpu-smi', ['discovery', '-j'])
  const devices = listedDevices(list.stdout)
  const gpus = devices.length > 0 ? await detailed(system, devices) : []
  if (gpus.length > 0) return { gpus, troubles: [] }
  const trouble = devices.length > 0 ? undefined : troubleOf('intel', 'xpu-smi', list)
  return { gpus: await cardsOfDriver(system), troubles: trouble ? [trouble] : [] }
}

const DeviceSchema = z.looseObject({
  device_id: z.number().int().nonnegative().optional(),
  device_name: z.string().optional(),
  driver_version: z.string().optional(),
  memory_physical_size_byte: z.union([z.string(), z.number()]).optional(),
  memory_free_size_byte: z.union([z.string(), z.number()]).optional(),
  memory_ecc_state: z.string().optional(),
  number_of_eus: z.union([z.string(), z.number()]).optional(),
})
type Device = z.infer<typeof DeviceSchema>

/** Since version 1.3 the list holds everything when asked with `--dump`; before, memory stands in the page of one device only. */
function listedDevices(text: string): Device[] {
  const parsed = z.looseObject({ device_list: z.array(DeviceSchema) }).safeParse(parseJson(text))
  return parsed.success ? parsed.data.device_list.slice(0, MOST_CARDS) : []
}

async function detailed(system: System, devices: readonly Device[]): Promise<Gpu[]> {
  const pages = await Promise.all(
    devices.map(async (device, at) => {
      if (device.memory_physical_size_byte !== undefined) return device
      const { stdout } = await answer(system, 'xpu-smi', ['discovery', '-d', String(device.device_id ?? at), '-j'])
      return { ...device, ...DeviceSchema.safeParse(parseJson(stdout)).data }
    }),
  )
  return pages.flatMap((device, at) => gpuOf(device, at))
}

/** `xpu-smi discovery -j`, or one page of `xpu-smi discovery -d N -j`. */
export function parseXpuSmi(text: string): Gpu[] {
  const devices = listedDevices(text)
  const one = DeviceSchema.safeParse(parseJson(text))
  return (devices.length > 0 ? devices : one.success ? [one.data] : []).flatMap((device, at) => gpuOf(device, at))
}

/** The table that `xpu-smi discovery -d N` prints, for builds without JSON. */
export function parseXpuSmiTable(text: string): Gpu[] {
  const value = (name: string): string | undefined => known(new RegExp(`\\| +${name}: *([^|]*?) *\\|`).exec(text)?.[1])
  const size = /^([\d.]+) MiB$/.exec(value('Memory Physical Size') ?? '')?.[1]
  if (size === undefined) return []
  const [name, driver, units] = [value('Device Name'), value('Driver Version'), value('Number of EUs')]
  return gpuOf(
    {
      ...(name === undefined ? {} : { device_name: name }),
      ...(driver === undefined ? {} : { driver_version: driver }),
      ...(units === undefined ? {} : { number_of_eus: units }),
      memory_physical_size_byte: Number(size) * MIB,
      memory_ecc_state: value('ECC State') ?? '',
    },
    0,
  )
}

function gpuOf(device: Device, at: number): Gpu[] {
  const memoryBytes = Math.floor(Number(device.memory_physical_size_byte))
  if (!(memoryBytes >= LEAST_BYTES)) return []
  const free = Math.floor(Number(device.memory_free_size_byte ?? memoryBytes))
  const cores = Number(device.number_of_eus)
  const driver = known(device.driver_version)
  return [
    {
      vendor: 'intel',
      name: known(device.device_name) ?? 'Intel GPU',
      memoryBytes,
      freeBytes: Math.max(0, Math.min(memoryBytes, Number.isFinite(free) ? free : memoryBytes)),
      index: device.device_id ?? at,
      ...(driver === undefined ? {} : { driver }),
      ...(Number.isInteger(cores) && cores > 0 ? { cores } : {}),
      ...(device.memory_ecc_state ? { ecc: device.memory_ecc_state === 'enabled' } : {}),
      fastInt8: true,
    },
  ]
}

/** The i915 and xe drivers tell the memory of a card (not of a processor's graphics) as `lmem_total_bytes` or by its tiles. */
async function cardsOfDriver(system: System): Promise<Gpu[]> {
  const cards = await drmCards(system, PCI_VENDOR, ['lmem_total_bytes', 'lmem_avail_bytes', 'tile0/physical_vram_size_bytes'])
  return cards.flatMap(({ files, index }) => {
    const total = files['lmem_total_bytes'] ?? files['tile0/physical_vram_size_bytes']
    return total === undefined
      ? []
      : gpuOf({ device_id: index, memory_physical_size_byte: total, memory_free_size_byte: files['lmem_avail_bytes'] ?? total }, index)
  })
}
