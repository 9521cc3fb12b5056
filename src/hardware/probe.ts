/** Looks at the machine. Each probe takes 3 s at most, all run side by side, and none throws. */
import { onlyWhatIsThere } from '../base/child-process.ts'
import type { CommandRunner } from '../base/child-process.ts'
import type { Hardware } from '../shared/hardware.ts'
import { readCgroupLimits } from './cgroup.ts'
import { probeCpu } from './cpu.ts'
import { probeDisk } from './disk.ts'
import { probeGpus } from './gpus.ts'
import { withMeasurements } from './measurements.ts'
import { probeMemory } from './memory.ts'
import { thisSystem } from './system.ts'
import type { System } from './system.ts'

export interface ProbeOptions {
  /** The folder whose disk counts. */
  home: string
  /** Where earlier measurements lie; absent = they are not looked for. */
  cacheFolder?: string
  /** PATH: the tools of vendors that are not on it are not started. Absent = all are tried. */
  searchPath?: string | undefined
  /** For tests. */
  run?: CommandRunner
  readText?: System['readText']
  platform?: NodeJS.Platform
  arch?: string
  system?: System
}

export async function probeHardware(options: ProbeOptions): Promise<Hardware> {
  const whole: System = { ...thisSystem, ...options.system, ...pick(options) }
  const system: System = { ...whole, run: onlyWhatIsThere(whole.run, options.searchPath) }
  const limits = await readCgroupLimits(system).catch(() => ({}))
  const memory = await probeMemory(system, limits).catch(() => ({ totalBytes: system.totalMemory(), availableBytes: system.freeMemory() }))
  const [cpu, disk, { gpus, troubles }] = await Promise.all([
    probeCpu(system, limits).catch(() => ({ model: system.arch, cores: 1, physicalCores: 1, features: [] })),
    probeDisk(system, options.home).catch(() => ({ path: options.home, freeBytes: 0, totalBytes: 0 })),
    probeGpus(system, memory),
  ])
  const hardware = { platform: `${system.platform}-${system.arch}`, cpu, memory, disk, gpus, ...(troubles.length > 0 ? { troubles } : {}) }
  return options.cacheFolder === undefined ? hardware : withMeasurements(hardware, options.cacheFolder)
}

function pick({ run, readText, platform, arch }: ProbeOptions): Partial<System> {
  return { ...(run ? { run } : {}), ...(readText ? { readText } : {}), ...(platform ? { platform } : {}), ...(arch ? { arch } : {}) }
}
