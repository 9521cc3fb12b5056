/** Where models may lie: the library's own folder, those of the settings, and those that models were moved to (`folders.json`). */
import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { z } from 'zod'

import { writeFileAtomic } from '../base/atomic-file.ts'
import { ensureFolder } from '../base/ensure-folder.ts'

const FoldersSchema = z.array(z.string().min(1).max(4096)).max(256)

/** Absolute, the library's own first, none twice. A disk that is not there now is still named. */
export async function modelFolders(root: string, configured: readonly string[]): Promise<string[]> {
  return [...new Set([root, ...configured.map((folder) => path.resolve(folder)), ...(await remembered(root))])]
}

/** Models of this folder will be found from now on. */
export async function rememberFolder(root: string, folder: string): Promise<void> {
  const before = await remembered(root)
  if (folder === root || before.includes(folder)) return
  ensureFolder(root)
  await writeFileAtomic(listFile(root), `${JSON.stringify([...before, folder], null, 2)}\n`)
}

async function remembered(root: string): Promise<string[]> {
  try {
    const parsed = FoldersSchema.safeParse(JSON.parse(await readFile(listFile(root), 'utf8')))
    return parsed.success ? parsed.data : []
  } catch {
    return []
  }
}

function listFile(root: string): string {
  return path.join(root, 'folders.json')
}
