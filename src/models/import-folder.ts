/** Takes models out of a folder (a USB disk, NFS, an export of another machine) into the library, and puts them into one. */
import { copyFile, mkdir, readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import { writeFileAtomic } from '../base/atomic-file.ts'
import type { Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import { partsOf } from './gguf-files.ts'
import { downloadsIn, MANIFEST, manifestText, modelFromFile, readManifest } from './library.ts'
import type { Library } from './library.ts'
import { hasContent, linkFile } from './stores/find-stored.ts'
import { ensureFree } from './transfer/disk-space.ts'
import { createFileHasher } from './transfer/file-hasher.ts'

export interface ImportOptions {
  library: Library
  /** The files stay where they are; the library only remembers them. */
  inPlace?: boolean
  now?: () => number
  signal?: AbortSignal
  onFile?: (file: string) => void
}

/**
 * Every model of `folder`: those with a manifest (checked against its hashes), and other GGUF files by their headers.
 * Throws `file-not-found`, `invalid-model-file`, `checksum-mismatch`, `disk-full`.
 */
export async function importFolder(folder: string, options: ImportOptions): Promise<Model[]> {
  const root = path.resolve(folder)
  const exists = await stat(root).then(
    (status) => status.isDirectory(),
    () => false,
  )
  if (!exists) throw new AppError('file-not-found', { path: root })
  const found = [...(await findIn(root)), ...(await subfolders(root))]
  const models: Model[] = []
  for (const item of found) models.push(await takeIn(item, options))
  return models
}

interface FoundModel {
  folder: string
  model: Model
}

async function subfolders(root: string): Promise<FoundModel[]> {
  const entries = await readdir(root, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
  return (await Promise.all(folders.map((entry) => findIn(path.join(root, entry.name))))).flat()
}

async function findIn(folder: string): Promise<FoundModel[]> {
  const names: string[] = await readdir(folder).catch(() => [])
  if (names.includes(MANIFEST)) {
    const model = await readManifest(folder)
    if (!model)
      throw new AppError('invalid-model-file', {
        path: path.join(folder, MANIFEST),
        reason: 'the manifest is broken, or a file is missing or has another length',
      })
    return [{ folder, model }]
  }
  const ggufs = names.filter((name) => /\.gguf$/i.test(name)).toSorted()
  const firsts = ggufs.filter((name) => path.basename(partsOf(path.join(folder, name))[0] ?? '') === name)
  return Promise.all(firsts.map(async (name) => ({ folder, model: await modelFromFile(path.join(folder, name)) })))
}

async function takeIn({ folder, model }: FoundModel, options: ImportOptions): Promise<Model> {
  const { library, inPlace = false, now = Date.now } = options
  const files = model.files.map((file) => ({ ...file, path: path.resolve(folder, file.path) }))
  if (inPlace) return library.add({ ...model, source: 'file', files, addedAt: now() }, [])
  await checkHashes(files, options)
  const staging = path.join(library.downloadsFolder, `import-${process.pid}-${now()}`)
  try {
    const copied = await copyFiles(files, staging)
    const name = model.source === 'file' ? nameOfFile(model) : model.name
    const hashed = await Promise.all(
      files.map(async (file) => ({ ...file, path: path.basename(file.path), sha256: file.sha256 ?? (await hashOf(file)) })),
    )
    return await library.add(
      { ...model, name, source: model.source === 'file' ? 'import' : model.source, files: hashed, addedAt: now() },
      copied,
    )
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

/** A file that lies in the library is no `file:` any more. */
function nameOfFile(model: Model): string {
  const base = path.basename(model.files[0]?.path ?? 'model')
  return base
    .replace(/(-\d{5}-of-\d{5})?\.gguf$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
}

async function checkHashes(
  files: readonly { path: string; bytes: number; sha256?: string | undefined }[],
  options: ImportOptions,
): Promise<void> {
  for (const file of files) {
    options.signal?.throwIfAborted()
    options.onFile?.(file.path)
    if (file.sha256 === undefined || (await hasContent(file.path, { bytes: file.bytes, sha256: file.sha256 }))) continue
    throw new AppError('checksum-mismatch', { file: file.path, actual: await hashOf(file), expected: file.sha256 })
  }
}

async function hashOf(file: { path: string; bytes: number }): Promise<string> {
  const hasher = createFileHasher(file.path, file.bytes)
  try {
    return await hasher.digest(file.bytes)
  } finally {
    await hasher.close()
  }
}

async function copyFiles(files: readonly { path: string; bytes: number }[], folder: string): Promise<{ path: string }[]> {
  await ensureFree(
    folder,
    files.reduce((total, file) => total + file.bytes, 0),
  )
  await mkdir(folder, { recursive: true })
  return Promise.all(
    files.map(async (file) => {
      const target = path.join(folder, path.basename(file.path))
      await copyFile(file.path, target)
      return { path: target }
    }),
  )
}

/** `folder/<name>/` with the files and the manifest: what `importFolder` reads, and any other program too. Throws `disk-full`. */
export async function exportModel(model: Model, folder: string, library: Library): Promise<string> {
  const target = path.join(path.resolve(folder), path.basename(library.folderOf(model)))
  const files = library.filesOf(model)
  await mkdir(target, { recursive: true })
  await copyFiles(
    files.map((file, index) => ({ path: file, bytes: model.files[index]?.bytes ?? 0 })),
    target,
  )
  const plain = { ...model, files: model.files.map((file) => ({ ...file, path: path.basename(file.path) })) }
  await writeFileAtomic(path.join(target, MANIFEST), manifestText(plain))
  return target
}

/** To another folder of models, e.g. on another disk: copied, compared, and only then deleted here. Throws `disk-full`, `checksum-mismatch`. */
export async function moveModel(model: Model, folder: string, library: Library): Promise<Model> {
  const to = path.resolve(folder)
  const [own = ''] = await library.folders()
  if (to === (model.folder ?? own)) return model
  if (model.source === 'file') throw new AppError('usage', { reason: `${model.name} is used where it lies; move its file yourself` })
  const staging = path.join(downloadsIn(to), `move-${process.pid}`)
  const sources = library.filesOf(model)
  try {
    const files = sources.map((file, index) => ({ path: file, bytes: model.files[index]?.bytes ?? 0, sha256: model.files[index]?.sha256 }))
    const copied = await linkOrCopy(files, staging)
    await checkHashes(copied, { library })
    const { folder: _, ...plain } = model
    const moved = await library.add(to === own ? plain : { ...plain, folder: to }, copied)
    await library.remove(model)
    return moved
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

async function linkOrCopy<T extends { path: string; bytes: number }>(files: readonly T[], folder: string): Promise<T[]> {
  const isSameDisk = (await stat(files[0]?.path ?? folder)).dev === (await nearestDevice(folder))
  if (!isSameDisk) {
    await copyFiles(files, folder)
    return files.map((file) => ({ ...file, path: path.join(folder, path.basename(file.path)) }))
  }
  return Promise.all(
    files.map(async (file) => {
      const target = path.join(folder, path.basename(file.path))
      await linkFile(file.path, target)
      return { ...file, path: target }
    }),
  )
}

async function nearestDevice(folder: string): Promise<number> {
  await mkdir(folder, { recursive: true })
  return (await stat(folder)).dev
}
