/** All repositories that the catalogue knows, DeepSeek's first. */
import { DEEPSEEK_R1_DISTILL } from './deepseek-distill.ts'
import { DEEPSEEK_CODER, DEEPSEEK_LLM, DEEPSEEK_MOE } from './deepseek-early.ts'
import { DEEPSEEK_PROVER, DEEPSEEKMATH } from './deepseek-math.ts'
import { DEEPSEEK_CODER_V2, DEEPSEEK_V2 } from './deepseek-v2.ts'
import { DEEPSEEK_R1, DEEPSEEK_V3, DEEPSEEK_V32 } from './deepseek-v3.ts'
import { DEEPSEEK_V4, DEEPSEEK_V41 } from './deepseek-v4.ts'
import { DEEPSEEK_OCR, DEEPSEEK_VL, DEEPSEEK_VL2, JANUS } from './deepseek-vision.ts'
import { GLM, KIMI } from './open-glm-kimi.ts'
import { LLAMA_3 } from './open-llama.ts'
import { GEMMA, GPT_OSS, MISTRAL } from './open-others.ts'
import { QWEN3 } from './open-qwen.ts'
import type { CatalogueModel } from './repository.ts'

export const DEEPSEEK_REPOSITORIES: readonly CatalogueModel[] = [
  ...DEEPSEEK_V41,
  ...DEEPSEEK_V4,
  ...DEEPSEEK_V32,
  ...DEEPSEEK_V3,
  ...DEEPSEEK_R1,
  ...DEEPSEEK_R1_DISTILL,
  ...DEEPSEEK_V2,
  ...DEEPSEEK_CODER_V2,
  ...DEEPSEEK_CODER,
  ...DEEPSEEK_LLM,
  ...DEEPSEEK_MOE,
  ...DEEPSEEKMATH,
  ...DEEPSEEK_PROVER,
  ...DEEPSEEK_VL2,
  ...DEEPSEEK_VL,
  ...JANUS,
  ...DEEPSEEK_OCR,
]

export const OPEN_REPOSITORIES: readonly CatalogueModel[] = [...QWEN3, ...LLAMA_3, ...GLM, ...KIMI, ...GPT_OSS, ...GEMMA, ...MISTRAL]

export const REPOSITORIES: readonly CatalogueModel[] = [...DEEPSEEK_REPOSITORIES, ...OPEN_REPOSITORIES]

const byId = new Map(REPOSITORIES.flatMap((model) => [model.id, `${model.owner}/${model.id}`].map((key) => [key.toLowerCase(), model])))

/** By `DeepSeek-R1` or `deepseek-ai/DeepSeek-R1`, in any case. */
export function repositoryOf(name: string): CatalogueModel | undefined {
  return byId.get(name.trim().toLowerCase())
}
