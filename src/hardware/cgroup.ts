/** Limits of the control group that this process runs in (containers, systemd, batch systems), versions 1 and 2. */
import path from 'node:path'

import type { System } from './system.ts'

export interface CgroupLimits {
  /** CPUs' worth of time, e.g. 1.5. */
  cpus?: number
  memoryBytes?: number
  /** Of `memoryBytes`, what is not taken: page cache that can be dropped counts as free. */
  memoryFreeBytes?: number
}

const ROOT = '/sys/fs/cgroup'
/** Version 1 writes "no limit" as a number near 2^63. */
const UNLIMITED = 2 ** 60

/** The tightest limits from this process's group up to the root. Empty where there are none, or no cgroups. */
export async function readCgroupLimits(system: System): Promise<CgroupLimits> {
  const groups = (await system.readText('/proc/self/cgroup')) ?? ''
  const lines = groups.split('\n').map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
  const pathOf = (matches: (controllers: string[]) => boolean): string | undefined =>
    lines.find((line) => line !== null && matches((line[1] ?? '').split(',')))?.[2]
  const unified = pathOf((controllers) => controllers[0] === '' && controllers.length === 1)
  const memory = pathOf((controllers) => controllers.includes('memory'))
  const cpu = pathOf((controllers) => controllers.includes('cpu'))
  const limits: CgroupLimits[] = [
    ...(await each(unified, ROOT, (folder) => readVersion2(system, folder))),
    ...(await each(memory, path.posix.join(ROOT, 'memory'), (folder) => readMemory1(system, folder))),
    ...(await each(cpu, path.posix.join(ROOT, 'cpu'), (folder) => readCpu1(system, folder))),
    ...(await each(cpu, path.posix.join(ROOT, 'cpu,cpuacct'), (folder) => readCpu1(system, folder))),
  ]
  return tightest(limits)
}

/** The group's folder and all above it. In a container only the mount's root may exist: missing files are no limit. */
async function each(group: string | undefined, mount: string, read: (folder: string) => Promise<CgroupLimits>): Promise<CgroupLimits[]> {
  if (group === undefined) return []
  const folders = [mount]
  for (const part of path.posix
    .normalize(`/${group}`)
    .split('/')
    .filter((name) => name !== '' && name !== '..')) {
    folders.push(path.posix.join(folders.at(-1) ?? mount, part))
  }
  return Promise.all(folders.map(read))
}

async function readVersion2(system: System, folder: string): Promise<CgroupLimits> {
  const [cpu, limit, used, stat] = await Promise.all(
    ['cpu.max', 'memory.max', 'memory.current', 'memory.stat'].map((file) => system.readText(path.posix.join(folder, file))),
  )
  const [quota, period] = (cpu ?? '').trim().split(' ')
  return { ...cpuLimit(Number(quota), Number(period)), ...memoryLimit(limit, used, stat, 'inactive_file') }
}

async function readMemory1(system: System, folder: string): Promise<CgroupLimits> {
  const [limit, used, stat] = await Promise.all(
    ['memory.limit_in_bytes', 'memory.usage_in_bytes', 'memory.stat'].map((file) => system.readText(path.posix.join(folder, file))),
  )
  return memoryLimit(limit, used, stat, 'total_inactive_file')
}

async function readCpu1(system: System, folder: string): Promise<CgroupLimits> {
  const [quota, period] = await Promise.all(
    ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map((file) => system.readText(path.posix.join(folder, file))),
  )
  return cpuLimit(Number(quota), Number(period))
}

/** `max` and -1 mean none. */
function cpuLimit(quota: number, period: number): CgroupLimits {
  return quota > 0 && period > 0 ? { cpus: quota / period } : {}
}

function memoryLimit(limit: string | undefined, used: string | undefined, stat: string | undefined, reclaimable: string): CgroupLimits {
  const memoryBytes = Number(limit?.trim() || Number.NaN)
  if (!(memoryBytes > 0) || memoryBytes >= UNLIMITED) return {}
  const inactive = Number(new RegExp(`^${reclaimable} (\\d+)$`, 'm').exec(stat ?? '')?.[1] ?? 0)
  return { memoryBytes, memoryFreeBytes: Math.max(0, memoryBytes - Math.max(0, (Number(used?.trim()) || 0) - inactive)) }
}

function tightest(limits: readonly CgroupLimits[]): CgroupLimits {
  const least = (key: keyof CgroupLimits): CgroupLimits => {
    const values = limits.map((limit) => limit[key]).filter((value) => value !== undefined)
    return values.length > 0 ? { [key]: Math.min(...values) } : {}
  }
  return { ...least('cpus'), ...least('memoryBytes'), ...least('memoryFreeBytes') }
}
