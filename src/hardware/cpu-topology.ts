/** Caches and memory nodes of the processor, by Linux's /sys. */
import path from 'node:path'

import type { System } from './system.ts'

const CPUS = '/sys/devices/system/cpu'
const NODES = '/sys/devices/system/node'

/** Last-level caches of the cores that are online, each counted once; 0 when unknown. */
export async function cacheBytes(system: System): Promise<number> {
  const names = (await system.readFolder(CPUS)).filter((name) => /^cpu\d+$/.test(name))
  const caches = await Promise.all(names.map((name) => lastLevel(system, path.posix.join(CPUS, name, 'cache'))))
  const distinct = new Map(caches.flatMap((cache) => (cache === undefined ? [] : [[`${cache.level}:${cache.shared}`, cache.bytes]])))
  return [...distinct.values()].reduce((sum, bytes) => sum + bytes, 0)
}

async function lastLevel(system: System, folder: string): Promise<{ level: number; shared: string; bytes: number } | undefined> {
  for (const index of [3, 2]) {
    const at = path.posix.join(folder, `index${index}`)
    const [size, shared, level] = await Promise.all(
      ['size', 'shared_cpu_list', 'level'].map((file) => system.readText(path.posix.join(at, file))),
    )
    const bytes = parseSize(size ?? '')
    if (bytes > 0) return { level: Number(level) || index, shared: (shared ?? '').trim(), bytes }
  }
  return undefined
}

/** `32768K` → 33554432. */
export function parseSize(text: string): number {
  const match = /^(\d+)([KMG]?)\s*$/.exec(text)
  if (!match) return 0
  return Number(match[1]) * { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }[match[2] as '' | 'K' | 'M' | 'G']
}

/** How many pieces memory is in, each near some of the cores; 0 when unknown. */
export async function numaNodes(system: System): Promise<number> {
  const names = (await system.readFolder(NODES)).filter((name) => /^node\d+$/.test(name))
  return names.length
}
