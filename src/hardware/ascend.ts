/** Huawei Ascend accelerators, by the table of `npu-smi info`. */
import type { Gpu } from '../shared/hardware.ts'
import { MIB } from './gpu-probe.ts'
import type { GpuProbe } from './gpu-probe.ts'
import { answer } from './system.ts'
import type { System } from './system.ts'
import { troubleOf } from './trouble.ts'

export async function probeAscend(system: System): Promise<GpuProbe> {
  if (system.platform !== 'linux') return { gpus: [], troubles: [] }
  const result = await answer(system, 'npu-smi', ['info'])
  const gpus = parseNpuSmi(result.stdout)
  const trouble = gpus.length > 0 ? undefined : troubleOf('ascend', 'npu-smi', result)
  return { gpus, troubles: trouble ? [trouble] : [] }
}

/**
 * Two lines a chip: `| id  name | health | power temperature hugepages |` and `| chip [phy-id] | bus id | use memory hbm |`.
 * Cards with HBM report it in the last pair; the 310 family has 0 there, or no such pair, and its memory in the pair before.
 */
export function parseNpuSmi(text: string): Gpu[] {
  const driver = /npu-smi ([\w.]+)/.exec(text)?.[1]
  const gpus: Gpu[] = []
  let name: string | undefined
  for (const line of text.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim())
    if (cells.length < 5) continue
    const head = /^\d+\s+([A-Za-z0-9][\w-]*[A-Za-z][\w-]*|\d{3}\w*)$/.exec(cells[1] ?? '')
    // Boards whose chip is the processor too (310B: Atlas 200I A2, Orange Pi AIpro) have no bus.
    const isBoard = cells[2] === 'NA' && /^\d+(\s+\d+)?$/.test(cells[1] ?? '')
    const isChip = isBoard || /^[0-9a-f]{4}:/i.test(cells[2] ?? '')
    if (isChip && name !== undefined) {
      gpus.push({ ...chipOf(name, cells[3] ?? '', driver, gpus.length), ...(isBoard ? { sharedMemory: true } : {}) })
      name = undefined
    } else if (head && !isChip) {
      name = head[1]
    }
  }
  return gpus.filter((gpu) => gpu.memoryBytes > 0)
}

function chipOf(name: string, usage: string, driver: string | undefined, index: number): Gpu {
  const pairs = [...usage.matchAll(/(\d+)\s*\/\s*(\d+)/g)].map((match) => ({ used: Number(match[1]), total: Number(match[2]) }))
  const memory = pairs.findLast((pair) => pair.total > 0) ?? { used: 0, total: 0 }
  return {
    vendor: 'ascend',
    name: /^ascend/i.test(name) ? name : `Ascend ${name}`,
    memoryBytes: memory.total * MIB,
    freeBytes: Math.max(0, memory.total - memory.used) * MIB,
    index,
    ...(driver === undefined ? {} : { driver }),
  }
}
