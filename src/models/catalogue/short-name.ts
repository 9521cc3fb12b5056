/** What a short name stands for. */

export interface CatalogueEntry {
  /** `family:tag`. */
  name: string
  aliases: readonly string[]
  /** What it really is. */
  title: string
  description: { en: string; zh: string }
  license: string
  parameters: number
  /** Of the default quantisation, about. */
  bytes: number
  quantization: string
  /** Tried in this order when several answer; the same weights by different ways. */
  sources: readonly string[]
}

export interface HubEntry extends Omit<CatalogueEntry, 'sources' | 'quantization'> {
  repository: string
  /** Default Q4_K_M. */
  quantization?: string
  /** Whether ModelScope carries the same repository. Default yes. */
  modelscope?: boolean
}

/** An entry whose file lies in a hub's GGUF repository. */
export function entry({ repository, modelscope = true, quantization = 'Q4_K_M', ...rest }: HubEntry): CatalogueEntry {
  const hubs = modelscope ? ['hf', 'ms'] : ['hf']
  return { ...rest, quantization, sources: hubs.map((hub) => `${hub}:${repository}:${quantization}`) }
}
