/** Models that are split over several files: `name-00001-of-00003.gguf`. */
import path from 'node:path'

import type { GgufHeader } from './gguf.ts'
import { readGgufHeader } from './gguf.ts'
import { factsOf, mergeHeaders } from './model-facts.ts'
import type { ModelFacts } from './model-facts.ts'

const SPLIT = /^(.*)-(\d{5})-of-(\d{5})(\.gguf)$/i
const MAX_PARTS = 1000

/** All files of the model that `file` belongs to, in order; just `file` when it is not split. Names only, nothing is read. */
export function partsOf(file: string): string[] {
  const match = SPLIT.exec(path.basename(file))
  const count = Number(match?.[3])
  if (!match || count < 1 || count > MAX_PARTS) return [file]
  const folder = path.dirname(file)
  return Array.from({ length: count }, (_, index) =>
    path.join(folder, `${match[1]}-${String(index + 1).padStart(5, '0')}-of-${match[3]}${match[4]}`),
  )
}

export interface InspectedModel {
  /** Absolute or as given, in order. */
  files: { path: string; bytes: number }[]
  header: GgufHeader
  facts: ModelFacts
}

/** Reads the headers of all parts. Throws `file-not-found`, `invalid-model-file`. */
export async function inspectModel(file: string): Promise<InspectedModel> {
  const parts = partsOf(file)
  const headers: GgufHeader[] = []
  for (const part of parts) headers.push(await readGgufHeader(part))
  const header = mergeHeaders(headers, file)
  return { files: parts.map((part, index) => ({ path: part, bytes: headers[index]?.bytes ?? 0 })), header, facts: factsOf(header, file) }
}
