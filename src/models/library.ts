/** Models on this machine: one folder a model with its manifest.json, and files of the user that are used where they lie. */
import { createHash, randomBytes } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import { syncFolder, writeFileAtomic } from '../base/atomic-file.ts'
import { ModelSchema } from '../shared/api.ts'
import type { Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import { catalogueEntry } from './catalogue/catalogue.ts'
import { inspectModel } from './gguf-files.ts'
import { modelFolders, rememberFolder } from './library-folders.ts'
import { formatReference, parseReference } from './reference.ts'
import type { Reference } from './reference.ts'

export interface Library {
  /** Newest first. Models whose files are gone are left out. */
  list(): Promise<Model[]>
  /** By name, reference or path. A file is answered from its header, also when it was never pulled. Throws `file-not-found`, `invalid-model-file` for a path. */
  find(nameOrReference: string): Promise<Model | undefined>
  /** By name or reference, also when a file of it is gone or has another length: then `list` and `find` know nothing of it. */
  findDamaged(nameOrReference: string): Promise<Model | undefined>
  /** Absolute path of the (first) GGUF file. */
  fileOf(model: Model): string
  /** Absolute paths of all files, in their order. */
  filesOf(model: Model): string[]
  /** Where its manifest lies. */
  folderOf(model: Model): string
  /**
   * Moves `files` (in the order of `model.files`) into the library and replaces what had that name.
   * Files of a `file:` model stay where they are. `model.folder` names another folder of models.
   */
  add(model: Model, files: readonly { path: string }[]): Promise<Model>
  /** Deletes the model's folder; never a file that was used in place. */
  remove(model: Model): Promise<void>
  /** It and others of its name: a move that was killed leaves one in both folders. */
  placesOf(model: Model): Promise<Model[]>
  /** Renames it into another folder of models, in one step; undefined when that is on another disk. */
  relocate(model: Model, folder: string): Promise<Model | undefined>
  /** Where downloads are kept until they are whole; on the same disk. */
  readonly downloadsFolder: string
  /** The library's own folder first; all absolute. */
  folders(): Promise<string[]>
}

/** Lies beside the weights. */
export const MANIFEST = 'manifest.json'
const DOWNLOADS = '.downloads'

/** `others` are more folders with models, e.g. on other disks. */
export function openLibrary(folder: string, others: readonly string[] = []): Library {
  const root = path.resolve(folder)
  const folders = (): Promise<string[]> => modelFolders(root, others)
  const listBy = async (read: typeof readManifest): Promise<Model[]> => {
    const lists = await Promise.all((await folders()).map((item) => listModels(item, root, read)))
    const all = lists.flat().toSorted((a, b) => b.addedAt - a.addedAt || (a.name < b.name ? -1 : 1))
    return all.filter((model, index) => all.findIndex((other) => other.name === model.name) === index)
  }
  const list = (): Promise<Model[]> => listBy(readManifest)
  const ownFolder = (model: Model): string => folderOf(model.folder ?? root, model.name)
  const filesOf = (model: Model): string[] => model.files.map((file) => path.resolve(ownFolder(model), file.path))
  return {
    list,
    find: (text) => findModel(list, text),
    findDamaged: (text) => findModel(() => listBy(parseManifest), text),
    fileOf: (model) => filesOf(model)[0] ?? ownFolder(model),
    filesOf,
    folderOf: ownFolder,
    add: (model, files) => addModel(root, model, files),
    remove: (model) => removeModel(ownFolder(model)),
    placesOf: async ({ name }) => {
      const lists = await Promise.all((await folders()).map((item) => listModels(item, root, readManifest)))
      return lists.flat().filter((model) => model.name === name)
    },
    relocate: (model, to) => relocateModel(root, model, ownFolder(model), to),
    downloadsFolder: path.join(root, DOWNLOADS),
    folders,
  }
}

/** Where downloads for this folder of models wait until they are whole. */
export function downloadsIn(folder: string): string {
  return path.join(folder, DOWNLOADS)
}

/** A model as described by its file's header, used in place. Throws `file-not-found`, `invalid-model-file`. */
export async function modelFromFile(file: string, now: () => number = Date.now): Promise<Model> {
  const { files, facts } = await inspectModel(file)
  const reference = formatReference({ type: 'file', path: file, text: file })
  return {
    name: reference,
    reference,
    title: facts.name ?? path.basename(file),
    architecture: facts.architecture,
    quantization: facts.quantization,
    parameters: facts.parameters,
    bytes: files.reduce((total, part) => total + part.bytes, 0),
    trainedContext: facts.trainedContext,
    ...(facts.license === undefined ? {} : { license: facts.license }),
    source: 'file',
    files: files.map((part) => ({ path: part.path, bytes: part.bytes })),
    addedAt: now(),
  }
}

async function listModels(folder: string, root: string, read: typeof readManifest): Promise<Model[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    // Another disk may be away or refuse; the library's own folder must be readable.
    if (error.code === 'ENOENT' || folder !== root) return []
    throw error
  })
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
  const models = await Promise.all(folders.map((entry) => read(path.join(folder, entry.name))))
  // A folder that somebody renamed would not be found again by its model's name.
  const known = models.filter((model, index) => model !== undefined && folders[index]?.name === path.basename(folderOf(folder, model.name)))
  return known.filter((model) => model !== undefined).map((model) => (folder === root ? model : { ...model, folder }))
}

/** Undefined when the manifest cannot be used or a file is missing or has another size. */
export async function readManifest(folder: string): Promise<Model | undefined> {
  const model = await parseManifest(folder)
  if (!model) return undefined
  const whole = await Promise.all(model.files.map((file) => hasSize(path.resolve(folder, file.path), file.bytes)))
  return whole.every(Boolean) ? model : undefined
}

/** Whatever has become of the files. */
async function parseManifest(folder: string): Promise<Model | undefined> {
  const text = await readFile(path.join(folder, MANIFEST), 'utf8').catch(() => undefined)
  const parsed = ModelSchema.safeParse(parseJson(text ?? ''))
  if (!parsed.success) return undefined
  const { folder: _, ...model } = parsed.data
  return model
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function hasSize(file: string, bytes: number): Promise<boolean> {
  const status = await stat(file).catch(() => undefined)
  return status !== undefined && status.isFile() && status.size === bytes
}

async function findModel(list: () => Promise<Model[]>, text: string): Promise<Model | undefined> {
  const reference = tryParse(text)
  const models = await list()
  const byName =
    models.find((model) => model.name === text) ?? models.find((model) => model.name.toLowerCase() === text.trim().toLowerCase())
  if (byName || reference === undefined) return byName
  if (reference.type === 'name') return findByShortName(models, reference.name)
  const known = models.find((model) => model.reference === reference.text) ?? models.find((model) => isWithin(model, reference))
  return known ?? (reference.type === 'file' ? modelFromFile(reference.path) : undefined)
}

function tryParse(text: string): Reference | undefined {
  try {
    return parseReference(text)
  } catch (error) {
    if (error instanceof AppError) return undefined
    throw error
  }
}

/** `deepseek-r1` means the tag that the catalogue names first. */
function findByShortName(models: readonly Model[], name: string): Model | undefined {
  const entry = catalogueEntry(name)
  return entry && models.find((model) => model.name === entry.name)
}

/** Does a looser reference (no quantisation, version or revision) mean this model? */
function isWithin(model: Model, wanted: Reference): boolean {
  const have = tryParse(model.reference)
  if (have?.type === 'pypi' && wanted.type === 'pypi') return have.project === wanted.project && wanted.version === undefined
  if (have?.type !== 'hub' || wanted.type !== 'hub') return false
  return (
    have.repository.toLowerCase() === wanted.repository.toLowerCase() &&
    have.hub === wanted.hub &&
    (wanted.quantization === undefined || wanted.quantization === have.quantization) &&
    (wanted.file === undefined || wanted.file === have.file) &&
    (wanted.revision === undefined || wanted.revision === have.revision || wanted.revision === model.revision)
  )
}

async function addModel(library: string, model: Model, files: readonly { path: string }[]): Promise<Model> {
  const root = model.folder ?? library
  await rememberFolder(library, root)
  const target = folderOf(root, model.name)
  const inPlace = model.source === 'file'
  await removeLeftovers(root, path.basename(target))
  const temporary = path.join(root, `.new-${path.basename(target)}-${process.pid}-${randomBytes(4).toString('hex')}`)
  await mkdir(temporary, { recursive: true })
  try {
    if (!inPlace) for (const [index, file] of files.entries()) await moveFile(file.path, path.join(temporary, nameInFolder(model, index)))
    await writeFileAtomic(path.join(temporary, MANIFEST), manifestText(model))
    await replaceFolder(temporary, target)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw error
  }
  await syncFolder(root)
  return model
}

/** First out of sight, so that nobody who is killed meanwhile leaves half a model. */
async function removeModel(folder: string): Promise<void> {
  const [root, base] = [path.dirname(folder), path.basename(folder)]
  await removeLeftovers(root, base)
  const old = path.join(root, `.old-${base}-${process.pid}-${randomBytes(4).toString('hex')}`)
  await rename(folder, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  await rm(old, { recursive: true, force: true })
}

async function relocateModel(library: string, model: Model, from: string, to: string): Promise<Model | undefined> {
  const target = folderOf(to, model.name)
  await mkdir(to, { recursive: true })
  if ((await stat(from)).dev !== (await stat(to)).dev) return undefined
  // Remembered first: a folder that nobody knows would hide the model.
  await rememberFolder(library, to)
  await removeLeftovers(to, path.basename(target))
  try {
    await replaceFolder(from, target)
  } catch (error) {
    // Mounts of one device, quotas: renaming is refused all the same.
    if ((error as NodeJS.ErrnoException).code === 'EXDEV') return undefined
    throw error
  }
  await Promise.all([syncFolder(to), syncFolder(path.dirname(from))])
  const { folder: _, ...plain } = model
  return to === library ? plain : { ...plain, folder: to }
}

/** Where it lies is told by where it lies. */
export function manifestText(model: Model): string {
  const { folder: _, ...manifest } = ModelSchema.parse(model)
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** What a process that was killed in `addModel` has left behind. */
async function removeLeftovers(root: string, base: string): Promise<void> {
  const leftover = new RegExp(`^\\.(new|old)-${base.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}-\\d+-[0-9a-f]{8}$`)
  const names = await readdir(root).catch(() => [])
  for (const name of names) if (leftover.test(name)) await rm(path.join(root, name), { recursive: true, force: true })
}

/** File names come from hubs and wheels: they must not leave the folder. */
function nameInFolder(model: Model, index: number): string {
  const name = model.files[index]?.path ?? ''
  if (name === '' || name !== path.basename(name) || name === '..' || name === '.' || name === MANIFEST) {
    throw new AppError('internal', { reason: `"${name}" cannot be a file name in the library` })
  }
  return name
}

/** A symbolic link is moved as a link. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await copyFile(from, to)
    await rm(from)
  }
}

/** A rename cannot replace a folder that has files, so the old one steps aside first. */
async function replaceFolder(from: string, target: string): Promise<void> {
  const old = path.join(path.dirname(target), `.old-${path.basename(target)}-${process.pid}-${randomBytes(4).toString('hex')}`)
  const hadOld = await rename(target, old).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
  try {
    await rename(from, target)
  } catch (error) {
    if (hadOld) await rename(old, target)
    throw error
  }
  if (hadOld) await rm(old, { recursive: true, force: true })
}

/** Names that are file names as they are keep it; others get a hash so that no two names share a folder. */
function folderOf(root: string, name: string): string {
  const readable = name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(-80)
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8)
  return path.join(root, readable === name ? readable : `${readable || 'model'}-${hash}`)
}
