/** NVIDIA graphics cards, by nvidia-smi (its documented CSV queries). */
import type { Gpu } from '../shared/api.ts'
import { output } from './system.ts'
import type { System } from './system.ts'

const MIB = 1024 * 1024
const FIELDS = ['name', 'memory.total', 'memory.free', 'driver_version']

export async function probeNvidia(system: System, memory: { totalBytes: number; availableBytes: number }): Promise<Gpu[]> {
  for (const command of commandsFor(system.platform)) {
    // Drivers before 510 do not know compute_cap and refuse the whole query.
    for (const fields of [[...FIELDS, 'compute_cap'], FIELDS]) {
      const text = await output(system, command, [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'])
      const gpus = text === undefined ? [] : parseNvidiaSmi(text, memory)
      if (gpus.length > 0) return gpus
    }
  }
  return []
}

function commandsFor(platform: NodeJS.Platform): string[] {
  // Inside WSL the tool is often not on the path.
  return platform === 'linux' ? ['nvidia-smi', '/usr/lib/wsl/lib/nvidia-smi'] : platform === 'win32' ? ['nvidia-smi'] : []
}

/** Lines of `name, total MiB, free MiB, driver[, capability]`. Boards that share memory with the CPU report `[N/A]`. */
export function parseNvidiaSmi(text: string, memory: { totalBytes: number; availableBytes: number }): Gpu[] {
  return text.split('\n').flatMap((line) => {
    const [name, total, free, driver, capability] = line.split(',').map((cell) => cell.trim())
    if (!name || total === undefined || driver === undefined || /^no devices/i.test(name)) return []
    const shared = !/^\d+$/.test(total)
    if (shared && !/^\[?(n\/a|not supported)/i.test(total)) return []
    return [
      {
        vendor: 'nvidia' as const,
        name,
        memoryBytes: shared ? memory.totalBytes : Number(total) * MIB,
        freeBytes: shared ? memory.availableBytes : (Number(free) || 0) * MIB,
        ...(isKnown(driver) ? { driver } : {}),
        ...(isKnown(capability) ? { capability } : {}),
      },
    ]
  })
}

function isKnown(value: string | undefined): value is string {
  return value !== undefined && value !== '' && !value.startsWith('[')
}
