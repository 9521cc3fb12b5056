/**
 * Which type each tensor gets in a GGUF file of a given quantisation: `Q4_K_M` is a mix, not a type.
 * Follows the rules of llama.cpp src/llama-quant.cpp (2026-09): `llama_tensor_get_type_impl`, `tensor_allows_quantization`,
 * `tensor_type_fallback`, `llama_ftype_get_default_type`. IQ1 to IQ3_XXS need an importance matrix and are planned with one;
 * the others without.
 */
import type { PlannedTensor } from './planned-tensor.ts'
import { typeForRow } from './tensor-types.ts'

/** The type of most tensors, by quantisation. */
const DEFAULTS: Readonly<Record<string, string>> = {
  F32: 'F32',
  F16: 'F16',
  BF16: 'BF16',
  Q4_0: 'Q4_0',
  Q4_1: 'Q4_1',
  Q5_0: 'Q5_0',
  Q5_1: 'Q5_1',
  Q8_0: 'Q8_0',
  Q2_K: 'Q2_K',
  Q2_K_S: 'Q2_K',
  Q3_K_S: 'Q3_K',
  Q3_K_M: 'Q3_K',
  Q3_K_L: 'Q3_K',
  Q4_K_S: 'Q4_K',
  Q4_K_M: 'Q4_K',
  Q5_K_S: 'Q5_K',
  Q5_K_M: 'Q5_K',
  Q6_K: 'Q6_K',
  IQ1_S: 'IQ1_S',
  IQ1_M: 'IQ1_M',
  IQ2_XXS: 'IQ2_XXS',
  IQ2_XS: 'IQ2_XS',
  IQ2_S: 'IQ2_XS',
  IQ2_M: 'IQ2_S',
  IQ3_XXS: 'IQ3_XXS',
  IQ3_XS: 'IQ3_S',
  IQ3_S: 'IQ3_S',
  IQ3_M: 'IQ3_S',
  IQ4_XS: 'IQ4_XS',
  IQ4_NL: 'IQ4_NL',
  TQ1_0: 'TQ1_0',
  TQ2_0: 'TQ2_0',
  MXFP4: 'MXFP4',
}

/** Quantisations that a GGUF file can be made with. */
export const GGUF_QUANTIZATIONS: readonly string[] = Object.keys(DEFAULTS)

export interface RecipeFacts {
  architecture: string
  layers: number
  /** Query heads to one stored key head: all of them with latent attention. */
  headsPerKey: number
  experts: number
  isTied: boolean
}

const VALUE_TENSOR = /attn_v\.weight|attn_qkv\.weight|attn_kv_b\.weight/
const LOW_BIT = new Set(['IQ1_S', 'IQ1_M', 'IQ2_XXS', 'IQ2_XS', 'IQ2_S', 'IQ2_M'])

/** The type of each tensor, in their order; layers must come in ascending order. Undefined for a quantisation that is none of GGUF's. */
export function recipeTypes(quantization: string, tensors: readonly PlannedTensor[], facts: RecipeFacts): string[] | undefined {
  const base = DEFAULTS[quantization]
  if (base === undefined) return undefined
  const state: State = { values: 0, downs: 0, valueTensors: tensors.filter(({ name }) => VALUE_TENSOR.test(name)).length }
  return tensors.map((tensor) => {
    if (!isQuantized(tensor)) return /ffn_gate_tid2eid/.test(tensor.name) ? 'I32' : 'F32'
    if (base === 'F32' || base === 'F16' || base === 'BF16') return base
    return typeForRow(mixedType(quantization, base, tensor, facts, state), tensor.columns)
  })
}

interface State {
  /** How many attention-value and down tensors came before. */
  values: number
  downs: number
  valueTensors: number
}

/** Vectors, norms, routers and the small matrices of compressors and hyper-connections stay F32. */
function isQuantized({ name, dimensions }: PlannedTensor): boolean {
  return dimensions >= 2 && name.endsWith('.weight') && !/_norm\.weight|ffn_gate_inp|tid2eid|ssm_conv1d|_ape\.|\bhc_/.test(name)
}

function mixedType(quantization: string, base: string, tensor: PlannedTensor, facts: RecipeFacts, state: State): string {
  const { name } = tensor
  if (name === 'output.weight' || (facts.isTied && tensor.part === 'embedding')) return outputType(quantization, base, tensor)
  if (quantization === 'MXFP4') return tensor.part === 'experts' ? 'MXFP4' : 'Q8_0'
  if (tensor.part === 'embedding') return embeddingType(quantization, base)
  if (LOW_BIT.has(quantization)) return lowBitType(quantization, base, tensor, facts, state)
  if (VALUE_TENSOR.test(name)) return valueType(quantization, base, facts, state)
  if (/attn_[kq]\.weight/.test(name)) return keyQueryType(quantization, base, name, facts)
  if (name.includes('ffn_down')) return downType(quantization, base, tensor, facts)
  if (name.includes('attn_output.weight')) return attentionOutputType(quantization, base, facts)
  if (/ffn_(gate|up)/.test(name) && quantization === 'IQ3_XS' && isMiddle(tensor, facts)) return 'IQ3_XXS'
  return base
}

function outputType(quantization: string, base: string, { columns }: PlannedTensor): string {
  if (quantization === 'MXFP4' || columns % 256 !== 0) return 'Q8_0'
  if (LOW_BIT.has(quantization) || quantization === 'IQ3_XXS') return 'Q5_K'
  return base === 'Q8_0' ? 'Q8_0' : 'Q6_K'
}

function embeddingType(quantization: string, base: string): string {
  if (/^IQ2_X|^IQ1/.test(quantization)) return 'Q2_K'
  if (/^IQ2_|^IQ3_XXS$/.test(quantization)) return 'IQ3_S'
  return quantization.startsWith('TQ') ? 'Q4_K' : base
}

function lowBitType(quantization: string, base: string, { name }: PlannedTensor, facts: RecipeFacts, state: State): string {
  const better = quantization === 'IQ2_S' || quantization === 'IQ2_M' ? 'IQ3_S' : 'Q2_K'
  if (VALUE_TENSOR.test(name)) return facts.headsPerKey >= 4 || facts.experts >= 4 ? 'Q4_K' : better
  if (facts.experts === 8 && name.includes('attn_k.weight')) return 'Q4_K'
  if (name.includes('ffn_down')) {
    const isEarly = state.downs < Math.floor(facts.layers / 8)
    state.downs += 1
    return isEarly ? better : base
  }
  if (!name.includes('attn_output.weight')) return base
  if (facts.experts === 8) return 'Q5_K'
  if (quantization.startsWith('IQ1')) return 'IQ2_XXS'
  return better === 'IQ3_S' ? 'IQ3_S' : base
}

function valueType(quantization: string, base: string, facts: RecipeFacts, state: State): string {
  const place = state.values
  state.values += 1
  if (facts.experts === 8) return 'Q8_0'
  const type = plainValueType(quantization, base, facts, place, state.valueTensors)
  const isSeventy = facts.layers === 80 && facts.headsPerKey > 1 && /^(llama|qwen2)$/.test(facts.architecture)
  return isSeventy && (type === 'Q3_K' || type === 'Q4_K') ? 'Q5_K' : type
}

function plainValueType(quantization: string, base: string, { headsPerKey }: RecipeFacts, place: number, count: number): string {
  const isShared = headsPerKey >= 4
  switch (quantization) {
    case 'Q2_K':
      return isShared ? 'Q4_K' : 'Q3_K'
    case 'Q2_K_S':
    case 'IQ3_XS':
    case 'IQ3_S':
    case 'IQ3_XXS':
      return isShared ? 'Q4_K' : base
    case 'IQ3_M':
      return 'Q4_K'
    case 'Q3_K_M':
      return place < 2 ? 'Q5_K' : 'Q4_K'
    case 'Q3_K_L':
      return 'Q5_K'
    case 'IQ4_NL':
    case 'IQ4_XS':
      return isShared ? 'Q5_K' : base
    case 'Q4_K_M':
    case 'Q5_K_M':
      return getsMoreBits(place, count) ? 'Q6_K' : base
    case 'Q4_K_S':
      return place < 4 ? 'Q5_K' : base
    default:
      return base
  }
}

function keyQueryType(quantization: string, base: string, name: string, { experts }: RecipeFacts): string {
  if (experts === 8 && name.includes('attn_k.weight')) return 'Q8_0'
  if (quantization === 'IQ3_XS') return 'IQ3_XXS'
  return quantization === 'IQ3_XXS' ? 'IQ2_S' : base
}

function downType(quantization: string, base: string, { layer = 0 }: PlannedTensor, { layers, experts }: RecipeFacts): string {
  const isEarly = layer < Math.floor(layers / 8)
  switch (quantization) {
    case 'Q2_K':
      return 'Q3_K'
    case 'Q2_K_S':
      return isEarly ? 'Q4_K' : base
    case 'Q3_K_M':
      return layer < Math.floor(layers / 16) ? 'Q5_K' : 'Q4_K'
    case 'Q3_K_L':
      return 'Q5_K'
    case 'IQ3_M':
      return isEarly || (experts === 8 && getsMoreBits(layer, layers)) ? 'Q4_K' : base
    case 'Q4_K_M':
    case 'Q5_K_M':
      return getsMoreBits(layer, layers) ? 'Q6_K' : base
    case 'IQ4_NL':
    case 'IQ4_XS':
    case 'Q4_K_S':
      return isEarly ? 'Q5_K' : base
    default:
      return base
  }
}

function attentionOutputType(quantization: string, base: string, { experts }: RecipeFacts): string {
  if (experts === 8) return /^(Q2_K|IQ3_\w+|Q3_K_[SM]|IQ4_\w+|Q4_K_[SM])$/.test(quantization) ? 'Q5_K' : base
  switch (quantization) {
    case 'Q2_K':
      return 'Q3_K'
    case 'IQ3_XXS':
      return 'IQ3_S'
    case 'Q3_K_M':
    case 'IQ3_M':
      return 'Q4_K'
    case 'Q3_K_L':
      return 'Q5_K'
    default:
      return base
  }
}

/** llama.cpp's `use_more_bits`: the first and the last eighth, and every third between. */
function getsMoreBits(place: number, count: number): boolean {
  const eighth = Math.floor(count / 8)
  return place < eighth || place >= Math.floor((7 * count) / 8) || (place - eighth) % 3 === 2
}

function isMiddle({ layer = 0 }: PlannedTensor, { layers }: RecipeFacts): boolean {
  return layer >= Math.floor(layers / 8) && layer < Math.floor((7 * layers) / 8)
}
