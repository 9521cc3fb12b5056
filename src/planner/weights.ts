/**
 * What a model's weights take, part by part and layer by layer, for its own files or for another quantisation of it. Bytes.
 * Own files: the sum of their tensors, exact. Another quantisation of a GGUF: llama.cpp's rules over the file's tensors.
 * Of anything else: the same rules over the tensors that the shape must have (shape-tensors.ts), said to be a formula.
 */
import type { HeaderTensor, ModelHeader } from '../models/headers/model-header.ts'
import { GGUF_QUANTIZATIONS, recipeTypes } from './gguf-recipe.ts'
import { elementsOf, placeOf, plannedTensor } from './planned-tensor.ts'
import type { PlannedTensor } from './planned-tensor.ts'
import { isSafetensorsQuantization, safetensorsBytes, SAFETENSORS_QUANTIZATIONS } from './safetensors-recipe.ts'
import { shapeFacts } from './shape-facts.ts'
import type { ShapeFacts } from './shape-facts.ts'
import { shapeTensors } from './shape-tensors.ts'
import { typeBytes } from './tensor-types.ts'

export interface LayerWeights {
  attention: number
  dense: number
  experts: number
}

export interface ModelWeights {
  quantization: string
  /** `exact`: read from the files; `recipe`: llama.cpp's rules over the files' tensors; `formula`: over what the shape implies; `measured`: bits per weight. */
  basis: 'exact' | 'recipe' | 'formula' | 'measured'
  /** Of the main model, without drafts, vision and lookup tables. */
  parameters: number
  /** Main model with its lookup tables; without drafts and vision. */
  total: number
  layers: readonly LayerWeights[]
  embedding: number
  output: number
  lookup: number
  /** In the files, but not loaded unless wished. */
  draft: number
  vision: number
  isTied: boolean
}

/** Names that can be asked for, as they are written. */
export const QUANTIZATIONS: readonly string[] = [...new Set([...GGUF_QUANTIZATIONS, ...SAFETENSORS_QUANTIZATIONS])]

/** `q4_k_m` → `Q4_K_M`; common synonyms too. Undefined when it is none. */
export function quantizationNamed(text: string): string | undefined {
  const wanted = text.trim().toUpperCase()
  const synonyms: Readonly<Record<string, string>> = {
    FP16: 'F16',
    FP32: 'F32',
    Q4: 'Q4_K_M',
    Q8: 'Q8_0',
    MXFP4_MOE: 'MXFP4',
    Q5: 'Q5_K_M',
    Q6: 'Q6_K',
    'AWQ-4BIT': 'AWQ',
    'GPTQ-4BIT': 'GPTQ',
    'FP4+FP8 (MXFP4)': 'FP4+FP8',
  }
  return synonyms[wanted] ?? QUANTIZATIONS.find((name) => name === wanted)
}

export function isGgufQuantization(quantization: string): boolean {
  return GGUF_QUANTIZATIONS.includes(quantization)
}

/** `quantization` absent or the files' own: what the files are. */
export function weightsOf(header: ModelHeader, quantization: string = header.quantization): ModelWeights {
  const facts = shapeFacts(header.shape)
  const own = sameQuantization(quantization, header.quantization)
  const fromHeader = header.tensors?.map((tensor) => tensorOfHeader(tensor, facts.layers))
  if (own && header.tensors && fromHeader) {
    const bytes = header.tensors.map((tensor) => tensor.bytes)
    const exact = collect(fromHeader, bytes, facts, quantization, 'exact')
    // Files of packed 4-bit numbers have fewer elements than the model has parameters.
    return header.source === 'gguf' ? exact : { ...exact, parameters: shapeParameters(header, facts) || exact.parameters }
  }
  const isGguf = header.source === 'gguf' && fromHeader !== undefined
  const tensors = isGguf ? byLayer(fromHeader) : impliedTensors(header, facts)
  // A folder of safetensors that says MXFP4 has only its experts so.
  const stored = quantization === 'MXFP4' && own && !isGguf ? 'MXFP4+BF16' : (quantizationNamed(quantization) ?? quantization)
  const bytes = bytesFor(stored, tensors, header.architecture, facts)
  if (bytes && tensors.length > 0) return collect(tensors, bytes, facts, quantization, isGguf ? 'recipe' : 'formula')
  return byBitsPerWeight(fromHeader ?? tensors, facts, quantization)
}

const implied = new WeakMap<ModelHeader, PlannedTensor[]>()

/** Many quantisations are asked of one header. */
function impliedTensors(header: ModelHeader, facts: ShapeFacts): PlannedTensor[] {
  const tensors = implied.get(header) ?? shapeTensors(header.architecture, facts)
  implied.set(header, tensors)
  return tensors
}

/** Of the main model; 0 when the shape does not say enough. */
function shapeParameters(header: ModelHeader, facts: ShapeFacts): number {
  const counted = impliedTensors(header, facts).filter(({ part }) => part !== 'draft' && part !== 'lookup')
  return counted.reduce((sum, tensor) => sum + elementsOf(tensor), 0)
}

/** GPTQ and AWQ name the same sizes, and a file that says `MXFP4_MOE` is MXFP4. */
function sameQuantization(a: string, b: string): boolean {
  return (quantizationNamed(a) ?? a) === (quantizationNamed(b) ?? b)
}

function tensorOfHeader({ name, shape }: HeaderTensor, layers: number): PlannedTensor {
  const { part, layer } = placeOf(name, layers)
  return plannedTensor(name, shape, part, layer)
}

/** llama.cpp counts tensors in the order of their layers. */
function byLayer(tensors: readonly PlannedTensor[]): PlannedTensor[] {
  return tensors.toSorted((a, b) => (a.layer ?? -1) - (b.layer ?? -1))
}

function bytesFor(quantization: string, tensors: readonly PlannedTensor[], architecture: string, facts: ShapeFacts): number[] | undefined {
  // Hugging Face's BF16 keeps norms in BF16, GGUF's in F32: some megabytes. GGUF's is taken, since it is what is loaded here.
  const types = recipeTypes(quantization, tensors, {
    architecture,
    layers: facts.layers,
    headsPerKey: headsPerKey(facts),
    experts: facts.experts,
    isTied: isTied(tensors),
  })
  if (types) return tensors.map(({ rows, columns }, index) => typeBytes(types[index] ?? 'F32', rows, columns))
  if (isSafetensorsQuantization(quantization)) return tensors.map((tensor) => safetensorsBytes(tensor, quantization))
  return undefined
}

/** Latent attention is written as one key head for all. */
function headsPerKey({ heads, kvHeads, latent, compression }: ShapeFacts): number {
  const keys = latent || compression ? 1 : Math.max(1, ...kvHeads)
  return Math.floor(heads / keys)
}

function collect(
  tensors: readonly PlannedTensor[],
  bytes: readonly number[],
  facts: ShapeFacts,
  quantization: string,
  basis: ModelWeights['basis'],
): ModelWeights {
  const layers = Array.from({ length: facts.layers }, (): LayerWeights => ({ attention: 0, dense: 0, experts: 0 }))
  const outer = { embedding: 0, output: 0, lookup: 0, draft: 0, vision: 0 }
  let parameters = 0
  for (const [index, tensor] of tensors.entries()) {
    const size = bytes[index] ?? 0
    const layer = tensor.layer === undefined ? undefined : layers[tensor.layer]
    const { part } = tensor
    if (part === 'attention' || part === 'dense' || part === 'experts') {
      if (layer) layer[part] += size
      else outer.output += size
    } else outer[part] += size
    if (part !== 'draft' && part !== 'vision' && part !== 'lookup' && !isScale(tensor.name)) parameters += elementsOf(tensor)
  }
  const inLayers = layers.reduce((sum, { attention, dense, experts }) => sum + attention + dense + experts, 0)
  const total = inLayers + outer.embedding + outer.output + outer.lookup
  return { quantization, basis, parameters, total, layers, ...outer, isTied: isTied(tensors) }
}

/** The embeddings are the head too. */
function isTied(tensors: readonly PlannedTensor[]): boolean {
  return !tensors.some(({ name }) => /(^|\.)(output|lm_head|head)\.weight$/.test(name))
}

/** Scales of quantised tensors are bytes, but no parameters. */
function isScale(name: string): boolean {
  return /(_scale_inv|_scale|\.scale|scales|qzeros|g_idx)$/.test(name)
}

/**
 * Bits per weight of whole files: measured on Llama-3.1-8B (llama.cpp tools/quantize/README.md; shared facts models.md 7.1).
 * Used where neither files nor shape name the tensors.
 */
const BITS_PER_WEIGHT: Readonly<Record<string, number>> = {
  IQ1_S: 2,
  IQ1_M: 2.15,
  IQ2_XXS: 2.38,
  IQ2_XS: 2.59,
  IQ2_S: 2.74,
  IQ2_M: 2.93,
  IQ3_XXS: 3.25,
  IQ3_XS: 3.5,
  IQ3_S: 3.66,
  IQ3_M: 3.76,
  Q2_K_S: 2.97,
  Q2_K: 3.16,
  Q3_K_S: 3.64,
  Q3_K_M: 4,
  Q3_K_L: 4.3,
  IQ4_XS: 4.46,
  IQ4_NL: 4.68,
  Q4_K_S: 4.67,
  Q4_K_M: 4.89,
  Q4_0: 4.66,
  Q4_1: 5.1,
  Q5_0: 5.6,
  Q5_1: 6.1,
  Q5_K_S: 5.57,
  Q5_K_M: 5.7,
  Q6_K: 6.56,
  Q8_0: 8.5,
  F16: 16,
  BF16: 16,
  F32: 32,
  FP8: 8.1,
  INT8: 8.1,
  AWQ: 4.4,
  GPTQ: 4.4,
  INT4: 4.4,
  NVFP4: 4.7,
  MXFP4: 4.4,
  'FP4+FP8': 4.5,
  'MXFP4+BF16': 5.2,
  TQ1_0: 2,
  TQ2_0: 2.4,
}

function byBitsPerWeight(tensors: readonly PlannedTensor[], facts: ShapeFacts, quantization: string): ModelWeights {
  const bits = BITS_PER_WEIGHT[quantization] ?? 16
  const bytes = tensors.map((tensor) => (isScale(tensor.name) ? 0 : Math.ceil((elementsOf(tensor) * bits) / 8)))
  return collect(tensors, bytes, facts, quantization, 'measured')
}
