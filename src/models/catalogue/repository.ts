/** What the catalogue knows of one repository with original weights. `null` = not known; nothing is guessed. */

/** What the weights were finished for. */
export const USES = ['base', 'chat', 'instruct', 'reasoning', 'prover', 'ocr'] as const
export type Use = (typeof USES)[number]

export const TASKS = ['chat', 'code', 'math', 'reasoning', 'documents', 'vision', 'images', 'proof'] as const
export type Task = (typeof TASKS)[number]

export const LICENSE_KEYS = [
  'mit',
  'apache-2.0',
  'deepseek',
  'llama-3.1',
  'llama-3.2',
  'llama-3.3',
  'gemma',
  'kimi-k2',
  'conflicting',
  'unclear',
] as const
export type LicenseKey = (typeof LICENSE_KEYS)[number]

type ShapeValue = string | number | boolean | null | readonly ShapeValue[] | { readonly [key: string]: ShapeValue }

/** The repository's config.json, by its own names, so that one reader serves files and catalogue. */
export interface Shape {
  readonly num_hidden_layers: number
  readonly hidden_size: number
  readonly num_attention_heads: number
  readonly num_key_value_heads: number
  readonly vocab_size: number
  readonly max_position_embeddings: number
  readonly [key: string]: ShapeValue
}

export interface CatalogueModel {
  /** The repository's name without its owner; unique in the catalogue, in any case. */
  id: string
  owner: string
  family: string
  /** `2024-01` or `2024-01-11`. */
  released: string
  use: Use
  tasks: readonly Task[]
  /** The repository that it was tuned from, when it is another one's work or a named step. */
  base: string | null
  modality: 'text' | 'text+image in' | 'text+image in, image out' | 'image in, text out'
  parameters: {
    /** As published, e.g. `671B`. Without `extra`. */
    total: string
    /** Used for each token. */
    activated: string | null
    /** Of the main model, computed from the shape. */
    exact: number | null
    /** Multi-token-prediction or draft weights that lie in the same repository. */
    extra: string | null
    /** What the hub's page shows, when that is something else. */
    hub: string | null
  }
  architecture: string
  modelType: string
  shape: Shape | null
  /** Tokens, as documented by the maker. */
  context: number | null
  weights: { format: string; bytes: number | null; bytesAre: 'seen' | 'computed' | 'same-layout' | 'rounded' | null }
  /** `bytesPerToken`: f16 in llama.cpp, for one sequence. */
  kv: { scheme: string; bytesPerToken: number | null } | null
  license: LicenseKey
  /** Of `base`, when that binds too. */
  baseLicense: LicenseKey | null
  /** `switch`: on or off by the template; `effort`: named levels; `effort-number`: 1 to 100. */
  thinking: 'always' | 'switch' | 'effort' | 'effort-number' | null
  toolFormat: string | null
  template: string | null
  systemPrompt: 'yes' | 'no' | 'discouraged' | 'unknown'
  sampling: { temperature: number | null; topP: number | null; note: string | null }
  systemAdvice: string | null
  llamaCpp: { support: 'yes' | 'partly' | 'fork' | 'no'; arch: string | null; preTokenizer: string | null }
  /** By engine: true, or since when and with what limits. llama.cpp only where `llamaCpp` does not say it all. */
  engines: Readonly<Record<string, boolean | string>>
  /** Of a Q4_K_M file, estimated from the tensor shapes. */
  q4Bytes: number | null
  /** Repositories with GGUF files. */
  gguf: readonly string[]
  /** Whether ModelScope was seen to carry it under the same name. */
  modelscope: 'seen' | 'expected' | 'unknown'
  verification: string
  /** Keys of SOURCES. */
  sources: readonly SourceKey[]
  notes: string | null
}

/** Where the facts were read (state: November 2026). */
export const SOURCES = {
  config: 'config.json values quoted in public repositories, cross-checked with the computed parameter count',
  xinference: 'xorbitsai/inference @ 7ecec16b6 (2026-08-23): xinference/model/llm/llm_family.json',
  card: 'official model card / GitHub README text',
  recalled: 'recalled from general knowledge; unverified',
  'llama.cpp': 'ggml-org/llama.cpp @ de3ff815 (2026-09-28): conversion/deepseek.py, src/models/deepseek*.cpp, src/llama-kv-cache-dsv4.cpp',
  'deepseek-v3': 'deepseek-ai/DeepSeek-V3 @ 9b4e978: README.md, README_WEIGHTS.md, inference/configs/*.json, LICENSE-MODEL',
  'vllm-recipes': 'vllm-project/recipes @ 8959cf6 (2026-08-21): models/deepseek-ai/*.yaml',
  gpustack: 'gpustack/gpustack @ 47277d79: tests/fixtures/estimates (parsed headers of R1 GGUF files)',
  'hub-pages': 'Hugging Face collection and model pages',
  'config-v4-0731': 'official config.json, tokenizer_config.json and encoder of DeepSeek-V4-Flash-0731 (ModelScope revision f981a343)',
  localai: 'mudler/LocalAI @ 82c191afa (2026-08-22): gallery/index.yaml',
  'arxiv-v41': 'arXiv 2609.19969 and the announcement of 2026-09-10',
  'engine-docs': 'SGLang cookbook and vLLM documentation (September to November 2026)',
  'public-code': 'shapes quoted in public repositories, cross-checked with the computed parameter count',
  hosts: 'documentation pages of hosts that run it',
} as const
export type SourceKey = keyof typeof SOURCES

/** Rows that say only what differs from their family. */
export function family<Common extends Partial<CatalogueModel>>(
  common: Common,
  rows: readonly (Omit<CatalogueModel, keyof Common> & Partial<CatalogueModel>)[],
): readonly CatalogueModel[] {
  return rows.map((row) => ({ ...common, ...row }) as CatalogueModel)
}
