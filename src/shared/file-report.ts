/** What a model's file or folder is, for people and programs (`bendi show FILE`). Texts out of the file have no control characters. */
import type { Localized } from './language.ts'

export interface FileReport {
  /** As it was asked for. */
  path: string
  format: 'gguf' | 'safetensors' | 'pytorch' | 'onnx' | 'ggml' | 'config' | 'catalogue'
  /** e.g. `GGUF 3`, `PyTorch (zip)`. */
  formatName: string
  files: readonly { path: string; bytes: number }[]
  /** Of all files together. */
  bytes: number
  title?: string
  license?: string
  architecture?: string
  /** Elements of all tensors; with packed types more than the file's own numbers. */
  parameters?: number
  quantization?: string
  /** Tokens; absent when the file does not say. */
  trainedContext?: number
  /** config.json's names. */
  shape?: Readonly<Record<string, unknown>>
  /** By type, most bytes first. */
  tensorTypes: readonly TensorGroup[]
  tensors: readonly ReportedTensor[]
  /** Short values as they are, long ones as their size. */
  metadata: Readonly<Record<string, string>>
  tokenizer?: ReportedTokenizer
  chatTemplate?: string
  inputs?: readonly ReportedValue[]
  outputs?: readonly ReportedValue[]
  findings: readonly FileFinding[]
  engines: readonly { engine: string; how: Localized }[]
  /** What to do with it. */
  advice: Localized
}

export interface TensorGroup {
  type: string
  count: number
  elements: number
  bytes: number
}

export interface ReportedTensor {
  name: string
  type: string
  /** Outermost first. */
  shape: readonly number[]
  bytes: number
  file?: string
}

export interface ReportedTokenizer {
  /** e.g. `gpt2` (byte-level BPE), `llama` (SentencePiece). */
  model: string
  preTokenizer?: string
  tokens: number
  merges?: number
  /** e.g. `bos` → 1. */
  special: Readonly<Record<string, number>>
  addsBegin?: boolean
}

export interface ReportedValue {
  name: string
  type: string
  shape: readonly (number | string)[]
}

export interface FileFinding {
  /** `danger`: opening it the usual way would run a program. */
  level: 'ok' | 'note' | 'warning' | 'danger'
  text: Localized
}
