/** The machine that is planned for: this one, or a described one. Bytes, bytes/s, FLOP/s. */
import type { Gpu, Hardware } from '../shared/api.ts'
import { deviceNamed } from './devices/device-table.ts'
import { bandwidthOf } from './devices/device.ts'
import type { DeviceNumber, DeviceVendor } from './devices/device.ts'

export interface MachineGpu {
  name: string
  vendor: DeviceVendor
  memoryBytes: number
  freeBytes: number
  /** Undefined when the card is not in the table. */
  bandwidth?: number
  fp16?: number
  fp8?: number
  /** Shares the system's memory. */
  isUnified: boolean
  /** Which computer it is in, from 0. */
  node: number
  /** Where the numbers of the table were read. */
  source?: string
  /** Those of them for which no public text was found. */
  unconfirmed?: readonly DeviceNumber[]
}

export interface Machine {
  gpus: readonly MachineGpu[]
  memory: { totalBytes: number; freeBytes: number; bandwidth: number; isMeasured: boolean }
  cores: number
  /** Of all cores together, 16- or 8-bit products as the CPU kernels reach them; an estimate. */
  cpuFlops: { low: number; high: number }
  isDescribed: boolean
  nodes: number
}

/** Cards in one computer, usually. */
export const GPUS_A_NODE = 8
/** One core draws about so much, up to what the memory gives (measured: 2 cores of a Sapphire Rapids virtual machine 17 to 20 GB/s). */
const BANDWIDTH_A_CORE = 10e9
const USUAL_BANDWIDTH = 80e9
/** Of a described machine: two channels of DDR5 up to this size, eight of DDR4-3200 above. */
const DESKTOP_BYTES = 200 * 2 ** 30
const SERVER_BANDWIDTH = 205e9
const DESCRIBED_CORES = { desktop: 16, server: 32 }
/** Of a described machine with cards, when nobody says. */
export const ASSUMED_MEMORY_BYTES = 16 * 2 ** 30
/** By one core with AVX-512 and with AVX2; measured on a 1.5B Q4_K_M: 0.157 and 0.098 TFLOP/s (shared facts libllama.md). */
const FLOPS_A_CORE = { wide: 0.155e12, narrow: 0.09e12 }

export function machineOf(hardware: Hardware): Machine {
  const { memory, cpu } = hardware
  const measured = memory.readBytesPerSecond
  const bandwidth = measured ?? Math.min(USUAL_BANDWIDTH, cpu.cores * BANDWIDTH_A_CORE)
  return {
    gpus: hardware.gpus.flatMap((gpu) => visibleCard(gpu).map((card) => gpuOf(card, card.memoryBytes / gpu.memoryBytes))),
    memory: { totalBytes: memory.totalBytes, freeBytes: memory.availableBytes, bandwidth, isMeasured: measured !== undefined },
    cores: cpu.cores,
    cpuFlops: cpuFlopsOf(cpu.cores, cpu.features),
    isDescribed: false,
    nodes: 1,
  }
}

/** Cards with all their memory free, and ordinary memory: of a machine that is described in words. */
export function describedMachine(gpus: readonly MachineGpu[], memory: { bytes: number; bandwidth?: number }): Machine {
  const unified = gpus.find((gpu) => gpu.isUnified)
  const bytes = unified ? unified.memoryBytes : memory.bytes
  const isServer = bytes > DESKTOP_BYTES
  const cores = isServer ? DESCRIBED_CORES.server : DESCRIBED_CORES.desktop
  return {
    gpus,
    cores,
    cpuFlops: cpuFlopsOf(cores, isServer ? ['avx512f'] : []),
    memory: {
      totalBytes: bytes,
      freeBytes: bytes,
      bandwidth:
        memory.bandwidth ??
        (unified?.bandwidth === undefined ? undefined : unified.bandwidth / 2) ??
        (isServer ? SERVER_BANDWIDTH : USUAL_BANDWIDTH),
      isMeasured: false,
    },
    isDescribed: true,
    nodes: Math.max(1, new Set(gpus.map((gpu) => gpu.node)).size),
  }
}

export function cpuFlopsOf(cores: number, features: readonly string[]): Machine['cpuFlops'] {
  const each = features.some((feature) => feature.startsWith('avx512')) ? FLOPS_A_CORE.wide : FLOPS_A_CORE.narrow
  return { low: cores * each * 0.5, high: cores * each }
}

/**
 * What one program sees of a card. In MIG mode that is one instance (the largest is taken), with a share of the bandwidth that is about that of
 * the memory; without an instance nothing. Source: NVIDIA MIG user guide, "CUDA Device Enumeration".
 */
export function visibleCard(gpu: Gpu): Gpu[] {
  if (gpu.partitions === undefined) return [gpu]
  const largest = gpu.partitions.toSorted((a, b) => b.memoryBytes - a.memoryBytes)[0]
  return largest && largest.memoryBytes > 0 ? [{ ...gpu, memoryBytes: largest.memoryBytes, freeBytes: largest.freeBytes }] : []
}

/** `share`: of the whole card, when it is split. */
function gpuOf(gpu: Gpu, share: number): MachineGpu {
  const known = deviceNamed(gpu.name)
  return {
    name: gpu.name,
    vendor: gpu.vendor,
    memoryBytes: gpu.memoryBytes,
    freeBytes: gpu.freeBytes,
    isUnified: gpu.sharedMemory ?? known?.isUnified ?? gpu.vendor === 'apple',
    node: 0,
    ...(known
      ? {
          bandwidth: bandwidthOf(known, gpu.memoryBytes / share / 2 ** 30) * 1e9 * share,
          source: known.source,
          unconfirmed: known.unconfirmed,
          ...(known.fp16 === undefined ? {} : { fp16: known.fp16 * 1e12 * share }),
          ...(known.fp8 === undefined ? {} : { fp8: known.fp8 * 1e12 * share }),
        }
      : {}),
  }
}
