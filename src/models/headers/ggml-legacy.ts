/**
 * Recognises the files that llama.cpp wrote before GGUF (until August 2023): GGML, GGMF, GGJT. It no longer reads them; they are told apart
 * so that people know what they have. Source: llama.cpp before b1046, llama-util/llama.cpp `llama_file_loader::read_magic, read_hparams`.
 */
import type { ByteSource } from '../byte-source.ts'
import { damageOf } from './damaged.ts'

export interface LegacyGgml {
  format: 'GGML' | 'GGMF' | 'GGJT' | 'GGLA'
  /** 0 where the format had none. */
  version: number
  /** As LLaMA models have them; other models wrote others here, and then they make no sense. */
  shape?: { vocabulary: number; hidden: number; heads: number; layers: number; rope: number }
  /** e.g. `Q4_0`. */
  quantization?: string
}

const MAGICS: Readonly<Record<number, LegacyGgml['format']>> = {
  0x67676d6c: 'GGML',
  0x67676d66: 'GGMF',
  0x67676a74: 'GGJT',
  0x67676c61: 'GGLA',
}

/** llama_ftype of that time. */
const TYPES = [
  'F32',
  'F16',
  'Q4_0',
  'Q4_1',
  'Q4_1+F16',
  'Q4_2',
  'Q4_3',
  'Q8_0',
  'Q5_0',
  'Q5_1',
  'Q2_K',
  'Q3_K_S',
  'Q3_K_M',
  'Q3_K_L',
  'Q4_K_S',
  'Q4_K_M',
  'Q5_K_S',
  'Q5_K_M',
  'Q6_K',
] as const

export function legacyFormat(head: Uint8Array): LegacyGgml['format'] | undefined {
  if (head.length < 4) return undefined
  return MAGICS[Buffer.from(head.buffer, head.byteOffset, 4).readUInt32LE()]
}

/** Throws `damaged-file`. */
export async function readLegacyGgml(source: ByteSource, path: string): Promise<LegacyGgml> {
  const fail = damageOf(path, 'GGML')
  const head = Buffer.from(await source.read(0, 64))
  const format = legacyFormat(head)
  if (format === undefined) throw fail('it has none of the marks of GGML')
  const versioned = format !== 'GGML'
  const start = versioned ? 8 : 4
  if (head.length < start + 28) throw fail('it ends inside its header')
  const version = versioned ? head.readUInt32LE(4) : 0
  if (format === 'GGLA') return { format, version }
  const [vocabulary = 0, hidden = 0, , heads = 0, layers = 0, rope = 0, type = -1] = Array.from({ length: 7 }, (_, index) =>
    head.readInt32LE(start + index * 4),
  )
  const isLlama =
    vocabulary > 0 && vocabulary < 1e6 && hidden > 0 && hidden < 1e5 && heads > 0 && heads < 1000 && layers > 0 && layers < 1000
  const quantization = TYPES[type]
  return {
    format,
    version,
    ...(isLlama ? { shape: { vocabulary, hidden, heads, layers, rope } } : {}),
    ...(isLlama && quantization !== undefined ? { quantization } : {}),
  }
}
