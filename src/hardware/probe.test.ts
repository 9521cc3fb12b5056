import os from 'node:os'

import { describe, expect, test } from 'vitest'

import { recordedSystem } from '../../test/fakes/recorded-system.ts'
import { HardwareSchema } from '../shared/hardware.ts'
import { readCgroupLimits } from './cgroup.ts'
import { countCpuList, parseCpuInfo, probeCpu } from './cpu.ts'
import { parseMemInfo, parseVmStat, probeMemory } from './memory.ts'
import { probeHardware } from './probe.ts'
import { thisSystem } from './system.ts'

const GIB = 1024 ** 3
const MEMINFO = 'MemTotal:       16384000 kB\nMemFree:         1000000 kB\nMemAvailable:    8192000 kB\nCached:          7000000 kB\n'

const cpuinfo = (cores: number, threads: number, flags: string): string =>
  Array.from(
    { length: cores * threads },
    (_, index) =>
      `processor\t: ${index}\nmodel name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz\nphysical id\t: 0\ncore id\t\t: ${index % cores}\nflags\t\t: fpu ${flags}\n`,
  ).join('\n')

describe('processor', () => {
  test('model, cores with hyper-threading, and what matters of the flags', () => {
    expect(parseCpuInfo(cpuinfo(4, 2, 'sse4_2 avx avx2 fma f16c avx512f amx_tile unknown'))).toEqual({
      model: 'Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz',
      processors: 8,
      physicalCores: 4,
      features: ['sse4_2', 'avx', 'f16c', 'fma', 'avx2', 'avx512f', 'amx_tile'],
    })
  })

  test('ARM', () => {
    const text =
      'processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd asimdhp asimddp sve i8mm bf16\nCPU implementer\t: 0x41\n\nprocessor\t: 1\nFeatures\t: fp asimd\n'
    expect(parseCpuInfo(text)).toMatchObject({
      processors: 2,
      physicalCores: 0,
      features: ['asimd', 'asimddp', 'asimdhp', 'i8mm', 'bf16', 'sve'],
    })
  })

  test('affinity and quota bound the cores that may be used', async () => {
    const files = { '/proc/cpuinfo': cpuinfo(4, 2, 'avx2'), '/proc/self/status': 'Name:\tnode\nCpus_allowed_list:\t0-2,5\n' }
    expect(await probeCpu(recordedSystem({ files }))).toMatchObject({ cores: 4, physicalCores: 4 })
    expect(await probeCpu(recordedSystem({ files }), { cpus: 1.5 })).toMatchObject({ cores: 1.5 })
  })

  test('lists of processors are counted', () => {
    expect(countCpuList('0-3,8,10-11')).toBe(7)
    expect(countCpuList('')).toBe(0)
  })

  test('macOS', async () => {
    const text =
      'machdep.cpu.brand_string: Apple M2\nhw.physicalcpu: 8\nhw.optional.neon: 1\nhw.optional.arm.FEAT_DotProd: 1\nhw.optional.arm.FEAT_I8MM: 1\nhw.optional.arm.FEAT_BF16: 0\n'
    const cpu = await probeCpu(recordedSystem({ platform: 'darwin', arch: 'arm64', commands: { sysctl: text }, cores: 8 }))
    expect(cpu).toEqual({ model: 'Apple M2', cores: 8, physicalCores: 8, features: ['asimd', 'asimddp', 'i8mm'] })
  })
})

describe('memory', () => {
  test('what is available is what the kernel says', () => {
    expect(parseMemInfo(MEMINFO)).toEqual({ totalBytes: 16_384_000 * 1024, availableBytes: 8_192_000 * 1024 })
    expect(parseMemInfo(MEMINFO.replace(/MemAvailable.*\n/, ''))?.availableBytes).toBe(8_000_000 * 1024)
    expect(parseMemInfo('nonsense')).toBeUndefined()
  })

  test('macOS counts pages that can be taken', () => {
    const text =
      'Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free:        1000.\nPages active:     5000.\nPages inactive:   2000.\nPages speculative: 500.\nPages purgeable:  100.\n'
    expect(parseVmStat(text)).toBe(3600 * 16_384)
  })

  test('a container sees its own limit, and page cache counts as free', async () => {
    const files = {
      '/proc/meminfo': MEMINFO,
      '/proc/self/cgroup': '0::/kubepods/pod1\n',
      '/sys/fs/cgroup/kubepods/pod1/memory.max': `${4 * GIB}\n`,
      '/sys/fs/cgroup/kubepods/pod1/memory.current': `${3 * GIB}\n`,
      '/sys/fs/cgroup/kubepods/pod1/memory.stat': `anon 5\ninactive_file ${GIB}\n`,
      '/sys/fs/cgroup/kubepods/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/kubepods/pod1/cpu.max': 'max 100000\n',
    }
    const system = recordedSystem({ files })
    const limits = await readCgroupLimits(system)
    expect(limits).toEqual({ cpus: 1.5, memoryBytes: 4 * GIB, memoryFreeBytes: 2 * GIB })
    expect(await probeMemory(system, limits)).toEqual({ totalBytes: 16_384_000 * 1024, availableBytes: 2 * GIB, limitBytes: 4 * GIB })
  })

  test('version 1 groups, whose path may not exist inside a container', async () => {
    const files = {
      '/proc/self/cgroup': '12:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${2 * GIB}\n`,
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${GIB}\n`,
      '/sys/fs/cgroup/memory/memory.stat': 'total_inactive_file 0\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    }
    expect(await readCgroupLimits(recordedSystem({ files }))).toEqual({ cpus: 0.5, memoryBytes: 2 * GIB, memoryFreeBytes: GIB })
  })

  test('no limit is no limit', async () => {
    const files = {
      '/proc/self/cgroup': '12:memory:/\n3:cpu,cpuacct:/\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    }
    expect(await readCgroupLimits(recordedSystem({ files }))).toEqual({})
    expect(await readCgroupLimits(recordedSystem())).toEqual({})
  })
})

test('this machine is described in the shape of the API', async () => {
  const hardware = await probeHardware({ home: os.tmpdir() })
  expect(HardwareSchema.parse(hardware)).toEqual(hardware)
  expect(hardware.memory.totalBytes).toBeGreaterThan(1e8)
  expect(hardware.cpu.cores).toBeGreaterThan(0)
  expect(hardware.disk.totalBytes).toBeGreaterThan(0)
})

test('a machine where everything fails still gets an answer', async () => {
  const broken = {
    ...thisSystem,
    platform: 'linux' as const,
    readText: async () => undefined,
    run: async () => Promise.reject(new Error('no processes')),
    statfs: async () => Promise.reject(new Error('no disk')),
    cpus: () => [],
  }
  expect(await probeHardware({ home: '/x', system: broken })).toMatchObject({ cpu: { cores: 1 }, disk: { freeBytes: 0 }, gpus: [] })
})

test('the disk is that of the nearest folder that exists', async () => {
  const hardware = await probeHardware({ home: '/not/there/yet', system: recordedSystem() })
  expect(hardware.disk).toEqual({ path: '/not/there/yet', freeBytes: 500 * 4096, totalBytes: 1000 * 4096 })
})
