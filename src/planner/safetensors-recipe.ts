/**
 * Bytes of a tensor in the formats that vLLM and SGLang load. Only matrices of the layers are quantised; embeddings, head, norms, routers
 * and small matrices stay 16-bit. Sources: DeepSeek-V3 README_WEIGHTS.md (FP8 e4m3, one F32 scale for 128 × 128); AutoAWQ and GPTQ
 * group size 128 (16-bit scale and 4-bit zero a group); OCP microscaling (MXFP4: one byte for 32); NVFP4 (one byte for 16);
 * W8A8 (one F32 scale a row).
 */
import type { PlannedTensor } from './planned-tensor.ts'

/** Quantisations of Hugging Face folders. `FP4+FP8` is V4's own: routed experts FP4, the rest FP8; `MXFP4+BF16` is gpt-oss's. */
export const SAFETENSORS_QUANTIZATIONS = ['BF16', 'F16', 'FP8', 'INT8', 'AWQ', 'GPTQ', 'INT4', 'NVFP4', 'FP4+FP8', 'MXFP4+BF16'] as const
export type SafetensorsQuantization = (typeof SAFETENSORS_QUANTIZATIONS)[number]

export function isSafetensorsQuantization(text: string): text is SafetensorsQuantization {
  return (SAFETENSORS_QUANTIZATIONS as readonly string[]).includes(text)
}

export function safetensorsBytes(tensor: PlannedTensor, quantization: SafetensorsQuantization): number {
  const elements = tensor.rows * tensor.columns
  if (tensor.part === 'lookup') return tensor.rows * (tensor.columns + Math.ceil(tensor.columns / 32))
  if (!isQuantized(tensor)) return elements * 2
  switch (quantization) {
    case 'BF16':
    case 'F16':
      return elements * 2
    case 'FP8':
      return elements + 4 * Math.ceil(tensor.rows / 128) * Math.ceil(tensor.columns / 128)
    case 'INT8':
      return elements + 4 * tensor.rows
    case 'AWQ':
    case 'GPTQ':
    case 'INT4':
      return Math.ceil(elements / 2) + tensor.rows * Math.ceil(tensor.columns / 128) * 2.5
    case 'NVFP4':
      return Math.ceil(elements / 2) + tensor.rows * Math.ceil(tensor.columns / 16)
    case 'FP4+FP8':
      return tensor.part === 'experts'
        ? Math.ceil(elements / 2) + tensor.rows * Math.ceil(tensor.columns / 32)
        : elements + Math.ceil(tensor.rows / 128) * Math.ceil(tensor.columns / 128)
    case 'MXFP4+BF16':
      return tensor.part === 'experts' ? Math.ceil(elements / 2) + tensor.rows * Math.ceil(tensor.columns / 32) : elements * 2
  }
}

function isQuantized({ name, dimensions, part }: PlannedTensor): boolean {
  if (part === 'embedding' || part === 'output' || part === 'vision') return false
  return (
    dimensions >= 2 &&
    name.endsWith('.weight') &&
    !/norm|ffn_gate_inp|tid2eid|_ape\.|\bhc_|compressor|indexer\.proj|embed_tokens|shared_head/.test(name)
  )
}
