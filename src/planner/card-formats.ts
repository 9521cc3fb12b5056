/**
 * Which weights of folders (safetensors) the kernels of vLLM and SGLang run on which cards.
 * Source: vLLM docs/features/quantization "Supported Hardware" (v0.14) and fp8.md (v0.32: FP8 from Turing on as W8A16);
 * SGLang docs/basic_usage/deepseek_v3.md (INT8 on Atlas 800I A3).
 */
import type { MachineGpu } from './machine.ts'
import { isSafetensorsQuantization } from './safetensors-recipe.ts'
import { quantizationNamed } from './weights.ts'

/** Volta and older: no INT8 and FP8 kernels, no AWQ. */
const OLD_NVIDIA = /\b(V100|P40|P100|K80|M40|TITAN V|GTX)\b/i

/** AMD cards that vLLM's wheels know: MI200 and newer, RX 7900 and 9000, AI MAX (docs v0.14, installation/gpu). */
const SERVED_AMD = /\bMI[23]\d\d|RX 79|RX 90|R9700|W7[89]00|AI MAX|8060S|STRIX HALO/i
/** Moore Threads' cards for offices and games run llama.cpp (MUSA) only; SGLang's MUSA backend and vLLM's plug-in are for S4000 and S5000. */
const SMALL_MOORE_THREADS = /\bS(30|70|80)\b/i

/** False for cards on which vLLM and SGLang do not start: llama.cpp is then the engine to plan with. True where it is not known otherwise. */
export function servesFolders({ vendor, name, source }: MachineGpu): boolean {
  if (vendor === 'nvidia') return !OLD_NVIDIA.test(name)
  if (vendor === 'amd') return source === undefined || SERVED_AMD.test(name)
  return vendor !== 'moore-threads' || !SMALL_MOORE_THREADS.test(name)
}

/** True where it is not known otherwise, and for plain 16- and 32-bit weights. */
export function runsFormat(gpus: readonly MachineGpu[], quantization: string): boolean {
  const named = quantizationNamed(quantization) ?? quantization
  return gpus.every((gpu) => cardRuns(gpu, named))
}

const HOPPER_AND_NEWER = /\b(GH\d|GB\d|H\d{2,3}|B\d{2,3})|RTX PRO|RTX 50[5-9]0|Blackwell|\bThor\b|DGX Spark/i

/**
 * V4's and V4.1's own weights: NVIDIA from Hopper on (DeepGEMM refuses older ones: vLLM issues 40778, 41027), MI325X and MI355X but not MI300X
 * (vLLM recipes DeepSeek-V4-Flash.yaml, DeepSeek-V4-Pro.yaml). True where it is not known otherwise.
 */
function runsV4({ vendor, name, source }: Pick<MachineGpu, 'vendor' | 'name' | 'source'>): boolean {
  if (vendor === 'nvidia') return source === undefined || HOPPER_AND_NEWER.test(name)
  if (vendor === 'amd') return /\bMI3[25]\d/i.test(name)
  return vendor === 'other' || vendor === 'apple'
}

function cardRuns({ vendor, name, fp8, source }: MachineGpu, format: string): boolean {
  if (format === 'FP4+FP8') return runsV4(source === undefined ? { vendor, name } : { vendor, name, source })
  if (!isSafetensorsQuantization(format) || ['BF16', 'F16', 'F32'].includes(format)) return true
  switch (vendor) {
    case 'nvidia':
      return !OLD_NVIDIA.test(name)
    case 'amd':
      return format === 'FP8' ? fp8 !== undefined : !['AWQ', 'GPTQ', 'INT4', 'INT8'].includes(format)
    case 'intel':
      return format !== 'FP8' && format !== 'INT8'
    case 'ascend':
      return format === 'INT8'
    case 'moore-threads':
      return format !== 'FP8' || fp8 !== undefined
    case 'other':
    case 'apple':
      return true
  }
}

/** The cards compute in 16 bits what is stored in 8: it fits, but is no faster. */
export function lacksFp8(gpus: readonly MachineGpu[]): boolean {
  return gpus.some((gpu) => gpu.source !== undefined && gpu.fp8 === undefined)
}
