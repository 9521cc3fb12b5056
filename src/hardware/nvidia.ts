/** NVIDIA graphics cards, by nvidia-smi: its CSV queries (for what every driver since 410 knows), its XML report or its table, and its topology. */
import type { CommandResult } from '../base/child-process.ts'
import type { Gpu } from '../shared/hardware.ts'
import { MIB, known } from './gpu-probe.ts'
import type { GpuProbe, SharedMemory } from './gpu-probe.ts'
import { parseNvidiaTable } from './nvidia-table.ts'
import { parseTopology } from './nvidia-topology.ts'
import { parseNvidiaXml } from './nvidia-xml.ts'
import type { NvidiaDetails } from './nvidia-xml.ts'
import { answer, within } from './system.ts'
import type { System } from './system.ts'
import { troubleOf } from './trouble.ts'

const FIELDS = ['name', 'memory.total', 'memory.free', 'driver_version']
const FORMAT = '--format=csv,noheader,nounits'
/** Left for the details after the list is there. They may be slow: without the persistence daemon each card wakes up for them. */
const DETAILS_GRACE_MS = 1500

export async function probeNvidia(system: System, memory: SharedMemory): Promise<GpuProbe> {
  for (const command of commandsFor(system.platform)) {
    const probe = await askTool(system, command, memory)
    if (probe.gpus.length > 0 || probe.troubles.length > 0) return probe
  }
  return { gpus: [], troubles: [] }
}

function commandsFor(platform: NodeJS.Platform): string[] {
  // Inside WSL the tool is often not on the path.
  if (platform === 'linux') return ['nvidia-smi', '/usr/lib/wsl/lib/nvidia-smi']
  return platform === 'win32' ? ['nvidia-smi', String.raw`C:\Windows\System32\nvidia-smi.exe`] : []
}

async function askTool(system: System, command: string, memory: SharedMemory): Promise<GpuProbe> {
  const details = answer(system, command, ['-q', '-x'])
  const table = answer(system, command, [])
  const topology = answer(system, command, ['topo', '-m'])
  // Drivers before 510 do not know compute_cap and refuse the whole query: both are asked at once, for the time is short.
  const [full, old] = await Promise.all(
    [[...FIELDS, 'compute_cap'], FIELDS].map((fields) => answer(system, command, [`--query-gpu=${fields.join(',')}`, FORMAT])),
  )
  const listed = [full, old].map((result) => (result && result.code === 0 ? parseNvidiaSmi(result.stdout, memory) : []))
  const gpus = listed.find((list) => list.length > 0) ?? []
  if (gpus.length === 0) {
    const trouble = old && troubleOf('nvidia', 'nvidia-smi', old)
    return { gpus: [], troubles: trouble ? [trouble] : [] }
  }
  const silent: CommandResult = { code: 124, stdout: '', stderr: '', timedOut: true }
  // Each for itself: one that hangs must not cost what the others say.
  const [xml, text, matrix] = await Promise.all([details, table, topology].map((asked) => within(asked, DETAILS_GRACE_MS, silent)))
  const report = mergedDetails(parseNvidiaXml(xml?.stdout ?? ''), text?.stdout ?? '', gpus.length)
  return { gpus: withDetails(gpus, report, parseTopology(matrix?.stdout ?? '')), troubles: [] }
}

/** What the XML does not say (it is missing, cut off, or of a driver that leaves it out) is taken from the table. */
function mergedDetails(xml: NvidiaDetails, text: string, cards: number): NvidiaDetails {
  const table = parseNvidiaTable(text)
  const cudaVersion = xml.cudaVersion ?? table.cudaVersion
  const gpus = Array.from({ length: cards }, (_, index) => {
    const own = xml.gpus[index] ?? {}
    const parts = own.partitions?.some((part) => part.memoryBytes > 0) === true ? own.partitions : table.partitions.get(index)
    return { ...own, ...(parts === undefined ? {} : { partitions: parts }) }
  })
  return { ...(cudaVersion === undefined ? {} : { cudaVersion }), gpus }
}

function withDetails(gpus: readonly Gpu[], details: NvidiaDetails, links: ReturnType<typeof parseTopology>): Gpu[] {
  return gpus.map((gpu, index) => {
    const own = links.get(index) ?? []
    return {
      ...gpu,
      ...(details.cudaVersion === undefined ? {} : { cudaVersion: details.cudaVersion }),
      ...details.gpus[index],
      ...(own.length > 0 ? { links: own } : {}),
    }
  })
}

/** Lines of `name, total MiB, free MiB, driver[, capability]`. Boards that share memory with the CPU report `[N/A]`. */
export function parseNvidiaSmi(text: string, memory: SharedMemory): Gpu[] {
  const lines = text.split('\n').filter((line) => line.split(',').length >= FIELDS.length)
  return lines.flatMap((line, index) => {
    const [name, total, free, driver, capability] = line.split(',').map((cell) => cell.trim())
    if (!name || total === undefined || driver === undefined) return []
    const shared = !/^\d+$/.test(total)
    if (shared && !/^\[?(n\/a|not supported)/i.test(total)) return []
    return [
      {
        vendor: 'nvidia' as const,
        name,
        memoryBytes: shared ? memory.totalBytes : Number(total) * MIB,
        freeBytes: shared ? memory.availableBytes : (Number(free) || 0) * MIB,
        index,
        ...(shared ? { sharedMemory: true } : {}),
        ...optional('driver', known(driver)),
        ...capabilityFacts(known(capability)),
      },
    ]
  })
}

/**
 * DP4A came with 6.1 and tensor cores that know int8 with 7.2; 6.2 (TX2) and 7.0's neighbours below have neither
 * (TensorRT support matrix, "Hardware and Precision").
 */
export function capabilityFacts(capability: string | undefined): Pick<Gpu, 'capability' | 'fastInt8'> {
  if (capability === undefined) return {}
  const version = Number(capability)
  return { capability, fastInt8: version === 6.1 || version >= 7 }
}

function optional<Key extends string>(key: Key, value: string | undefined): { [Name in Key]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { [Name in Key]?: string }
}
