/** A file that another program has downloaded. */
import { stat } from 'node:fs/promises'

import type { FoundModel } from '../../shared/api.ts'

export type StoredFile = FoundModel

export interface StoreFolders {
  /** `~/.cache/huggingface/hub` */
  huggingFace?: string
  /** `~/.ollama/models`; a service has its own. */
  ollama: readonly string[]
  lmStudio: readonly string[]
}

/** Folders and manifests of others are read with these bounds: nobody's store stops `bendi list`. */
export const MOST_ENTRIES = 5000
export const MOST_MANIFEST_BYTES = 1_000_000

export async function fileBytes(file: string): Promise<number | undefined> {
  const status = await stat(file).catch(() => undefined)
  return status?.isFile() ? status.size : undefined
}
