/** What is planned for when the user does not say. */
import type { ModelHeader } from '../models/headers/model-header.ts'
import { AppError } from '../shared/errors.ts'
import type { PlanEngine, PlanRequest } from '../shared/plan.ts'
import { servesFolders } from './card-formats.ts'
import { DEFAULT_CONTEXT } from './defaults.ts'
import type { Machine } from './machine.ts'
import { isDriven } from './place-llama.ts'
import type { Wishes } from './planner-situation.ts'
import { isSafetensorsQuantization } from './safetensors-recipe.ts'
import { isGgufQuantization, quantizationNamed, QUANTIZATIONS } from './weights.ts'

/** Throws `invalid-field` for a quantisation that is none, or that the engine cannot run. */
export function wishesOf(request: Omit<PlanRequest, 'model'>, header: ModelHeader, machine: Machine): Wishes {
  const asked = request.quant === undefined ? undefined : askedQuantization(request.quant, header)
  const engine = request.engine ?? usualEngine(asked, header, machine)
  const quantization = asked ?? usualQuantization(header, engine)
  if (engine === 'llama' && !isGgufQuantization(quantizationNamed(quantization) ?? quantization) && header.source !== 'gguf')
    throw new AppError('invalid-field', {
      field: 'quant',
      reason: `llama.cpp does not run ${quantization}; try Q8_0 or Q4_K_M, or another engine`,
    })
  return {
    context: request.context ?? Math.min(header.trainedContext || DEFAULT_CONTEXT, DEFAULT_CONTEXT),
    users: request.users ?? 1,
    kv: request.kv ?? usualKv(header, engine),
    kvLayout: request.kvLayout ?? 'split',
    engine,
    quantization,
    draft: request.draft ?? false,
  }
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
  if (cards.length > 0) return cards.every(servesFolders) || (asked !== undefined && isSafetensorsQuantization(named)) ? 'vllm' : 'llama'
  return machine.gpus.some((gpu) => !isDriven(gpu)) ? 'vllm' : 'llama'
}

/** For llama.cpp: 4 bits for what is not a GGUF yet (8 bits for models below 2 GB of them). */
function usualQuantization(header: ModelHeader, engine: PlanEngine): string {
  const named = quantizationNamed(header.quantization) ?? header.quantization
  if (header.source === 'gguf' || engine !== 'llama') return header.quantization
  return isGgufQuantization(named) && !['BF16', 'F16', 'F32'].includes(named) ? named : 'Q4_K_M'
}

/** V4 runs only with an FP8 cache in vLLM (shared facts models.md 1). */
function usualKv(header: ModelHeader, engine: PlanEngine): Wishes['kv'] {
  if (engine === 'llama') return 'f16'
  return 'compress_ratios_main_layers' in header.shape ? 'fp8' : 'bf16'
}
