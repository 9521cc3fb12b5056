/** The system around the hardware: what bounds or slows a model server although the machine is strong. Everything unknown is absent. */
import { PROBE_TIMEOUT_MS, output, within } from './system.ts'
import type { System } from './system.ts'

export const CONTAINERS = ['docker', 'podman', 'kubernetes', 'lxc', 'other'] as const

export interface Host {
  /** e.g. `Ubuntu 22.04.4 LTS`. */
  name?: string
  kernel?: string
  /** e.g. `2.35`. */
  glibc?: string
  container?: (typeof CONTAINERS)[number]
  wsl?: 1 | 2
  /** Transparent huge pages. */
  hugePages?: 'always' | 'madvise' | 'never'
  /** Of the first core, e.g. `powersave`. */
  governor?: string
  sharedMemoryBytes?: number
  isSelinuxEnforcing?: boolean
  limits: Limits
}

/** Soft limits of this process; Infinity = none. */
export interface Limits {
  openFiles?: number
  lockedMemoryBytes?: number
  stackBytes?: number
}

/** Never throws. */
export async function probeHost(system: System): Promise<Host> {
  if (system.platform === 'darwin') return probeMac(system)
  if (system.platform !== 'linux') return { limits: {} }
  const [release, version, groups, thp, governor, limits, selinux, environment] = await Promise.all(
    [
      '/etc/os-release',
      '/proc/version',
      '/proc/1/cgroup',
      '/sys/kernel/mm/transparent_hugepage/enabled',
      '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor',
      '/proc/self/limits',
      '/sys/fs/selinux/enforce',
      '/run/systemd/container',
    ].map((file) => system.readText(file)),
  )
  const [marks, glibc, shared] = await Promise.all([
    containerMarks(system),
    output(system, 'getconf', ['GNU_LIBC_VERSION']),
    sharedMemory(system),
  ])
  return {
    ...parseRelease(release ?? ''),
    ...parseKernel(version ?? ''),
    ...optional('glibc', /glibc ([\d.]+)/.exec(glibc ?? '')?.[1]),
    ...optional('container', containerOf([groups ?? '', environment ?? '', ...marks].join('\n'))),
    ...optional('hugePages', /\[(always|madvise|never)\]/.exec(thp ?? '')?.[1] as Host['hugePages']),
    ...optional('governor', governor?.trim() || undefined),
    ...optional('sharedMemoryBytes', shared),
    ...optional('isSelinuxEnforcing', selinux === undefined ? undefined : selinux.trim() === '1'),
    limits: parseLimits(limits ?? ''),
  }
}

async function probeMac(system: System): Promise<Host> {
  const version = await output(system, 'sw_vers', ['-productVersion'])
  return { ...optional('name', version && `macOS ${version.trim()}`), limits: {} }
}

function parseRelease(text: string): Pick<Host, 'name'> {
  return optional('name', /^PRETTY_NAME="?(.*?)"?$/m.exec(text)?.[1])
}

/** `Linux version 5.15.167.4-microsoft-standard-WSL2 (…)`; WSL 1 writes `4.4.0-19041-Microsoft`. */
export function parseKernel(text: string): Pick<Host, 'kernel' | 'wsl'> {
  const kernel = /^Linux version (\S+)/.exec(text)?.[1]
  const wsl = /WSL2|microsoft-standard/.test(kernel ?? '') ? 2 : /Microsoft/.test(kernel ?? '') ? 1 : undefined
  return { ...optional('kernel', kernel), ...optional('wsl', wsl) }
}

/** Soft limits of `/proc/self/limits`. */
export function parseLimits(text: string): Limits {
  const soft = (name: string): number | undefined => {
    const value = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(text)?.[1]
    return value === undefined ? undefined : value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value)
  }
  return {
    ...optional('openFiles', soft('Max open files')),
    ...optional('lockedMemoryBytes', soft('Max locked memory')),
    ...optional('stackBytes', soft('Max stack size')),
  }
}

/** Files that container programs leave: their presence alone is the mark. */
async function containerMarks(system: System): Promise<string[]> {
  const marks: readonly (readonly [string, string])[] = [
    ['/.dockerenv', 'docker'],
    ['/run/.containerenv', 'podman'],
    ['/var/run/secrets/kubernetes.io/serviceaccount/namespace', 'kubepods'],
  ]
  const found = await Promise.all(marks.map(async ([file, mark]) => ((await system.readText(file)) === undefined ? '' : mark)))
  return found.filter((mark) => mark !== '')
}

function containerOf(marks: string): Host['container'] | undefined {
  if (/kubepods/.test(marks)) return 'kubernetes'
  if (/podman|libpod/.test(marks)) return 'podman'
  if (/docker/.test(marks)) return 'docker'
  if (/\blxc\b/.test(marks)) return 'lxc'
  return /containerd|systemd-nspawn/.test(marks) ? 'other' : undefined
}

async function sharedMemory(system: System): Promise<number | undefined> {
  const status = await within(
    system.statfs('/dev/shm').catch(() => undefined),
    PROBE_TIMEOUT_MS,
    undefined,
  )
  return status && status.blocks > 0 ? status.blocks * status.bsize : undefined
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [Name in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [Name in Key]?: Value }
}
