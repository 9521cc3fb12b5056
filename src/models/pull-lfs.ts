/** The real contents of a git-lfs pointer: from git-lfs's own folder, from a store, or from the hub that the clone came from. */
import { readdir } from 'node:fs/promises'
import path from 'node:path'

import type { Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import { partsOf } from './gguf-files.ts'
import { chooseGguf } from './hubs/choose-file.ts'
import { fileUrl, headersFor, hfEndpoints } from './hubs/huggingface.ts'
import { modelScopeFileUrl } from './hubs/modelscope.ts'
import type { FileSourceUrl, ResolvedFile, Selection, SourceContext } from './hubs/source.ts'
import type { PullOptions } from './pull-options.ts'
import { pullResolved, withContext } from './pull-remote.ts'
import { formatReference } from './reference.ts'
import { hasContent, linkFile } from './stores/find-stored.ts'
import { inspectLfsFile, readLfsPointer } from './stores/git-lfs.ts'
import type { LfsClone } from './stores/git-lfs.ts'

/**
 * The pointer to fetch of a clone that has nothing but pointers: chosen as from a repository, since it holds all quantisations.
 * Undefined when there is none, or when a model is there already. Throws `invalid-reference` as `chooseGguf`.
 */
export async function pointerIn(folder: string, selection: Selection | undefined): Promise<string | undefined> {
  const names = await readdir(folder, { recursive: true })
  const ggufs = names.filter((name) => /\.gguf$/i.test(name) && !name.split(path.sep).some((part) => part.startsWith('.')))
  const files: { path: string; bytes: number }[] = []
  for (const name of ggufs) {
    const pointer = await readLfsPointer(path.join(folder, name))
    if (!pointer) return undefined
    files.push({ path: name.split(path.sep).join('/'), bytes: pointer.bytes })
  }
  if (files.length === 0) return undefined
  const first = chooseGguf(files, folder, {}, selection).files[0]
  return first && path.join(folder, first.path)
}

/** Throws `invalid-model-file` when nobody tells where the contents are, and what a download throws. */
export async function pullLfsFile(file: string, clone: LfsClone, options: PullOptions): Promise<Model> {
  const { origin } = clone
  if (!origin)
    throw new AppError('invalid-model-file', {
      path: file,
      reason: 'it is a git-lfs pointer, and the clone names no hub to fetch the contents from',
    })
  const clones = await Promise.all(partsOf(file).map(async (part) => ({ part, clone: await inspectLfsFile(part) })))
  const reference = formatReference({
    type: 'hub',
    hub: origin.hub,
    repository: origin.repository,
    file: origin.file,
    ...(origin.revision === undefined ? {} : { revision: origin.revision }),
    text: '',
  })
  return withContext(options, async (context, meter) => {
    const files = clones.map(({ part, clone: item }): ResolvedFile => {
      if (!item)
        throw new AppError('invalid-model-file', { path: part, reason: 'it is no git-lfs pointer, but other parts of the model are' })
      return { kind: 'download', path: path.basename(part), ...item.pointer, urls: urlsOf(item, context) }
    })
    const resolved = {
      reference,
      source: origin.hub === 'ms' ? 'modelscope' : 'huggingface',
      ...(origin.revision === undefined ? {} : { revision: origin.revision }),
      files,
    }
    // git-lfs may have fetched the contents and only failed to put them in place.
    const objects = clones.flatMap(({ clone: item }) => (item?.object === undefined ? [] : [{ path: item.object, ...item.pointer }]))
    return pullResolved(resolved, {
      references: [],
      entry: undefined,
      context,
      meter,
      options,
      prepare: async (folder) => {
        for (const [index, object] of objects.entries()) {
          const target = path.join(folder, path.basename(clones[index]?.part ?? object.path))
          if (objects.length === clones.length && (await hasContent(object.path, object))) await linkFile(object.path, target)
        }
      },
    })
  })
}

function urlsOf({ origin }: LfsClone, context: SourceContext): FileSourceUrl[] {
  if (!origin) return []
  const { repository, file, revision = 'main' } = origin
  if (origin.hub === 'ms') return [modelScopeFileUrl(context, repository, origin.revision ?? 'master', file)]
  return hfEndpoints(context).map((endpoint) => fileUrl(endpoint, repository, revision, file, headersFor(endpoint)))
}
