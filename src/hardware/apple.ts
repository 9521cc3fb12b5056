/** Apple GPUs share memory with the processor; Metal may wire a part of it. */
import type { Gpu } from '../shared/api.ts'
import { output } from './system.ts'
import type { System } from './system.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB

export async function probeApple(system: System, memory: { totalBytes: number; availableBytes: number }): Promise<Gpu[]> {
  if (system.platform !== 'darwin' || system.arch !== 'arm64') return []
  const text = (await output(system, 'sysctl', ['machdep.cpu.brand_string', 'iogpu.wired_limit_mb'])) ?? ''
  return parseApple(text, memory)
}

/** `iogpu.wired_limit_mb` is 0 unless set by hand; then Metal allows two thirds, or three quarters above 36 GiB (recommendedMaxWorkingSetSize). */
export function parseApple(text: string, memory: { totalBytes: number; availableBytes: number }): Gpu[] {
  const name = /^machdep\.cpu\.brand_string: (.+)$/m.exec(text)?.[1] ?? 'Apple GPU'
  const limit = Number(/^iogpu\.wired_limit_mb: (\d+)$/m.exec(text)?.[1] ?? 0) * MIB
  const usual = Math.floor(memory.totalBytes * (memory.totalBytes > 36 * GIB ? 3 / 4 : 2 / 3))
  const memoryBytes = limit > 0 ? limit : usual
  return [{ vendor: 'apple', name, memoryBytes, freeBytes: Math.min(memoryBytes, memory.availableBytes) }]
}
