/** The processor: its name, the cores that this process may use, and the instruction sets that matter for inference. */
import type { Hardware } from '../shared/hardware.ts'
import type { CgroupLimits } from './cgroup.ts'
import { cacheBytes, numaNodes } from './cpu-topology.ts'
import { output } from './system.ts'
import type { System } from './system.ts'

/** In the kernel's names (`flags` or `Features` of /proc/cpuinfo). */
const FEATURES = [
  'sse4_2',
  'avx',
  'f16c',
  'fma',
  'avx2',
  'avx_vnni',
  'avx512f',
  'avx512bw',
  'avx512vl',
  'avx512_vnni',
  'avx512_bf16',
  'avx512_fp16',
  'amx_tile',
  'amx_int8',
  'amx_bf16',
  'asimd',
  'asimddp',
  'asimdhp',
  'i8mm',
  'bf16',
  'sve',
  'sve2',
]

export async function probeCpu(system: System, limits: CgroupLimits = {}): Promise<Hardware['cpu']> {
  const listed = system.cpus()
  const visible = Math.max(1, listed.length)
  const named = listed[0]?.model.trim()
  if (system.platform === 'darwin') return probeMac(system, visible, named)
  if (system.platform !== 'linux') return { model: named || system.arch, cores: visible, physicalCores: visible, features: [] }
  const [info, status, cache, nodes] = await Promise.all([
    system.readText('/proc/cpuinfo'),
    system.readText('/proc/self/status'),
    cacheBytes(system),
    numaNodes(system),
  ])
  const parsed = parseCpuInfo(info ?? '')
  const allowed = countCpuList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status ?? '')?.[1] ?? '') || visible
  const affinity = Math.min(allowed, parsed.processors || allowed)
  return {
    model: parsed.model || named || system.arch,
    cores: Math.max(0.1, Math.min(affinity, limits.cpus ?? affinity)),
    physicalCores: Math.max(1, Math.min(parsed.physicalCores || affinity, affinity)),
    features: parsed.features,
    ...(cache > 0 ? { cacheBytes: cache } : {}),
    ...(nodes > 0 ? { numaNodes: nodes } : {}),
  }
}

interface CpuInfo {
  model: string
  processors: number
  physicalCores: number
  features: string[]
}

/** Reads /proc/cpuinfo of x86 and ARM. */
export function parseCpuInfo(text: string): CpuInfo {
  const value = (name: string): string => new RegExp(`^${name}\\s*:\\s*(.+)$`, 'm').exec(text)?.[1]?.trim() ?? ''
  const processors = text.match(/^processor\s*:/gm)?.length ?? 0
  const cores = text
    .split(/\n\s*\n/)
    .map((block) => /^physical id\s*:\s*(\d+)/m.exec(block)?.[1] + '/' + /^core id\s*:\s*(\d+)/m.exec(block)?.[1])
    .filter((core) => !core.includes('undefined'))
  const flags = new Set(`${value('flags')} ${value('Features')}`.split(/\s+/))
  return {
    model: value('model name') || value('Model') || value('Hardware') || armModel(value('CPU implementer'), value('CPU part')),
    processors,
    physicalCores: new Set(cores).size,
    features: FEATURES.filter((feature) => flags.has(feature)),
  }
}

/** Servers with ARM processors print numbers only; these are the ones that people rent or buy to run models (Linux's cputype.h). */
function armModel(implementer: string, part: string): string {
  const names: Readonly<Record<string, string>> = {
    '0x41/0xd0c': 'ARM Neoverse N1',
    '0x41/0xd40': 'ARM Neoverse V1',
    '0x41/0xd49': 'ARM Neoverse N2',
    '0x41/0xd4f': 'ARM Neoverse V2',
    '0x41/0xd42': 'ARM Cortex-A78AE',
    '0x48/0xd01': 'HiSilicon Kunpeng 920',
    '0xc0/0xac3': 'Ampere Altra',
    '0x70/0x662': 'Phytium FTC662',
    '0x70/0x663': 'Phytium FTC663',
  }
  return names[`${implementer}/${part}`] ?? ''
}

/** `0-3,8,10-11` → 7. */
export function countCpuList(list: string): number {
  return list
    .split(',')
    .map((range) => /^(\d+)(?:-(\d+))?$/.exec(range.trim()))
    .reduce((total, match) => total + (match ? Number(match[2] ?? match[1]) - Number(match[1]) + 1 : 0), 0)
}

async function probeMac(system: System, visible: number, named: string | undefined): Promise<Hardware['cpu']> {
  const text = (await output(system, 'sysctl', ['machdep.cpu.brand_string', 'hw.physicalcpu', 'hw.optional'])) ?? ''
  const value = (name: string): string | undefined => new RegExp(`^${name.replaceAll('.', '\\.')}: (.+)$`, 'm').exec(text)?.[1]
  const enabled = [...text.matchAll(/^hw\.optional\.(?:arm\.FEAT_|arm\.|)(\w+): 1$/gm)].map((match) => (match[1] ?? '').toLowerCase())
  const features = enabled.includes('neon') || enabled.includes('advsimd') ? ['asimd', ...enabled] : enabled
  const known = features.map((name) => ({ dotprod: 'asimddp', avx1_0: 'avx', avx2_0: 'avx2' })[name] ?? name)
  return {
    model: value('machdep.cpu.brand_string') ?? named ?? system.arch,
    cores: visible,
    physicalCores: Math.max(1, Number(value('hw.physicalcpu')) || visible),
    features: [...new Set(known.filter((name) => FEATURES.includes(name)))],
  }
}
