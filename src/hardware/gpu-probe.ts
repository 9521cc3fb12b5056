/** What every vendor's probe answers. */
import type { Gpu, ProbeTrouble } from '../shared/hardware.ts'

export interface GpuProbe {
  gpus: Gpu[]
  /** Why there are fewer than one would expect. */
  troubles: ProbeTrouble[]
}

/** The memory of the processor, for GPUs that share it. */
export interface SharedMemory {
  totalBytes: number
  availableBytes: number
}

export const NO_GPUS: GpuProbe = { gpus: [], troubles: [] }

export const MIB = 1024 * 1024

/** The value, unless a tool wrote that it has none: `N/A`, `[Not Supported]`, `unknown`, `[Insufficient Permissions]`, nothing. */
export function known(value: string | undefined): string | undefined {
  const text = value?.trim()
  return text === undefined || /^(\[.*\]|n\/?a|none|unknown|unknown error|not supported|)$/i.test(text) ? undefined : text
}
