/**
 * Storage types by name: how many elements a block holds and how many bytes it takes.
 * Source: llama.cpp ggml/src/ggml-common.h (QK_K = 256) and the safetensors format's dtypes.
 * Written apart from src/models/ggml-types.ts (which is by number), because the planner sees only the types of that folder.
 */
export interface StorageType {
  blockSize: number
  blockBytes: number
}

const table: Readonly<Record<string, readonly [blockSize: number, blockBytes: number]>> = {
  F64: [1, 8],
  F32: [1, 4],
  F16: [1, 2],
  BF16: [1, 2],
  Q4_0: [32, 18],
  Q4_1: [32, 20],
  Q5_0: [32, 22],
  Q5_1: [32, 24],
  Q8_0: [32, 34],
  Q2_K: [256, 84],
  Q3_K: [256, 110],
  Q4_K: [256, 144],
  Q5_K: [256, 176],
  Q6_K: [256, 210],
  IQ1_S: [256, 50],
  IQ1_M: [256, 56],
  IQ2_XXS: [256, 66],
  IQ2_XS: [256, 74],
  IQ2_S: [256, 82],
  IQ3_XXS: [256, 98],
  IQ3_S: [256, 110],
  IQ4_NL: [32, 18],
  IQ4_XS: [256, 136],
  TQ1_0: [256, 54],
  TQ2_0: [256, 66],
  MXFP4: [32, 17],
  NVFP4: [64, 36],
  F8_E4M3: [1, 1],
  F8_E5M2: [1, 1],
  I64: [1, 8],
  I32: [1, 4],
  I16: [1, 2],
  I8: [1, 1],
  U8: [1, 1],
}

/** Undefined for names that it does not know. */
export function storageType(name: string): StorageType | undefined {
  const entry = Object.hasOwn(table, name) ? table[name] : undefined
  return entry && { blockSize: entry[0], blockBytes: entry[1] }
}

/** Bytes of rows of `columns` elements, as ggml_row_size; part blocks count whole. Throws (a bug of ours) for an unknown type. */
export function typeBytes(name: string, rows: number, columns: number): number {
  const type = storageType(name)
  if (!type) throw new Error(`no storage type ${name}`)
  return rows * Math.ceil(columns / type.blockSize) * type.blockBytes
}

/** Types of blocks of 256 cannot hold rows of another length; llama.cpp then takes these. Source: src/llama-quant.cpp `tensor_type_fallback`. */
const FALLBACKS: Readonly<Record<string, string>> = {
  IQ1_S: 'IQ4_NL',
  IQ1_M: 'IQ4_NL',
  IQ2_XXS: 'IQ4_NL',
  IQ2_XS: 'IQ4_NL',
  IQ2_S: 'IQ4_NL',
  IQ3_XXS: 'IQ4_NL',
  IQ3_S: 'IQ4_NL',
  IQ4_XS: 'IQ4_NL',
  Q2_K: 'Q4_0',
  Q3_K: 'Q4_0',
  TQ1_0: 'Q4_0',
  TQ2_0: 'Q4_0',
  Q4_K: 'Q5_0',
  Q5_K: 'Q5_1',
  Q6_K: 'Q8_0',
}

/** The type that a row of `columns` elements really gets. */
export function typeForRow(name: string, columns: number): string {
  const type = storageType(name)
  if (!type || columns % type.blockSize === 0) return name
  const other = FALLBACKS[name]
  const otherType = other === undefined ? undefined : storageType(other)
  return other !== undefined && otherType && columns % otherType.blockSize === 0 ? other : 'F16'
}
