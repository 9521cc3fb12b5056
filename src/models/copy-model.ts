/** Another name for a model that is here, or a first one for files that were uploaded. The files are linked, so that each name can be deleted alone. */
import { copyFile, link, mkdir, rm } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import path from 'node:path'

import type { Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import type { Library } from './library.ts'
import { modelFromFile } from './library.ts'

/** What may stand for a model: `name`, `name:tag`, `owner/name:tag`. */
const NAME = /^[a-z0-9][\w.-]*(?:\/[\w.-]+)?(?::[a-z0-9][\w.-]*)?$/i

/** Throws `invalid-reference`. */
export function checkModelName(name: string): void {
  if (NAME.test(name) && name.length <= 200 && name !== 'default' && !/^(?:hf|ms|file|pypi|peer|https?):/i.test(name)) return
  throw new AppError('invalid-reference', {
    reference: name.slice(0, 200),
    reason: 'a name has letters, digits, ".", "-", "_" and one ":"',
  })
}

/** A model of that name is replaced. `license`: instead of the one that it has. Throws `invalid-reference`, `disk-full`. */
export async function copyModel(
  model: Model,
  name: string,
  { library, now = Date.now, license }: { library: Library; now?: () => number; license?: string | undefined },
): Promise<Model> {
  checkModelName(name)
  if (name === model.name && license === undefined) return model
  const copy: Model = { ...model, name, addedAt: now(), ...(license === undefined ? {} : { license }) }
  if (model.source === 'file') return library.add({ ...copy, files: absoluteFiles(model, library) }, [])
  const files = model.files.map((file) => ({ ...file, path: path.basename(file.path) }))
  const { folder: _, ...own } = copy
  return withLinks(library, library.filesOf(model), (links) => library.add({ ...own, files }, links))
}

/** From GGUF files, the first of which is `files[0]`, under the names that they shall have. Throws `invalid-reference`, `invalid-model-file`. */
export async function modelFromUploads(
  files: readonly { name: string; path: string; sha256: string }[],
  name: string,
  { library, license }: { library: Library; license?: string | undefined },
): Promise<Model> {
  checkModelName(name)
  return withLinks(
    library,
    files.map((file) => file.path),
    async (links) => {
      const [first] = links
      if (first === undefined) throw new AppError('invalid-field', { field: 'files', reason: 'expected a GGUF file' })
      const { files: found, ...facts } = await modelFromFile(first.path)
      const hashes = new Map(links.map((file, index) => [file.path, files[index]?.sha256]))
      const described = found.map(({ path: file, bytes }) => {
        const sha256 = hashes.get(file)
        return { path: path.basename(file), bytes, ...(sha256 === undefined ? {} : { sha256 }) }
      })
      const model: Model = {
        ...facts,
        name,
        reference: name,
        source: 'upload',
        files: described,
        ...(license === undefined ? {} : { license }),
      }
      return library.add(model, found)
    },
    files.map((file) => file.name),
  )
}

/** The links lie in a folder of their own until the library has taken them. */
async function withLinks(
  library: Library,
  files: readonly string[],
  use: (links: { path: string }[]) => Promise<Model>,
  names: readonly string[] = files.map((file) => path.basename(file)),
): Promise<Model> {
  const staging = path.join(library.downloadsFolder, `copy-${process.pid}-${randomBytes(4).toString('hex')}`)
  await mkdir(staging, { recursive: true })
  try {
    const links = files.map((_, index) => ({ path: path.join(staging, names[index] ?? '') }))
    for (const [index, file] of files.entries()) await linkOrCopy(file, links[index]?.path ?? '')
    return await use(links)
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}

/** On another disk there are no links. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK') throw error
    await copyFile(from, to)
  }
}

function absoluteFiles(model: Model, library: Library): Model['files'] {
  const paths = library.filesOf(model)
  return model.files.map((file, index) => ({ ...file, path: paths[index] ?? file.path }))
}
