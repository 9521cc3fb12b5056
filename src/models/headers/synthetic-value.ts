/** A GGUF header as data, to be written by the engine's dry run. */
import type { GgufScalar } from '../gguf.ts'

/** As the engine's SparseModel; models and engine do not know each other. */
export interface SyntheticGguf {
  metadata: Record<string, SyntheticValue>
  tensors: SyntheticTensor[]
}

export type SyntheticValue =
  | { type: 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'f64'; value: number }
  | { type: 'u64' | 'i64'; value: number | bigint }
  | { type: 'bool'; value: boolean }
  | { type: 'string'; value: string }
  | { type: 'array'; elementType: Exclude<SyntheticValue['type'], 'array'>; values: readonly GgufScalar[] }

export interface SyntheticTensor {
  name: string
  /** Innermost first. */
  shape: readonly number[]
  typeId: number
  bytes: number
}
