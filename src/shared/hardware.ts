/** What a machine has, and what is wrong with it. Bytes are bytes; everything that could not be found out is absent. */
import { z } from 'zod'

const bytes = z.number().int().nonnegative()
const localized = z.strictObject({ en: z.string(), zh: z.string() })

export const GPU_VENDORS = ['nvidia', 'amd', 'apple', 'intel', 'ascend', 'moore-threads'] as const
export type GpuVendor = (typeof GPU_VENDORS)[number]

/** Those that the embedded engine has a backend for (CUDA, Metal, Vulkan). The others need an external engine. */
export const EMBEDDED_VENDORS: readonly GpuVendor[] = ['nvidia', 'amd', 'apple', 'intel']

/** How two GPUs reach each other, best first; as `nvidia-smi topo -m` tells them apart. */
export const GPU_LINKS = ['nvlink', 'xgmi', 'pcie-switch', 'pcie-bridges', 'pcie-host', 'numa-node', 'system'] as const

export const GpuSchema = z.strictObject({
  vendor: z.enum(GPU_VENDORS),
  name: z.string(),
  /** All of it; for one that shares the processor's memory, what it may take of that. */
  memoryBytes: bytes,
  freeBytes: bytes,
  driver: z.string().optional(),
  /** CUDA compute capability `9.0`, AMD's `gfx942`. */
  capability: z.string().optional(),
  /** Its number in the vendor's own tool. */
  index: z.number().int().nonnegative().optional(),
  /** True when its memory is the processor's: the same bytes must not be counted twice. */
  sharedMemory: z.boolean().optional(),
  /** Newest CUDA that the driver can run, e.g. `12.8`. */
  cudaVersion: z.string().optional(),
  /** Cores, execution units or compute units, as the vendor counts. */
  cores: z.number().int().positive().optional(),
  /** Error-correcting memory is on. */
  ecc: z.boolean().optional(),
  /** The card computes 8-bit integers faster than 16-bit floats (DP4A or tensor cores). */
  fastInt8: z.boolean().optional(),
  /** How busy it was when it was asked. */
  busyPercent: z.number().min(0).max(100).optional(),
  /** A small computer around the GPU that needs its own builds of everything. */
  board: z.enum(['jetson']).optional(),
  /** Parts that programs see instead of the whole (NVIDIA MIG). */
  partitions: z.array(z.strictObject({ id: z.string(), memoryBytes: bytes, freeBytes: bytes })).optional(),
  /** To the other GPUs of the same vendor, by their index. */
  links: z
    .array(z.strictObject({ to: z.number().int().nonnegative(), type: z.enum(GPU_LINKS), lanes: z.number().int().positive().optional() }))
    .optional(),
})
export type Gpu = z.infer<typeof GpuSchema>
export type GpuLink = NonNullable<Gpu['links']>[number]

export const PROBE_TROUBLES = ['timed-out', 'driver-mismatch', 'no-permission', 'no-driver', 'no-devices', 'failed'] as const
/** A vendor's tool is installed but does not answer as it should. */
export const ProbeTroubleSchema = z.strictObject({
  vendor: z.enum(GPU_VENDORS),
  tool: z.string(),
  reason: z.enum(PROBE_TROUBLES),
  /** Its own words, shortened. */
  said: z.string(),
})
export type ProbeTrouble = z.infer<typeof ProbeTroubleSchema>

/** `local` disks, `network` folders (NFS, SMB), `fuse` programs, `host` folders of a virtual machine or WSL, or kept in `memory`. */
export const DISK_KINDS = ['local', 'network', 'fuse', 'host', 'memory', 'overlay'] as const

export const HardwareSchema = z.strictObject({
  /** `<platform>-<arch>` as Node names them. */
  platform: z.string(),
  cpu: z.strictObject({
    model: z.string(),
    /** Cores that this process may use (affinity and cgroup quota). */
    cores: z.number().positive(),
    physicalCores: z.number().positive(),
    features: z.array(z.string()),
    /** All last-level caches together. */
    cacheBytes: bytes.optional(),
    numaNodes: z.number().int().positive().optional(),
  }),
  memory: z.strictObject({
    totalBytes: bytes,
    /** What could be taken now without swapping, cgroup limit included. */
    availableBytes: bytes,
    /** The cgroup's limit, when there is one. */
    limitBytes: bytes.optional(),
    swapBytes: bytes.optional(),
    swapFreeBytes: bytes.optional(),
    /** Reading by all threads at once; measured here, some time ago. */
    readBytesPerSecond: bytes.optional(),
  }),
  disk: z.strictObject({
    path: z.string(),
    freeBytes: bytes,
    totalBytes: bytes,
    /** e.g. `ext4`, `nfs4`. */
    type: z.string().optional(),
    kind: z.enum(DISK_KINDS).optional(),
    /** One file from its beginning to its end, past the page cache; measured here, some time ago. */
    readBytesPerSecond: bytes.optional(),
  }),
  gpus: z.array(GpuSchema),
  /** Absent when every tool that is installed answered well. */
  troubles: z.array(ProbeTroubleSchema).optional(),
})
export type Hardware = z.infer<typeof HardwareSchema>

export const FindingSchema = z.strictObject({
  /** Stable: programs may look for it. */
  id: z.string(),
  level: z.enum(['ok', 'warning', 'problem']),
  title: localized,
  detail: localized,
  remedy: localized.optional(),
})
/** One line of `bendi doctor`. */
export type Finding = z.infer<typeof FindingSchema>
