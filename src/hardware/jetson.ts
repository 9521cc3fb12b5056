/** NVIDIA Jetson boards: one memory for processor and GPU, and no nvidia-smi before JetPack 6. */
import type { Gpu } from '../shared/hardware.ts'
import type { SharedMemory } from './gpu-probe.ts'
import type { System } from './system.ts'
import { capabilityFacts } from './nvidia.ts'

/** Compute capability by the system-on-chip's number, from NVIDIA's list of CUDA GPUs. */
const CHIPS: readonly (readonly [RegExp, string])[] = [
  [/tegra210|t210/i, '5.3'],
  [/tegra186|t186ref.*tx2|tx2/i, '6.2'],
  [/tegra194|xavier/i, '7.2'],
  [/tegra234|orin/i, '8.7'],
  [/tegra264|thor/i, '11.0'],
]

export interface JetsonBoard {
  /** As the device tree names it, e.g. `NVIDIA Jetson Orin Nano Developer Kit`. */
  name: string
  /** Jetson Linux, e.g. `36.4.0`; absent when only the device tree tells that it is a Jetson. */
  release?: string
  capability?: string
}

/** Undefined on any other machine. */
export async function readJetson(system: System): Promise<JetsonBoard | undefined> {
  if (system.platform !== 'linux' || system.arch !== 'arm64') return undefined
  const [release, model, chips] = await Promise.all(
    ['/etc/nv_tegra_release', '/proc/device-tree/model', '/proc/device-tree/compatible'].map((file) => system.readText(file)),
  )
  return parseJetson(release ?? '', model ?? '', chips ?? '')
}

/** The device tree's texts end with NUL bytes. */
export function parseJetson(release: string, model: string, compatible: string): JetsonBoard | undefined {
  const version = parseTegraRelease(release)
  const name = model.replaceAll('\0', '').trim()
  if (version === undefined && !/jetson/i.test(name)) return undefined
  const clues = `${compatible.replaceAll('\0', ' ')} ${name}`
  const capability = CHIPS.find(([clue]) => clue.test(clues))?.[1]
  return {
    name: name || 'NVIDIA Jetson',
    ...(version === undefined ? {} : { release: version }),
    ...(capability === undefined ? {} : { capability }),
  }
}

/** `# R36 (release), REVISION: 4.0, GCID: …` → `36.4.0`. */
export function parseTegraRelease(text: string): string | undefined {
  const match = /^# R(\d+) \(release\), REVISION: ([\d.]+)/m.exec(text)
  return match ? `${match[1]}.${match[2]}` : undefined
}

/** A line of `tegrastats`: `RAM 1685/7854MB (lfb 1044x4MB) SWAP 278/8192MB (cached 23MB) CPU [0%@1303,off,…] … GR3D_FREQ 0%@140 …`. */
export function parseTegrastats(line: string): { usedMegabytes: number; totalMegabytes: number; gpuPercent?: number } | undefined {
  const memory = /\bRAM (\d+)\/(\d+)MB/.exec(line)
  if (!memory) return undefined
  const load = /\bGR3D_FREQ (\d+)%/.exec(line)?.[1]
  return {
    usedMegabytes: Number(memory[1]),
    totalMegabytes: Number(memory[2]),
    ...(load === undefined ? {} : { gpuPercent: Number(load) }),
  }
}

/** What nvidia-smi found, said in the board's terms; or the board's GPU when there is no nvidia-smi. */
export function withJetson(gpus: readonly Gpu[], board: JetsonBoard | undefined, memory: SharedMemory): Gpu[] {
  if (!board) return [...gpus]
  const own = gpus.find((gpu) => gpu.sharedMemory === true)
  const facts = capabilityFacts(own?.capability ?? board.capability)
  const jetson: Gpu = {
    vendor: 'nvidia',
    index: 0,
    ...own,
    name: board.name,
    memoryBytes: memory.totalBytes,
    freeBytes: memory.availableBytes,
    sharedMemory: true,
    board: 'jetson',
    ...facts,
    ...(board.release === undefined || own?.driver !== undefined ? {} : { driver: `L4T ${board.release}` }),
  }
  return [jetson, ...gpus.filter((gpu) => gpu !== own)]
}
