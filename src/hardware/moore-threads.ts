/** Moore Threads graphics cards, by the table of `mthreads-gmi`. */
import type { Gpu } from '../shared/hardware.ts'
import { MIB } from './gpu-probe.ts'
import type { GpuProbe } from './gpu-probe.ts'
import { answer } from './system.ts'
import type { System } from './system.ts'
import { troubleOf } from './trouble.ts'

export async function probeMooreThreads(system: System): Promise<GpuProbe> {
  if (system.platform !== 'linux') return { gpus: [], troubles: [] }
  const result = await answer(system, 'mthreads-gmi', [])
  const gpus = parseMthreadsGmi(result.stdout)
  const trouble = gpus.length > 0 ? undefined : troubleOf('moore-threads', 'mthreads-gmi', result)
  return { gpus, troubles: trouble ? [trouble] : [] }
}

/** A card is a line `0    MTT S80        |00000000:04:00.0    |0%    2MiB(16384MiB)`: used, then all. */
export function parseMthreadsGmi(text: string): Gpu[] {
  const driver = /Driver Version:\s*(\S+)/.exec(text)?.[1]
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+([A-Za-z][^|]*?)\s*\|\s*[\da-f]{4,8}:[\da-f:.]+\s*\|.*?(\d+)MiB\s*\(\s*(\d+)MiB\)/i.exec(line)
    if (!match) return []
    const [used, total] = [Number(match[3]), Number(match[4])]
    return [
      {
        vendor: 'moore-threads' as const,
        name: match[2] ?? 'MTT',
        memoryBytes: total * MIB,
        freeBytes: Math.max(0, total - used) * MIB,
        index: Number(match[1]),
        ...(driver === undefined ? {} : { driver }),
      },
    ]
  })
}
