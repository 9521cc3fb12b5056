/** Gets a model into the library, from wherever it can be had. */
import { stat } from 'node:fs/promises'

import type { Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import { resolveShortName } from './catalogue/catalogue.ts'
import type { CatalogueEntry } from './catalogue/catalogue.ts'
import type { RemoteReference } from './hubs/resolve.ts'
import { importFolder } from './import-folder.ts'
import { modelFromFile } from './library.ts'
import type { PullProgress } from './progress.ts'
import { pointerIn, pullLfsFile } from './pull-lfs.ts'
import type { PullOptions } from './pull-options.ts'
import { pullRemote } from './pull-remote.ts'
import { parseReference } from './reference.ts'
import type { Reference } from './reference.ts'
import { inspectLfsFile } from './stores/git-lfs.ts'

interface SharedPull {
  promise: Promise<Model>
  listeners: Set<(progress: PullProgress) => void>
  last: PullProgress | undefined
  stop: AbortController
  users: number
}

/** Pulls under way in this process, by library and reference. */
const underWay = new Map<string, SharedPull>()

/**
 * The model, from the library when it is there, else downloaded and verified. Two pulls of the same thing share the work.
 * Throws `invalid-reference`, `offline`, `source-unreachable`, `gated-model`, `disk-full`, `download-failed`, `checksum-mismatch`,
 * `invalid-model-file`, `file-not-found`, and the signal's reason when aborted.
 */
export async function pullModel(reference: Reference, options: PullOptions): Promise<Model> {
  options.signal?.throwIfAborted()
  if (reference.type === 'file') return pullFile(reference.path, options)
  const { entry, references } = remoteReferences(reference)
  const { include = [], exclude = [] } = options.selection ?? {}
  // Whoever says which files are wanted does not mean whatever model of the repository is here.
  const isPicky = include.length + exclude.length > 0
  const present = options.force || isPicky ? undefined : await options.library.find(entry?.name ?? reference.text)
  if (present) return present
  if (options.offline) throw new AppError('offline', { what: `pull ${reference.text}` })
  const key = [options.library.downloadsFolder, ...references.map((item) => item.text), ...include, '-', ...exclude].join('\n')
  return join(key, options, (shared) => pullRemote(references, entry, shared))
}

/** A file is used where it lies, a folder too; a pointer of git-lfs stands for what it points to, and a clone with nothing but pointers for one of them. */
async function pullFile(file: string, options: PullOptions): Promise<Model> {
  const isFolder = await stat(file).then(
    (status) => status.isDirectory(),
    () => false,
  )
  if (isFolder) {
    const pointer = await pointerIn(file, options.selection)
    if (pointer !== undefined) return pullFile(pointer, options)
    const [model] = await importFolder(file, { library: options.library, inPlace: true, ...(options.now ? { now: options.now } : {}) })
    if (model) return model
    throw new AppError('invalid-model-file', { path: file, reason: 'there is no GGUF file in this folder' })
  }
  const clone = await inspectLfsFile(file)
  if (clone) return pullLfsFile(file, clone, options)
  const model = await modelFromFile(file, options.now)
  return options.library.add(model, [])
}

function remoteReferences(reference: Exclude<Reference, { type: 'file' }>): { entry?: CatalogueEntry; references: RemoteReference[] } {
  if (reference.type !== 'name') return { references: [reference] }
  const entry = resolveShortName(reference.name)
  const references = entry.sources.map((source) => parseReference(source)).filter((item) => item.type !== 'name' && item.type !== 'file')
  return { entry, references }
}

async function join(key: string, options: PullOptions, work: (options: PullOptions) => Promise<Model>): Promise<Model> {
  // One that was given up is still letting go of its files.
  for (let dying = underWay.get(key); dying?.stop.signal.aborted; dying = underWay.get(key)) await dying.promise.catch(() => {})
  const shared = underWay.get(key) ?? begin(key, options, work)
  const { onProgress, signal } = options
  if (onProgress) {
    shared.listeners.add(onProgress)
    if (shared.last) onProgress(shared.last)
  }
  shared.users += 1
  try {
    return await (signal ? Promise.race([shared.promise, rejectOnAbort(signal)]) : shared.promise)
  } finally {
    if (onProgress) shared.listeners.delete(onProgress)
    shared.users -= 1
    // The last one who leaves ends the work, and waits until it has let go of its files.
    if (shared.users === 0 && signal?.aborted) {
      shared.stop.abort(signal.reason)
      await shared.promise.catch(() => {})
    }
  }
}

function begin(key: string, options: PullOptions, work: (options: PullOptions) => Promise<Model>): SharedPull {
  const stop = new AbortController()
  const listeners = new Set<(progress: PullProgress) => void>()
  const shared: SharedPull = { promise: Promise.resolve() as never, listeners, last: undefined, stop, users: 0 }
  const onProgress = (progress: PullProgress): void => {
    shared.last = progress
    for (const listener of listeners) listener(progress)
  }
  shared.promise = work({ ...options, signal: stop.signal, onProgress }).finally(() => underWay.delete(key))
  underWay.set(key, shared)
  return shared
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
