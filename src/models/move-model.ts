/** Takes a model to another folder of models, and puts it into plain folders. Killed at any moment, it is whole in one of both places. */
import { createHash } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { writeFileAtomic } from '../base/atomic-file.ts'
import type { Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import { copyFiles, createCopyMeter } from './copy-files.ts'
import type { CopyOptions, CopySource } from './copy-files.ts'
import { downloadsIn, MANIFEST, manifestText } from './library.ts'
import type { Library } from './library.ts'
import { oneAtATime } from './one-at-a-time.ts'

/**
 * To another folder of models, e.g. on another disk: copied, compared, and only then deleted here; on the same disk it is renamed. What a
 * move that was killed has left is gone on with. Throws `disk-full`, `checksum-mismatch`, `usage`, and the signal's reason.
 */
export async function moveModel(model: Model, folder: string, library: Library, options: CopyOptions = {}): Promise<Model> {
  const to = path.resolve(folder)
  if (model.source === 'file') throw new AppError('usage', { reason: `${model.name} is used where it lies; move its file yourself` })
  const staging = path.join(downloadsIn(to), `move-${keyOf(model.name)}`)
  return oneAtATime(`${staging}.lock`, options.signal, async () => {
    const places = await library.placesOf(model)
    const there = places.find((place) => folderOf(place) === to)
    const source = places.find((place) => folderOf(place) === folderOf(model) && folderOf(place) !== to)
    if (!source && !there) throw new AppError('file-not-found', { path: library.folderOf(model) })
    const arrived = there && (!source || isSame(there, source)) ? there : await bring(source ?? model, to, staging, library, options)
    for (const place of places) if (folderOf(place) !== to && isSame(place, arrived)) await library.remove(place)
    await rm(staging, { recursive: true, force: true })
    return arrived
  })

  function folderOf(place: Model): string {
    return path.dirname(library.folderOf(place))
  }
}

async function bring(model: Model, to: string, staging: string, library: Library, options: CopyOptions): Promise<Model> {
  return (await library.relocate(model, to)) ?? copyOver(model, to, staging, library, options)
}

async function copyOver(model: Model, to: string, staging: string, library: Library, options: CopyOptions): Promise<Model> {
  const meter = createCopyMeter(model.bytes, options)
  const copied = await copyFiles(sourcesOf(model, library), staging, meter, options)
  options.signal?.throwIfAborted()
  const { folder: _, ...plain } = model
  return library.add(to === path.dirname(library.downloadsFolder) ? plain : { ...plain, folder: to }, copied)
}

/** The same files, as far as is known. */
function isSame(a: Model, b: Model): boolean {
  const key = ({ files }: Model): string => JSON.stringify(files.map(({ path: name, bytes, sha256 }) => [name, bytes, sha256]))
  return key(a) === key(b)
}

function sourcesOf(model: Model, library: Library): CopySource[] {
  return library.filesOf(model).map((file, index) => ({
    path: file,
    bytes: model.files[index]?.bytes ?? 0,
    sha256: model.files[index]?.sha256,
  }))
}

/**
 * `folder/<name>/` with the files and, when all are there, the manifest: what `importFolder` reads, and any other program too.
 * Throws `disk-full`, `checksum-mismatch`, `usage`, and the signal's reason; what was copied stays, and is gone on with.
 */
export async function exportModel(model: Model, folder: string, library: Library, options: CopyOptions = {}): Promise<string> {
  const target = path.join(path.resolve(folder), path.basename(library.folderOf(model)))
  if (target === library.folderOf(model)) throw new AppError('usage', { reason: `${model.name} lies in ${folder} already` })
  const lock = path.join(library.downloadsFolder, `export-${keyOf(target)}.lock`)
  return oneAtATime(lock, options.signal, async () => {
    await mkdir(target, { recursive: true })
    const copied = await copyFiles(sourcesOf(model, library), target, createCopyMeter(model.bytes, options), options)
    const files = copied.map(({ path: file, bytes, sha256 }) => ({ path: path.basename(file), bytes, sha256 }))
    await writeFileAtomic(path.join(target, MANIFEST), manifestText({ ...model, files }))
    return target
  })
}

/** Short, and the same for the next try. */
export function keyOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
