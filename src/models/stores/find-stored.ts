/** Finds a file by its content in the stores of other programs and in the library, and links it instead of fetching it again. */
import { constants } from 'node:fs'
import { copyFile, link, mkdir, rm, symlink } from 'node:fs/promises'
import path from 'node:path'

import type { Library } from '../library.ts'
import { createFileHasher } from '../transfer/file-hasher.ts'
import { listHuggingFaceCache } from './huggingface-cache.ts'
import { listLmStudio } from './lm-studio.ts'
import { listOllama } from './ollama.ts'
import { fileBytes } from './stored-file.ts'
import type { StoredFile, StoreFolders } from './stored-file.ts'

/** What the stores have, the same file once. */
export async function listStored(folders: StoreFolders): Promise<StoredFile[]> {
  const lists = await Promise.all([
    folders.huggingFace === undefined ? [] : listHuggingFaceCache(folders.huggingFace),
    ...folders.ollama.map(listOllama),
    ...folders.lmStudio.map(listLmStudio),
  ])
  return lists.flat()
}

export interface WantedFile {
  bytes: number
  sha256: string
}

export interface Candidate {
  /** For messages, e.g. `ollama`. */
  store: string
  path: string
}

/** Files that are, or may be, the wanted one: by the hash in their name, else by their length. Surest first. */
export async function candidatesFor(wanted: WantedFile, folders: StoreFolders | undefined, library: Library): Promise<Candidate[]> {
  const [models, stored] = await Promise.all([library.list(), folders ? listStored(folders) : []])
  const own = models.flatMap((model) =>
    library
      .filesOf(model)
      .map((file, index) => ({ ...model.files[index], bytes: model.files[index]?.bytes ?? 0, store: 'library', path: file })),
  )
  const all: (Candidate & { bytes: number; sha256?: string | undefined })[] = [...own, ...stored]
  return all
    .filter((file) => file.bytes === wanted.bytes && (file.sha256 === undefined || file.sha256 === wanted.sha256))
    .toSorted((a, b) => Number(b.sha256 !== undefined) - Number(a.sha256 !== undefined))
    .map(({ store, path: file }) => ({ store, path: file }))
}

/** Is it really what its name says? Reads it all. */
export async function hasContent(file: string, wanted: WantedFile): Promise<boolean> {
  if ((await fileBytes(file)) !== wanted.bytes) return false
  const hasher = createFileHasher(file, wanted.bytes)
  try {
    return (await hasher.digest(wanted.bytes)) === wanted.sha256
  } catch {
    return false
  } finally {
    await hasher.close()
  }
}

/**
 * The same bytes at `target` without a second copy where that is possible: a hard link (stays when the other program deletes
 * its own), a copy-on-write copy, a symbolic link. Answers how.
 */
export async function linkFile(from: string, target: string): Promise<'hard-link' | 'copy-on-write' | 'symbolic-link'> {
  await mkdir(path.dirname(target), { recursive: true })
  await rm(target, { force: true })
  const ways = [
    ['hard-link', () => link(from, target)],
    ['copy-on-write', () => copyFile(from, target, constants.COPYFILE_FICLONE_FORCE)],
  ] as const
  for (const [way, act] of ways) {
    const done = await act().then(
      () => true,
      () => false,
    )
    if (done) return way
  }
  await rm(target, { force: true })
  await symlink(from, target)
  return 'symbolic-link'
}
