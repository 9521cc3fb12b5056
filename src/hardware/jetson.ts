/** NVIDIA Jetson boards: one memory for processor and GPU, and no nvidia-smi before JetPack 6. */
import { z } from 'zod'

import type { Gpu } from '../shared/hardware.ts'
import type { SharedMemory } from './gpu-probe.ts'
import { capabilityFacts } from './nvidia.ts'
import { parseJson } from './parse-json.ts'
import { sample, within } from './system.ts'
import type { System } from './system.ts'

/** Compute capability by the system-on-chip's number, from NVIDIA's list of CUDA GPUs. */
const CHIPS: readonly (readonly [RegExp, string])[] = [
  [/tegra210|t210/i, '5.3'],
  [/tegra186|t186ref.*tx2|tx2/i, '6.2'],
  [/tegra194|xavier/i, '7.2'],
  [/tegra234|orin/i, '8.7'],
  [/tegra264|thor/i, '11.0'],
]

/** tegrastats prints a line every so many ms, and does not end; jtop asks its own service. */
const TEGRASTATS = { interval: '250', ms: 1200 }
const JTOP_MS = 1500
/** Files of the kernel; a machine that is busy starting all the other probes may still need a while. */
const BOARD_MS = 1500
/** Reading the board and asking for its load, together. */
const WHOLE_MS = 2900

export interface JetsonBoard {
  /** As the device tree names it, e.g. `NVIDIA Jetson Orin Nano Developer Kit`. */
  name: string
  /** Jetson Linux, e.g. `36.4.0`; absent when only the device tree tells that it is a Jetson. */
  release?: string
  capability?: string
  load?: JetsonLoad
}

export interface JetsonLoad {
  usedMegabytes: number
  totalMegabytes: number
  /** How busy the GPU is. */
  gpuPercent?: number
}

/** The board, and how busy it is. Undefined on any other machine; takes less than 3 s, and tells the board whatever its tools do. */
export async function probeJetson(system: System): Promise<JetsonBoard | undefined> {
  const started = performance.now()
  const board = await within(readJetson(system), BOARD_MS, undefined)
  if (board === undefined) return undefined
  const load = await within(askLoad(system), WHOLE_MS - (performance.now() - started), undefined)
  return { ...board, ...(load === undefined ? {} : { load }) }
}

async function askLoad(system: System): Promise<JetsonLoad | undefined> {
  return (await askTegrastats(system)) ?? (await askJtop(system))
}

async function askTegrastats(system: System): Promise<JetsonLoad | undefined> {
  const text = await sample(system, 'tegrastats', ['--interval', TEGRASTATS.interval], {
    ms: TEGRASTATS.ms,
    isEnough: (seen) => /\bRAM \d+\/\d+MB.*\n/.test(seen),
  })
  return text
    .split('\n')
    .map(parseTegrastats)
    .findLast((load) => load !== undefined)
}

/** jetson-stats' Python interface (jtop 4): memory in KiB, load in percent. */
const JTOP_SCRIPT = [
  'import json',
  'from jtop import jtop',
  'with jtop(interval=0.3) as j:',
  ' if j.ok():',
  "  m=j.memory['RAM']",
  '  g=next(iter(j.gpu.values()),{})',
  "  print(json.dumps({'used':m['used'],'total':m['tot'],'load':g.get('status',{}).get('load')}))",
].join('\n')
const JtopSchema = z.object({ used: z.number().nonnegative(), total: z.number().positive(), load: z.number().min(0).max(100).nullish() })

async function askJtop(system: System): Promise<JetsonLoad | undefined> {
  const text = await sample(system, 'python3', ['-I', '-c', JTOP_SCRIPT], { ms: JTOP_MS, isEnough: (seen) => seen.includes('}\n') })
  return parseJtop(text)
}

/** `{"used": KiB, "total": KiB, "load": percent}`. */
export function parseJtop(text: string): JetsonLoad | undefined {
  const parsed = JtopSchema.safeParse(parseJson(text))
  if (!parsed.success) return undefined
  const { used, total, load } = parsed.data
  const megabytes = (kibibytes: number): number => Math.floor(kibibytes / 1024)
  return {
    usedMegabytes: megabytes(used),
    totalMegabytes: megabytes(total),
    ...(typeof load === 'number' ? { gpuPercent: Math.round(load) } : {}),
  }
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

/**
 * A line of `tegrastats`: `RAM 1685/7854MB (lfb 1044x4MB) SWAP 278/8192MB (cached 23MB) CPU [0%@1303,off,…] … GR3D_FREQ 0%@140 …`;
 * JetPack 7: `GR3D_FREQ 0%@[1300,1300]`, Thor: `GR3D_FREQ @[1000,1000,1000]`.
 */
export function parseTegrastats(line: string): JetsonLoad | undefined {
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
    ...(board.load?.gpuPercent === undefined || board.load.gpuPercent > 100 ? {} : { busyPercent: board.load.gpuPercent }),
    ...(board.release === undefined || own?.driver !== undefined ? {} : { driver: `L4T ${board.release}` }),
  }
  return [jetson, ...gpus.filter((gpu) => gpu !== own)]
}
