/** All graphics cards of this machine, each vendor asked by its own tool, side by side. */
import { GpuSchema } from '../shared/hardware.ts'
import type { Gpu, GpuVendor, ProbeTrouble } from '../shared/hardware.ts'
import { probeAmd } from './amd.ts'
import { probeApple } from './apple.ts'
import { probeAscend } from './ascend.ts'
import type { GpuProbe, SharedMemory } from './gpu-probe.ts'
import { probeIntel } from './intel.ts'
import { probeJetson, withJetson } from './jetson.ts'
import { probeMooreThreads } from './moore-threads.ts'
import { probeNvidia } from './nvidia.ts'
import { PROBE_TIMEOUT_MS, within } from './system.ts'
import type { System } from './system.ts'

/** Never throws, and never takes longer than one probe may. */
export async function probeGpus(system: System, memory: SharedMemory): Promise<GpuProbe> {
  const jetson = probeJetson(system).catch(() => undefined)
  const probes: readonly (readonly [GpuVendor, Promise<GpuProbe>])[] = [
    ['nvidia', probeNvidia(system, memory)],
    ['amd', probeAmd(system)],
    ['apple', probeApple(system, memory)],
    ['intel', probeIntel(system)],
    ['ascend', probeAscend(system)],
    ['moore-threads', probeMooreThreads(system)],
  ]
  const found = await Promise.all(probes.map(([vendor, probe]) => settled(vendor, probe)))
  const gpus = found.flatMap((probe) => probe.gpus)
  return { gpus: withJetson(gpus, await jetson, memory), troubles: real(found, gpus) }
}

function settled(vendor: GpuVendor, probe: Promise<GpuProbe>): Promise<GpuProbe> {
  const failed = (reason: ProbeTrouble['reason'], said: string): GpuProbe => ({
    gpus: [],
    troubles: [{ vendor, tool: vendor, reason, said }],
  })
  return within(
    probe.then(wellFormed).catch((error: unknown) => failed('failed', String(error).slice(0, 300))),
    PROBE_TIMEOUT_MS + 100,
    failed('timed-out', ''),
  )
}

/** A number that no card can have (1e999 bytes) is noise, not a card. */
function wellFormed({ gpus, troubles }: GpuProbe): GpuProbe {
  return { gpus: gpus.filter((gpu) => GpuSchema.safeParse(gpu).success), troubles }
}

/** A tool that is there without a card is no trouble when another vendor's card is: images often hold all of them. */
function real(found: readonly GpuProbe[], gpus: readonly Gpu[]): ProbeTrouble[] {
  return found.flatMap((probe) => probe.troubles).filter((trouble) => trouble.reason !== 'no-devices' || gpus.length === 0)
}
