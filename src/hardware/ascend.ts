/** Huawei Ascend accelerators, by the table of `npu-smi info`. */
import type { Gpu } from '../shared/api.ts'
import { output } from './system.ts'
import type { System } from './system.ts'

const MIB = 1024 * 1024

export async function probeAscend(system: System): Promise<Gpu[]> {
  if (system.platform !== 'linux') return []
  return parseNpuSmi((await output(system, 'npu-smi', ['info'])) ?? '')
}

/**
 * Two lines a chip: `| id  name | health | power temperature hugepages |` and `| chip [phy-id] | bus id | use memory hbm |`.
 * Cards with HBM report it in the last pair; the 310 family has 0 there and its memory in the pair before.
 */
export function parseNpuSmi(text: string): Gpu[] {
  const driver = /npu-smi ([\w.]+)/.exec(text)?.[1]
  const gpus: Gpu[] = []
  let name: string | undefined
  for (const line of text.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim())
    if (cells.length < 5) continue
    const head = /^\d+\s+([A-Za-z0-9][\w-]*[A-Za-z][\w-]*|\d{3}\w*)$/.exec(cells[1] ?? '')
    if (/^[0-9a-f]{4}:/i.test(cells[2] ?? '') && name !== undefined) {
      gpus.push(chipOf(name, cells[3] ?? '', driver))
      name = undefined
    } else if (head && !/^[0-9a-f]{4}:/i.test(cells[2] ?? '')) {
      name = head[1]
    }
  }
  return gpus
}

function chipOf(name: string, usage: string, driver: string | undefined): Gpu {
  const pairs = [...usage.matchAll(/(\d+)\s*\/\s*(\d+)/g)].map((match) => ({ used: Number(match[1]), total: Number(match[2]) }))
  const memory = pairs.findLast((pair) => pair.total > 0) ?? { used: 0, total: 0 }
  return {
    vendor: 'ascend',
    name: /^ascend/i.test(name) ? name : `Ascend ${name}`,
    memoryBytes: memory.total * MIB,
    freeBytes: Math.max(0, memory.total - memory.used) * MIB,
    ...(driver === undefined ? {} : { driver }),
  }
}
