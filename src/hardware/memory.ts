/** Ordinary memory: what there is, and what could be taken now without swapping. */
import type { Hardware } from '../shared/hardware.ts'
import type { CgroupLimits } from './cgroup.ts'
import { output } from './system.ts'
import type { System } from './system.ts'

export async function probeMemory(system: System, limits: CgroupLimits = {}): Promise<Hardware['memory']> {
  const { totalBytes, availableBytes, ...swap } = await readSystemMemory(system)
  const limitBytes = limits.memoryBytes !== undefined && limits.memoryBytes < totalBytes ? limits.memoryBytes : undefined
  const free = limitBytes === undefined ? availableBytes : Math.min(availableBytes, limits.memoryFreeBytes ?? limitBytes)
  return { totalBytes, availableBytes: Math.max(0, Math.floor(free)), ...(limitBytes === undefined ? {} : { limitBytes }), ...swap }
}

type SystemMemory = Pick<Hardware['memory'], 'totalBytes' | 'availableBytes' | 'swapBytes' | 'swapFreeBytes'>

async function readSystemMemory(system: System): Promise<SystemMemory> {
  const fallback = { totalBytes: system.totalMemory(), availableBytes: system.freeMemory() }
  if (system.platform === 'linux') return parseMemInfo((await system.readText('/proc/meminfo')) ?? '') ?? fallback
  if (system.platform !== 'darwin') return fallback
  const available = parseVmStat((await output(system, 'vm_stat', [])) ?? '')
  return { totalBytes: fallback.totalBytes, availableBytes: Math.min(fallback.totalBytes, available ?? fallback.availableBytes) }
}

/** /proc/meminfo; kernels before 3.14 have no MemAvailable. */
export function parseMemInfo(text: string): SystemMemory | undefined {
  const value = (name: string): number | undefined => {
    const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)
    return match ? Number(match[1]) * 1024 : undefined
  }
  const totalBytes = value('MemTotal')
  if (totalBytes === undefined) return undefined
  const available = value('MemAvailable') ?? (value('MemFree') ?? 0) + (value('Cached') ?? 0)
  const [swapBytes, swapFreeBytes] = [value('SwapTotal'), value('SwapFree')]
  const swap = swapBytes === undefined ? {} : { swapBytes, swapFreeBytes: swapFreeBytes ?? 0 }
  return { totalBytes, availableBytes: Math.min(totalBytes, available), ...swap }
}

/** macOS: free, inactive, speculative and purgeable pages can be taken. */
export function parseVmStat(text: string): number | undefined {
  const pageBytes = Number(/page size of (\d+) bytes/.exec(text)?.[1])
  if (!(pageBytes > 0)) return undefined
  const pages = (name: string): number => Number(new RegExp(`^Pages ${name}:\\s+(\\d+)\\.`, 'm').exec(text)?.[1] ?? 0)
  return (pages('free') + pages('inactive') + pages('speculative') + pages('purgeable')) * pageBytes
}
