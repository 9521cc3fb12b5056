/** Apple GPUs share memory with the processor; Metal may wire a part of it. */
import { z } from 'zod'

import type { Gpu } from '../shared/hardware.ts'
import { MIB } from './gpu-probe.ts'
import type { GpuProbe, SharedMemory } from './gpu-probe.ts'
import { parseJson } from './parse-json.ts'
import { output } from './system.ts'
import type { System } from './system.ts'

const GIB = 1024 * MIB

export async function probeApple(system: System, memory: SharedMemory): Promise<GpuProbe> {
  if (system.platform !== 'darwin' || system.arch !== 'arm64') return { gpus: [], troubles: [] }
  const [facts, displays] = await Promise.all([
    // Before macOS 14 the limit has another name; sysctl ends with 1 for the one that is missing, and prints the rest.
    system
      .run('sysctl', ['machdep.cpu.brand_string', 'iogpu.wired_limit_mb', 'debug.iogpu.wired_limit'], { timeoutMs: 2000 })
      .catch(() => undefined),
    output(system, 'system_profiler', ['-json', 'SPDisplaysDataType']),
  ])
  const cores = parseGpuCores(displays ?? '')
  return { gpus: parseApple(facts?.stdout ?? '', memory).map((gpu) => ({ ...gpu, ...(cores ? { cores } : {}) })), troubles: [] }
}

/** `iogpu.wired_limit_mb` is 0 unless set by hand; then Metal allows two thirds, or three quarters above 36 GiB (recommendedMaxWorkingSetSize). */
export function parseApple(text: string, memory: SharedMemory): Gpu[] {
  const name = /^machdep\.cpu\.brand_string: (.+)$/m.exec(text)?.[1] ?? 'Apple GPU'
  const megabytes = Number(/^iogpu\.wired_limit_mb: (\d+)$/m.exec(text)?.[1] ?? 0) * MIB
  const limit = megabytes || Number(/^debug\.iogpu\.wired_limit: (\d+)$/m.exec(text)?.[1] ?? 0)
  const usual = Math.floor(memory.totalBytes * (memory.totalBytes > 36 * GIB ? 3 / 4 : 2 / 3))
  const memoryBytes = limit > 0 ? Math.min(limit, memory.totalBytes) : usual
  return [{ vendor: 'apple', name, memoryBytes, freeBytes: Math.min(memoryBytes, memory.availableBytes), index: 0, sharedMemory: true }]
}

const DisplaysSchema = z.looseObject({ SPDisplaysDataType: z.array(z.looseObject({ sppci_cores: z.string().optional() })) })

/** `sppci_cores` of `system_profiler -json SPDisplaysDataType`. */
export function parseGpuCores(text: string): number | undefined {
  const parsed = DisplaysSchema.safeParse(parseJson(text))
  const cores = Number(parsed.success ? parsed.data.SPDisplaysDataType[0]?.sppci_cores : Number.NaN)
  return Number.isInteger(cores) && cores > 0 ? cores : undefined
}
