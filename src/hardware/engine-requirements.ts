/**
 * What the external engines need, and whether this machine has it. Numbers as of November 2026
 * (vLLM 0.33, SGLang 0.5.23, LMDeploy 0.18, TensorRT-LLM 1.2, vllm-ascend 0.23); older releases of them may need less.
 * From installation pages: vLLM's Python, capability and CUDA, SGLang's but for the upper bound of Python. The rest is recalled and unverified.
 */
import type { Gpu, Hardware } from '../shared/hardware.ts'
import type { Localized } from '../shared/language.ts'
import type { Host } from './host.ts'
import type { Toolchains } from './toolchains.ts'

export const EXTERNAL_ENGINES = ['vllm', 'sglang', 'lmdeploy', 'tensorrt-llm', 'vllm-ascend'] as const
export type ExternalEngine = (typeof EXTERNAL_ENGINES)[number]

interface Requirement {
  title: string
  vendors: readonly Gpu['vendor'][]
  /** Oldest and newest Python, inclusive. */
  python: readonly [string, string]
  /** Least compute capability of an NVIDIA card. */
  capability?: number
  /** The CUDA that its published wheels are built for; the driver must know this major version. */
  cuda?: string
  glibc?: string
  /** Its Python package. */
  package: string
}

export const ENGINE_REQUIREMENTS: Readonly<Record<ExternalEngine, Requirement>> = {
  // docs/getting_started/installation: Python 3.10 to 3.13, capability 7.5, binaries of CUDA 12.9.
  vllm: {
    title: 'vLLM',
    vendors: ['nvidia', 'amd', 'intel'],
    python: ['3.10', '3.13'],
    capability: 7.5,
    cuda: '12.9',
    glibc: '2.31',
    package: 'vllm',
  },
  // get_started/install: Python 3.10, sm75, CUDA 13 since 0.5.20.
  sglang: {
    title: 'SGLang',
    vendors: ['nvidia', 'amd', 'intel'],
    python: ['3.10', '3.13'],
    capability: 7.5,
    cuda: '13.0',
    package: 'sglang',
  },
  // get_started/installation: V100 and newer; wheels of CUDA 12.8.
  lmdeploy: {
    title: 'LMDeploy',
    vendors: ['nvidia', 'ascend'],
    python: ['3.10', '3.13'],
    capability: 7,
    cuda: '12.8',
    package: 'lmdeploy',
  },
  // Installation guide: Python 3.10 or 3.12, Ampere and newer; 1.2 is built with CUDA 13.
  'tensorrt-llm': {
    title: 'TensorRT-LLM',
    vendors: ['nvidia'],
    python: ['3.10', '3.12'],
    capability: 8,
    cuda: '13.0',
    package: 'tensorrt_llm',
  },
  // docs/source/installation.md: Python 3.10 to 3.12, CANN.
  'vllm-ascend': { title: 'vllm-ascend', vendors: ['ascend'], python: ['3.10', '3.12'], package: 'vllm-ascend' },
}

/** Least driver of each CUDA major version, by NVIDIA's CUDA release notes (minor version compatibility). Linux; Windows is about the same. */
export const LEAST_DRIVERS: Readonly<Record<string, string>> = { '11': '450.80.02', '12': '525.60.13', '13': '580.65.06' }

export interface EngineFit {
  engine: ExternalEngine
  title: string
  /** Installed version, when it is. */
  installed?: string
  /** Why it would not run here; empty when it would. */
  obstacles: Localized[]
}

/** Every external engine that drives one of the cards of this machine. Empty without such a card. */
export function fitEngines(hardware: Hardware, host: Host, tools: Toolchains): EngineFit[] {
  return EXTERNAL_ENGINES.flatMap((engine) => {
    const need = ENGINE_REQUIREMENTS[engine]
    const cards = hardware.gpus.filter((gpu) => need.vendors.includes(gpu.vendor))
    if (cards.length === 0) return []
    const installed = tools.packages[need.package]
    const obstacles = [
      ...systemObstacles(hardware, host, need),
      ...cardObstacles(cards, need),
      ...pythonObstacles(tools, need, installed !== undefined),
    ]
    return [{ engine, title: need.title, ...(installed === undefined ? {} : { installed }), obstacles }]
  })
}

function systemObstacles({ platform }: Hardware, { glibc }: Host, need: Requirement): Localized[] {
  if (!platform.startsWith('linux')) return [{ en: 'runs on Linux only (on Windows: WSL 2)', zh: '仅支持 Linux（Windows 请用 WSL 2）' }]
  if (need.glibc !== undefined && glibc !== undefined && compareVersions(glibc, need.glibc) < 0) {
    return [
      {
        en: `needs glibc ${need.glibc}, this system has ${glibc}: use its container`,
        zh: `需要 glibc ${need.glibc}，本机为 ${glibc}：请用容器`,
      },
    ]
  }
  return []
}

function cardObstacles(cards: readonly Gpu[], { capability, cuda }: Requirement): Localized[] {
  const nvidia = cards.filter((gpu) => gpu.vendor === 'nvidia')
  const [first] = nvidia
  if (first === undefined) return []
  const best = Math.max(...nvidia.map((gpu) => Number(gpu.capability ?? Number.POSITIVE_INFINITY)))
  const obstacles: Localized[] = []
  if (capability !== undefined && best < capability) {
    obstacles.push({
      en: `needs compute capability ${capability.toFixed(1)}, ${first.name} has ${best.toFixed(1)}`,
      zh: `需要计算能力 ${capability.toFixed(1)}，${first.name} 为 ${best.toFixed(1)}`,
    })
  }
  const major = cuda?.split('.')[0] ?? ''
  const least = LEAST_DRIVERS[major]
  if (least !== undefined && first.driver !== undefined && /^\d+\./.test(first.driver) && compareVersions(first.driver, least) < 0) {
    obstacles.push({
      en: `its builds use CUDA ${cuda}, which needs driver ${least} or newer (installed: ${first.driver})`,
      zh: `其发行包基于 CUDA ${cuda}，需要驱动 ${least} 或更新版本（当前 ${first.driver}）`,
    })
  }
  return obstacles
}

function pythonObstacles(
  { pythons, tools, container }: Toolchains,
  { python: [oldest, newest] }: Requirement,
  isInstalled: boolean,
): Localized[] {
  const fits = pythons.some(({ version }) => isBetween(version, oldest, newest))
  // uv brings its own Python, and images hold one.
  if (isInstalled || fits || tools['uv'] !== undefined || container?.state === 'running') return []
  const found = pythons.map(({ version }) => version).join(', ')
  return [
    {
      en: `needs Python ${oldest} to ${newest} (found: ${found || 'none'})`,
      zh: `需要 Python ${oldest} 至 ${newest}（当前：${found || '无'}）`,
    },
  ]
}

/** By major and minor only: 3.13.5 is within 3.10 to 3.13. */
function isBetween(version: string, oldest: string, newest: string): boolean {
  const minor = version.split('.').slice(0, 2).join('.')
  return compareVersions(minor, oldest) >= 0 && compareVersions(minor, newest) <= 0
}

/** Negative when `a` is older. Parts that are missing count as 0. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map((part) => Number.parseInt(part, 10) || 0))
  for (let index = 0; index < Math.max(left?.length ?? 0, right?.length ?? 0); index++) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
