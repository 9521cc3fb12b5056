/** Looks at the machine. Each probe takes 3 s at most, all run side by side, and none throws. */
import type { CommandRunner } from '../base/child-process.ts'
import type { Gpu, Hardware } from '../shared/api.ts'
import { probeAmd } from './amd.ts'
import { probeApple } from './apple.ts'
import { probeAscend } from './ascend.ts'
import { readCgroupLimits } from './cgroup.ts'
import { probeCpu } from './cpu.ts'
import { probeDisk } from './disk.ts'
import { probeMemory } from './memory.ts'
import { probeNvidia } from './nvidia.ts'
import { thisSystem } from './system.ts'
import type { System } from './system.ts'

export interface ProbeOptions {
  /** The folder whose disk counts. */
  home: string
  /** For tests. */
  run?: CommandRunner
  readText?: System['readText']
  platform?: NodeJS.Platform
  arch?: string
  system?: System
}

export async function probeHardware(options: ProbeOptions): Promise<Hardware> {
  const system: System = { ...thisSystem, ...options.system, ...pick(options) }
  const limits = await readCgroupLimits(system).catch(() => ({}))
  const memory = await probeMemory(system, limits).catch(() => ({ totalBytes: system.totalMemory(), availableBytes: system.freeMemory() }))
  const [cpu, disk, gpus] = await Promise.all([
    probeCpu(system, limits).catch(() => ({ model: system.arch, cores: 1, physicalCores: 1, features: [] })),
    probeDisk(system, options.home).catch(() => ({ path: options.home, freeBytes: 0, totalBytes: 0 })),
    probeGpus(system, memory),
  ])
  return { platform: `${system.platform}-${system.arch}`, cpu, memory, disk, gpus }
}

async function probeGpus(system: System, memory: Hardware['memory']): Promise<Gpu[]> {
  const none = (): Gpu[] => []
  const found = await Promise.all([
    probeNvidia(system, memory).catch(none),
    probeAmd(system).catch(none),
    probeApple(system, memory).catch(none),
    probeAscend(system).catch(none),
  ])
  return found.flat()
}

function pick({ run, readText, platform, arch }: ProbeOptions): Partial<System> {
  return { ...(run ? { run } : {}), ...(readText ? { readText } : {}), ...(platform ? { platform } : {}), ...(arch ? { arch } : {}) }
}
