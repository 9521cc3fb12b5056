/** Takes models out of a folder (a USB disk, NFS, an export of another machine) into the library. */
import { readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import type { Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import { copyFiles, createCopyMeter } from './copy-files.ts'
import type { CopyMeter, CopyOptions } from './copy-files.ts'
import { partsOf } from './gguf-files.ts'
import { MANIFEST, modelFromFile, readManifest } from './library.ts'
import type { Library } from './library.ts'
import { keyOf } from './move-model.ts'
import { oneAtATime } from './one-at-a-time.ts'

export interface ImportOptions extends CopyOptions {
  library: Library
  /** The files stay where they are; the library only remembers them. */
  inPlace?: boolean
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
  const meter = createCopyMeter(
    found.reduce((total, { model }) => total + model.bytes, 0),
    options,
  )
  const models: Model[] = []
  for (const item of found) models.push(await takeIn(item, options, meter))
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
    // A disk of somebody else could name any file of this machine, and have it copied into the library.
    if (model.files.some((file) => file.path !== path.basename(file.path)))
      throw new AppError('invalid-model-file', {
        path: path.join(folder, MANIFEST),
        reason: 'the manifest names a file outside its folder',
      })
    return [{ folder, model }]
  }
  // macOS puts a `._name` beside each file on disks of others.
  const ggufs = names.filter((name) => /\.gguf$/i.test(name) && !name.startsWith('.')).toSorted()
  const firsts = ggufs.filter((name) => path.basename(partsOf(path.join(folder, name))[0] ?? '') === name)
  return Promise.all(firsts.map(async (name) => ({ folder, model: await modelFromFile(path.join(folder, name)) })))
}

async function takeIn({ folder, model }: FoundModel, options: ImportOptions, meter: CopyMeter): Promise<Model> {
  const { library, inPlace = false, now = Date.now } = options
  const files = model.files.map((file) => ({ ...file, path: path.resolve(folder, file.path) }))
  if (inPlace) return library.add({ ...model, source: 'file', files, addedAt: now() }, [])
  const name = model.source === 'file' ? nameOfFile(model) : model.name
  const staging = path.join(library.downloadsFolder, `import-${keyOf(`${folder}\n${name}`)}`)
  return oneAtATime(`${staging}.lock`, options.signal, async () => {
    try {
      const copied = await copyFiles(files, staging, meter, options)
      const described = copied.map(({ path: file, bytes, sha256 }) => ({ path: path.basename(file), bytes, sha256 }))
      // Where its file lay says nothing any more, least of all on another machine.
      const own = model.source === 'file' ? { name, reference: name, source: 'import' } : {}
      const added = await library.add({ ...model, ...own, files: described, addedAt: now() }, copied)
      await rm(staging, { recursive: true, force: true })
      return added
    } catch (error) {
      // Who interrupts it may go on with what was copied.
      if (!options.signal?.aborted) await rm(staging, { recursive: true, force: true })
      throw error
    }
  })
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
