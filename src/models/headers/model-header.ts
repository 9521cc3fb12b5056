/** What is known of a model before any of its weights are here: the planner's input. Sizes are bytes. */
import type { Shape } from '../catalogue/repository.ts'
import type { GgufHeader } from '../gguf.ts'

export interface HeaderTensor {
  name: string
  /** Outermost first, as safetensors and PyTorch write it: [out, in], or [experts, out, in]. GGUF's order is reversed. */
  shape: readonly number[]
  /** A ggml type (`Q4_K`) or a safetensors dtype (`F8_E4M3`). */
  type: string
  bytes: number
  /** Which of `files` holds it. */
  file?: string
}

/**
 * config.json by its own names. Read from a file, not even the common keys are certain: readers ask for numbers and have a default.
 * GGUF metadata is translated to these names (gguf-shape.ts).
 */
export type ModelShape = Partial<Shape>

export interface HeaderFile {
  path: string
  bytes: number
}

export interface ModelHeader {
  /** Which of them it was read from, best first. `config` and `catalogue` know no tensors. */
  source: 'gguf' | 'safetensors' | 'config' | 'catalogue'
  /** libllama's name where it has one (deepseek2, qwen2, llama …), else config.json's `model_type`. */
  architecture: string
  title?: string
  shape: ModelShape
  /** Absent for `config` and `catalogue`: weights are then computed from the shape, and the plan says so. */
  tensors?: readonly HeaderTensor[]
  /** GGUF only: latent attention as one head of the latent's size (has `*_mla` keys), or the legacy layout of full keys and values. */
  mlaLayout?: 'latent' | 'legacy'
  /** `Q4_K_M`, `FP8`, `BF16`, `FP4+FP8` … */
  quantization: string
  /** Tokens; 0 when the header does not say. */
  trainedContext: number
  files: readonly HeaderFile[]
  /** GGUF only: the metadata as they were, for a dry run (synthetic-gguf.ts). */
  gguf?: Pick<GgufHeader, 'metadata' | 'types'>
  /** What reading it cost: bytes received (or read from disk) and requests (or reads). */
  readBytes: number
  requests: number
}
