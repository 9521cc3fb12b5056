/** Whether this machine has what the external engines need. */
import type { Gpu, Hardware } from '../shared/hardware.ts'
import type { Localized } from '../shared/language.ts'
import { compareVersions } from './compare-versions.ts'
import { ENGINE_REQUIREMENTS, EXTERNAL_ENGINES, LEAST_DRIVERS } from './engine-requirements.ts'
import type { EngineRequirement, ExternalEngine } from './engine-requirements.ts'
import type { Host } from './host.ts'
import type { Toolchains } from './toolchains.ts'

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
      ...capabilityObstacles(cards, need),
      ...driverObstacles(cards, need),
      ...(installed === undefined ? pythonObstacles(tools, need) : torchObstacles(tools, need, installed)),
    ]
    return [{ engine, title: need.title, ...(installed === undefined ? {} : { installed }), obstacles }]
  })
}

function systemObstacles({ platform }: Hardware, { glibc }: Host, need: EngineRequirement): Localized[] {
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

function capabilityObstacles(cards: readonly Gpu[], { capability }: EngineRequirement): Localized[] {
  const nvidia = cards.filter((gpu) => gpu.vendor === 'nvidia')
  const [first] = nvidia
  if (first === undefined || capability === undefined) return []
  const best = Math.max(...nvidia.map((gpu) => Number(gpu.capability ?? Number.POSITIVE_INFINITY)))
  if (best >= capability) return []
  return [
    {
      en: `needs compute capability ${capability.toFixed(1)}, ${first.name} has ${best.toFixed(1)}`,
      zh: `需要计算能力 ${capability.toFixed(1)}，${first.name} 为 ${best.toFixed(1)}`,
    },
  ]
}

/** One of its builds must find a driver that is new enough. */
function driverObstacles(cards: readonly Gpu[], { cuda = [] }: EngineRequirement): Localized[] {
  const driver = cards.find((gpu) => gpu.vendor === 'nvidia')?.driver
  const oldest = cuda.toSorted(compareVersions)[0]
  const least = LEAST_DRIVERS[majorOf(oldest ?? '')]
  // A Jetson's driver is named by its Linux release.
  if (least === undefined || driver === undefined || !/^\d+\./.test(driver) || compareVersions(driver, least) >= 0) return []
  return [
    {
      en: `its builds use CUDA ${oldest}, which needs driver ${least} or newer (installed: ${driver})`,
      zh: `其发行包基于 CUDA ${oldest}，需要驱动 ${least} 或更新版本（当前 ${driver}）`,
    },
  ]
}

/** An engine's wheel and the torch beside it must be of one CUDA: it fails with `libcudart.so.13` not found else. */
function torchObstacles({ packages, torchBuild }: Toolchains, { cuda, cudaSince }: EngineRequirement, installed: string): Localized[] {
  const torch = packages['torch']
  const [release, variant] = installed.split('+')
  const [preset] = cuda ?? []
  if (torch === undefined || torchBuild === undefined || !/^\d+\./.test(torchBuild) || preset === undefined) return []
  // A version such as 0.26.0+cu129 names its CUDA itself.
  if (variant !== undefined || cudaSince === undefined || compareVersions(release ?? '', cudaSince) < 0) return []
  if (majorOf(torchBuild) === majorOf(preset)) return []
  return [
    {
      en: `its build is for CUDA ${preset}, torch ${torch} beside it for ${torchBuild}: install both for one CUDA, in an environment of their own`,
      zh: `其发行包基于 CUDA ${preset}，而同环境的 torch ${torch} 基于 ${torchBuild}：请在独立环境中安装同一 CUDA 的版本`,
    },
  ]
}

function pythonObstacles({ pythons, tools, container }: Toolchains, { python: [oldest, newest] }: EngineRequirement): Localized[] {
  const fits = pythons.some(({ version }) => isBetween(version, oldest, newest))
  // uv brings its own Python, and images hold one.
  if (fits || tools['uv'] !== undefined || container?.state === 'running') return []
  const found = pythons.map(({ version }) => version).join(', ')
  return [
    {
      en: `needs Python ${oldest} ${newest === undefined ? 'or newer' : `to ${newest}`} (found: ${found || 'none'})`,
      zh: `需要 Python ${oldest} ${newest === undefined ? '或更新版本' : `至 ${newest}`}（当前：${found || '无'}）`,
    },
  ]
}

/** By major and minor only: 3.13.5 is within 3.10 to 3.13. */
function isBetween(version: string, oldest: string, newest: string | undefined): boolean {
  const minor = version.split('.').slice(0, 2).join('.')
  return compareVersions(minor, oldest) >= 0 && (newest === undefined || compareVersions(minor, newest) <= 0)
}

function majorOf(version: string): string {
  return version.split('.')[0] ?? ''
}
