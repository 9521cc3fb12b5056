/** What is planned for when the user does not say. */
import type { ModelHeader } from '../models/headers/model-header.ts'
import { AppError } from '../shared/errors.ts'
import type { PlanEngine, PlanRequest } from '../shared/plan.ts'
import { runsFormat, servesFolders } from './card-formats.ts'
import { DEFAULT_CONTEXT } from './defaults.ts'
import type { Machine, MachineGpu } from './machine.ts'
import { UTILISATION } from './overheads.ts'
import { isDriven } from './place-llama.ts'
import type { Wishes } from './planner-situation.ts'
import { isSafetensorsQuantization } from './safetensors-recipe.ts'
import { isGgufQuantization, quantizationNamed, QUANTIZATIONS, weightsOf } from './weights.ts'

/** Throws `invalid-field` for a quantisation or a cache that is none, or that the engine does not have. */
export function wishesOf(request: Omit<PlanRequest, 'model'>, header: ModelHeader, machine: Machine): Wishes {
  const asked = request.quant === undefined ? undefined : askedQuantization(request.quant, header)
  const engine = request.engine ?? usualEngine(asked, header, machine)
  const quantization = asked ?? usualQuantization(header, engine)
  if (request.kv !== undefined && !KV_TYPES[engine].includes(request.kv))
    throw new AppError('invalid-field', {
      field: 'kv',
      reason: `${engine === 'llama' ? 'llama.cpp' : engine} has no cache in ${request.kv}; try ${KV_TYPES[engine].join(', ')}, or another engine`,
    })
  if (engine === 'llama' && !isGgufQuantization(quantizationNamed(quantization) ?? quantization) && header.source !== 'gguf')
    throw new AppError('invalid-field', {
      field: 'quant',
      reason: `llama.cpp does not run ${quantization}; try Q8_0 or Q4_K_M, or another engine`,
    })
  return {
    context: request.context ?? Math.min(header.trainedContext || DEFAULT_CONTEXT, DEFAULT_CONTEXT),
    users: request.users ?? 1,
    kv: request.kv ?? usualKv(header, engine, machine),
    kvLayout: request.kvLayout ?? 'split',
    engine,
    quantization,
    draft: request.draft ?? false,
  }
}

/** What the engines keep keys and values in. */
const KV_TYPES: Readonly<Record<PlanEngine, readonly Wishes['kv'][]>> = {
  llama: ['f16', 'q8_0', 'q4_0'],
  vllm: ['bf16', 'f16', 'fp8'],
  sglang: ['bf16', 'f16', 'fp8'],
}

function askedQuantization(text: string, header: ModelHeader): string {
  if (text.trim().toUpperCase() === header.quantization.toUpperCase()) return header.quantization
  const named = quantizationNamed(text)
  if (named === undefined)
    throw new AppError('invalid-field', { field: 'quant', reason: `"${text}" is none of ${QUANTIZATIONS.join(', ')}` })
  return named
}

/** GGUF runs in the embedded engine; other files in vLLM where all cards are ones that it drives, else as a GGUF that would be made of them. */
function usualEngine(asked: string | undefined, header: ModelHeader, machine: Machine): PlanEngine {
  const quantization = asked ?? header.quantization
  const named = quantizationNamed(quantization) ?? quantization
  if (header.source === 'gguf') return 'llama'
  const isGgufOnly = isGgufQuantization(named) && !['BF16', 'F16', 'MXFP4'].includes(named)
  if (isGgufOnly) return 'llama'
  const cards = machine.gpus.filter((gpu) => !gpu.isUnified && gpu.vendor !== 'intel')
  if (cards.length > 0) {
    const canBeLlama = cards.every(isDriven)
    const isServed = cards.every(servesFolders) && ((runsFormat(cards, named) && holdWeights(cards, header)) || !canBeLlama)
    return isServed || (asked !== undefined && isSafetensorsQuantization(named)) ? 'vllm' : 'llama'
  }
  return machine.gpus.some((gpu) => !isDriven(gpu)) ? 'vllm' : 'llama'
}

/** vLLM has no use for ordinary memory: what is larger than all cards together is for llama.cpp, which leaves experts and layers there. */
function holdWeights(cards: readonly MachineGpu[], header: ModelHeader): boolean {
  const room = cards.reduce((sum, { memoryBytes }) => sum + memoryBytes * UTILISATION.vllm, 0)
  return weightsOf(header).total <= room
}

/** For llama.cpp: 4 bits for what is not a GGUF yet. Experts that were published in 4 bits (V4, gpt-oss) stay as they are. */
function usualQuantization(header: ModelHeader, engine: PlanEngine): string {
  const named = quantizationNamed(header.quantization) ?? header.quantization
  if (header.source === 'gguf' || engine !== 'llama') return header.quantization
  if (/FP4/.test(header.quantization) && header.quantization !== 'NVFP4') return 'MXFP4'
  return isGgufQuantization(named) && !['BF16', 'F16', 'F32'].includes(named) ? named : 'Q4_K_M'
}

/** V4 runs only with an FP8 cache in vLLM (shared facts models.md 1); Ascend has no FP8. */
export function usualKv(header: ModelHeader, engine: PlanEngine, { gpus }: Machine): Wishes['kv'] {
  if (engine === 'llama') return 'f16'
  return 'compress_ratios_main_layers' in header.shape && !gpus.some((gpu) => gpu.vendor === 'ascend') ? 'fp8' : 'bf16'
}
