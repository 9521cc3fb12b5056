/**
 * The cache of Hugging Face's own libraries:
 * `models--org--name/{refs/main, snapshots/<commit>/<path> → ../../blobs/<sha256 of large files>}`.
 * https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
import { readdir, realpath } from 'node:fs/promises'
import path from 'node:path'

import { fileBytes, MOST_ENTRIES } from './stored-file.ts'
import type { StoredFile } from './stored-file.ts'

/** Every GGUF of every snapshot, once a blob. */
export async function listHuggingFaceCache(hub: string): Promise<StoredFile[]> {
  const entries = await readdir(hub, { withFileTypes: true }).catch(() => [])
  const repositories = entries.filter((entry) => entry.isDirectory() && entry.name.startsWith('models--')).slice(0, MOST_ENTRIES)
  const lists = await Promise.all(repositories.map((entry) => listRepository(hub, entry.name)))
  return lists.flat()
}

async function listRepository(hub: string, folder: string): Promise<StoredFile[]> {
  const repository = folder.slice('models--'.length).replace('--', '/')
  const snapshots = path.join(hub, folder, 'snapshots')
  const names = await readdir(snapshots, { recursive: true }).catch(() => [])
  const files = await Promise.all(
    names
      .filter((name) => /\.gguf$/i.test(name))
      .slice(0, MOST_ENTRIES)
      .map((name) => describe(path.join(snapshots, name), repository, name)),
  )
  const found = files.filter((file) => file !== undefined)
  return found.filter((file, index) => found.findIndex((other) => other.path === file.path) === index)
}

async function describe(link: string, repository: string, name: string): Promise<StoredFile | undefined> {
  const file = await realpath(link).catch(() => undefined)
  const bytes = file === undefined ? undefined : await fileBytes(file)
  if (file === undefined || bytes === undefined) return undefined
  const blob = path.basename(file)
  const inRepository = name.split(path.sep).slice(1).join('/')
  return {
    store: 'huggingface',
    name: `hf:${repository}/${inRepository}`,
    path: file,
    bytes,
    ...(/^[0-9a-f]{64}$/.test(blob) ? { sha256: blob } : {}),
  }
}
