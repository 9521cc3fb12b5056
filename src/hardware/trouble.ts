/** Why a vendor's tool that is installed does not list its cards, from its exit code and its own words. */
import type { CommandResult } from '../base/child-process.ts'
import type { GpuVendor, ProbeTrouble } from '../shared/hardware.ts'

/** First match wins. The words are those of nvidia-smi 470 to 580, rocm-smi, amd-smi, npu-smi, xpu-smi and mthreads-gmi. */
const WORDS: readonly (readonly [RegExp, ProbeTrouble['reason']])[] = [
  [/version mismatch|driver\/library/i, 'driver-mismatch'],
  [/permission|not permitted|access is denied|root privilege|add .* to .* group/i, 'no-permission'],
  [/no devices were found|no (amd )?gpus? (were )?(found|detected)|no device (was )?(discovered|found)|device not found/i, 'no-devices'],
  [/communicate with the nvidia driver|driver not (initialized|loaded)|not initialized|blocked by the operating system/i, 'no-driver'],
  [/couldn.t find libnvidia-ml|libdrm|no such device|ko is not|dcmi module initialize failed|modprobe/i, 'no-driver'],
  // Some versions say so on stdout and end with 0.
  [/failed to initialize nvml/i, 'failed'],
]

/** Undefined when the tool is not installed, or did answer. */
export function troubleOf(vendor: GpuVendor, tool: string, result: CommandResult): ProbeTrouble | undefined {
  const said = shorten(`${result.stderr}\n${result.stdout}`)
  if (result.timedOut) return { vendor, tool, reason: 'timed-out', said }
  if (result.code === 127 && !WORDS.some(([words]) => words.test(said))) return undefined
  const reason = WORDS.find(([words]) => words.test(said))?.[1]
  if (reason === undefined && result.code === 0) return undefined
  return { vendor, tool, reason: reason ?? 'failed', said: said || `exit code ${result.code}` }
}

function shorten(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 300)
}
