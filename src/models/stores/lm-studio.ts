/** LM Studio's models: `<publisher>/<model>/<file>.gguf`. It keeps no hashes. https://lmstudio.ai/docs/app/advanced/import-model */
import { readdir } from 'node:fs/promises'
import path from 'node:path'

import { fileBytes, MOST_ENTRIES } from './stored-file.ts'
import type { StoredFile } from './stored-file.ts'

export async function listLmStudio(folder: string): Promise<StoredFile[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const ggufs = names.filter((name) => /\.gguf$/i.test(name)).slice(0, MOST_ENTRIES)
  const files = await Promise.all(ggufs.map((name) => describe(folder, name)))
  return files.filter((file) => file !== undefined)
}

async function describe(folder: string, name: string): Promise<StoredFile | undefined> {
  const file = path.join(folder, name)
  const bytes = await fileBytes(file)
  return bytes === undefined ? undefined : { store: 'lm-studio', name: name.split(path.sep).join('/'), path: file, bytes }
}
