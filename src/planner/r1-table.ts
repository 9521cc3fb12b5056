/** The R1 family as it really is: what each model takes at 16, 8 and 4 bits with 4K, 32K and 128K tokens. Pure. */
import type { ModelHeader } from '../models/headers/model-header.ts'
import type { Localized } from '../shared/language.ts'
import { computeRowOf, llamaComputeBytes } from './compute.ts'
import { kvSize } from './kv-cache.ts'
import { kvModelOf } from './kv-streams.ts'
import { processBytes } from './overheads.ts'
import { shapeFacts } from './shape-facts.ts'
import { weightsOf } from './weights.ts'

export const R1_FAMILY = [
  ['DeepSeek-R1', { en: 'R1 itself', zh: 'R1 本体' }],
  ['DeepSeek-R1-Distill-Llama-70B', { en: 'Llama-3.3-70B tuned on R1', zh: 'Llama-3.3-70B 蒸馏' }],
  ['DeepSeek-R1-Distill-Qwen-32B', { en: 'Qwen2.5-32B tuned on R1', zh: 'Qwen2.5-32B 蒸馏' }],
  ['DeepSeek-R1-Distill-Qwen-14B', { en: 'Qwen2.5-14B tuned on R1', zh: 'Qwen2.5-14B 蒸馏' }],
  ['DeepSeek-R1-0528-Qwen3-8B', { en: 'Qwen3-8B tuned on R1-0528', zh: 'Qwen3-8B 蒸馏（R1-0528）' }],
  ['DeepSeek-R1-Distill-Llama-8B', { en: 'Llama-3.1-8B tuned on R1', zh: 'Llama-3.1-8B 蒸馏' }],
  ['DeepSeek-R1-Distill-Qwen-7B', { en: 'Qwen2.5-Math-7B tuned on R1', zh: 'Qwen2.5-Math-7B 蒸馏' }],
  ['DeepSeek-R1-Distill-Qwen-1.5B', { en: 'Qwen2.5-Math-1.5B tuned on R1', zh: 'Qwen2.5-Math-1.5B 蒸馏' }],
] as const satisfies readonly (readonly [string, Localized])[]

export const R1_CONTEXTS = [4096, 32_768, 131_072] as const
/** What blogs call FP16, INT8 and INT4, as files that exist. */
export const R1_FORMATS = [
  ['FP16', 'BF16'],
  ['INT8', 'Q8_0'],
  ['INT4', 'Q4_K_M'],
] as const

export interface R1Row {
  model: string
  what: Localized
  parameters: number
  format: string
  quantization: string
  weights: number
  /** By context, in the order of R1_CONTEXTS: the cache in f16, and all together. */
  sizes: { context: number; kv: number; total: number }[]
}

/** `headerOf`: by the names of R1_FAMILY. */
export function r1Table(headerOf: (model: string) => ModelHeader | undefined): R1Row[] {
  return R1_FAMILY.flatMap(([model, what]) => {
    const header = headerOf(model)
    return header ? R1_FORMATS.map(([format, quantization]) => rowOf(model, what, header, format, quantization)) : []
  })
}

function rowOf(model: string, what: Localized, header: ModelHeader, format: string, quantization: string): R1Row {
  const weights = weightsOf(header, quantization)
  const facts = shapeFacts(header.shape)
  const cache = kvModelOf(header.shape)
  const sizes = R1_CONTEXTS.map((context) => {
    const kv = kvSize(cache, { context, users: 1, type: 'f16', layout: 'split', allocation: 'llama' }).bytes
    const rest = llamaComputeBytes(computeRowOf(facts), context, 1) + processBytes(facts.vocabulary)
    return { context, kv, total: weights.total + kv + rest }
  })
  return { model, what, parameters: weights.parameters, format, quantization, weights: weights.total, sizes }
}

/** What popular tables say, and what is so. Source: shared facts models.md 8. */
export const R1_MYTHS: readonly { myth: Localized; fact: Localized }[] = [
  {
    myth: { en: '"DeepSeek-R1 7B/8B/14B/32B/70B"', zh: '“DeepSeek-R1 7B/8B/14B/32B/70B”' },
    fact: {
      en: 'R1 is one model of 671B. The small ones are Qwen and Llama models tuned on its answers (R1-Distill).',
      zh: 'R1 只有一个 671B 模型；小尺寸都是用其回答微调的 Qwen / Llama（R1-Distill）。',
    },
  },
  {
    myth: { en: '"Only 37B are active, so memory for 37B is enough"', zh: '“只激活 37B，所以只需 37B 的显存”' },
    fact: { en: 'All 671B must be stored; 37B sets the speed.', zh: '671B 全部要存放；37B 只决定速度。' },
  },
  {
    myth: { en: '"R1 needs 1.3 TB"', zh: '“R1 需要 1.3 TB”' },
    fact: { en: 'That is a copy in BF16. It was released in FP8: 689 GB.', zh: '那是转成 BF16 的副本；发布的就是 FP8，689 GB。' },
  },
  {
    myth: { en: '"R1 in 4 bits: 377 GB" (and 131 GB, 183 GB)', zh: '“R1 的 4 位版 377 GB”（以及 131 GB、183 GB）' },
    fact: { en: 'Those are GiB: 377 GiB are 404 GB.', zh: '那是 GiB：377 GiB = 404 GB。' },
  },
  {
    myth: { en: '"KV cache of R1: 5 MB a token, 640 GB at 128K"', zh: '“R1 的 KV 缓存每 token 5 MB，128K 需 640 GB”' },
    fact: {
      en: 'With latent attention it is 70 KB a token, 9.21 GB at 131,072. 5 MB is right only for GGUF files from before April 2025.',
      zh: '采用 MLA 每 token 仅 70 KB，131,072 token 为 9.21 GB。只有 2025 年 4 月前的旧 GGUF 才是 5 MB。',
    },
  },
  {
    myth: { en: '"671B or 685B"', zh: '“671B 还是 685B”' },
    fact: {
      en: '671B is the model; 14B more are multi-token-prediction weights in the same files.',
      zh: '模型为 671B，另 14B 是同仓库中的多 token 预测权重。',
    },
  },
  {
    myth: { en: '"R1-Distill-Qwen-1.5B has 1.5B parameters"', zh: '“R1-Distill-Qwen-1.5B 有 15 亿参数”' },
    fact: { en: 'It has 1.78B: the output head is stored apart.', zh: '实际 17.8 亿：输出层单独存储。' },
  },
  {
    myth: { en: '"A 24 GB card has 24 × 10^9 bytes"', zh: '“24 GB 显卡有 240 亿字节”' },
    fact: { en: 'It has 24 GiB, 25.8 GB; file sizes are in GB.', zh: '显卡是 24 GiB（25.8 GB），文件大小则按 GB。' },
  },
]
