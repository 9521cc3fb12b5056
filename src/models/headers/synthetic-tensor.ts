/** Tensors of made headers, innermost size first. */
import type { SyntheticTensor } from './synthetic-value.ts'

const F32 = 0
const F16 = 1

export function matrix(name: string, shape: readonly number[]): SyntheticTensor {
  return { name, shape, typeId: F16, bytes: shape.reduce((product, size) => product * size, 2) }
}

export function vector(name: string, size: number): SyntheticTensor {
  return single(name, [size])
}

/** In F32, as libllama wants small matrices that are not multiplied, and routers. */
export function single(name: string, shape: readonly number[]): SyntheticTensor {
  return { name, shape, typeId: F32, bytes: shape.reduce((product, size) => product * size, 4) }
}
