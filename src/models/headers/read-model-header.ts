/**
 * Reads what a model is, from headers alone: a file or folder here, or a few megabytes of a hub's files by range requests.
 * Best first: GGUF, safetensors, config.json, the catalogue.
 */
import nodePath from 'node:path'

import type { Http } from '../../base/http.ts'
import { AppError } from '../../shared/errors.ts'
import { resolveShortName } from '../catalogue/catalogue.ts'
import { partsOf } from '../gguf-files.ts'
import { chooseGguf } from '../hubs/choose-file.ts'
import type { HubReference } from '../hubs/huggingface.ts'
import type { SourceContext } from '../hubs/source.ts'
import type { Library } from '../library.ts'
import { parseReference } from '../reference.ts'
import type { Reference } from '../reference.ts'
import { catalogueHeader } from './catalogue-header.ts'
import { localFileSet, readHead, remoteFileSet } from './file-set.ts'
import type { FileSet } from './file-set.ts'
import { readGgufSet } from './gguf-model-header.ts'
import type { ModelHeader } from './model-header.ts'
import { listRepository } from './repository-files.ts'
import { looksLikeSafetensors } from './safetensors.ts'
import { readConfigSet, readSafetensorsSet, safetensorsFiles } from './safetensors-model-header.ts'

export interface ReadHeaderOptions {
  context: SourceContext
  /** Models that are here already are read here. */
  library?: Library
  /** Of several GGUF; absent: the one that the reference names, else the usual choice. */
  quantization?: string
  /** No host is asked: what is not here comes from the catalogue. */
  offline?: boolean
}

/**
 * Throws `file-not-found`, `invalid-model-file`, `damaged-file`, `unknown-format`, `invalid-reference`, `gated-model`,
 * `source-unreachable`, `download-failed`, `offline`.
 */
export async function readModelHeader(reference: Reference, options: ReadHeaderOptions): Promise<ModelHeader> {
  const model = reference.type === 'file' ? undefined : await options.library?.find(reference.text)
  if (model && options.library) return readLocal(options.library.fileOf(model), options)
  switch (reference.type) {
    case 'file':
      return readLocal(reference.path, options)
    case 'hub':
      return readHub([reference], options)
    case 'name':
      return readHub(hubsOf(resolveShortName(reference.name).sources), options)
    case 'https':
      refuseOffline(reference.text, options)
      return readRemote(reference.url, options.context)
    case 'pypi':
    case 'peer':
      throw new AppError('invalid-reference', {
        reference: reference.text,
        reason: 'it has to be here before its header can be read (bendi pull)',
      })
  }
}

function refuseOffline(what: string, { offline }: ReadHeaderOptions): void {
  if (offline) throw new AppError('offline', { what })
}

function hubsOf(sources: readonly string[]): HubReference[] {
  return sources.map((source) => parseReference(source)).filter((reference) => reference.type === 'hub')
}

// --- here ---

async function readLocal(path: string, { quantization }: ReadHeaderOptions): Promise<ModelHeader> {
  return readModelHeaderAt(path, quantization === undefined ? {} : { quantization })
}

/** Of a file or folder here. Throws as `readModelHeader`. */
export async function readModelHeaderAt(path: string, wish: { quantization?: string } = {}): Promise<ModelHeader> {
  const { set, only } = await localFileSet(path)
  return only === undefined ? readSet(set, path, wish) : readFileAt(path)
}

/** The (first) GGUF that a folder is read as; undefined when it has none. Throws `invalid-reference` when a part of it is missing. */
export function chooseLocalGguf(set: FileSet, name: string): string | undefined {
  if (!hasGguf(set)) return undefined
  return chooseGguf(set.files, name, {}).files[0]?.path
}

function hasGguf(set: FileSet): boolean {
  return set.files.some((file) => /\.gguf$/i.test(file.path))
}

/** By its first bytes: names lie. */
async function readFileAt(file: string): Promise<ModelHeader> {
  const { head, bytes } = await readHead(file)
  const { set: neighbours } = await localFileSet(nodePath.dirname(file))
  const name = nodePath.basename(file)
  if (looksLikeSafetensors(head, bytes)) return readSafetensorsSet(neighbours, [name])
  if (name === 'config.json') return (await readConfigSet(neighbours)) ?? unknown(file)
  // Whatever else it is, the GGUF reader says what.
  const parts = partsOf(file).map((part) => nodePath.basename(part))
  return readGgufSet(neighbours, parts)
}

// --- elsewhere ---

/** The same model by several ways: the first hub that has it is taken. */
async function readHub(references: readonly HubReference[], options: ReadHeaderOptions): Promise<ModelHeader> {
  const known = (): ModelHeader | undefined =>
    references.map((reference) => catalogueHeader(reference.repository)).find((header) => header !== undefined)
  const [first] = references
  if (first === undefined) throw new AppError('source-unreachable', { reference: '', tried: 'no hub has it' })
  if (options.offline) return known() ?? refused(first.text)
  try {
    return await readFirst(references, options)
  } catch (error) {
    const header = error instanceof AppError && error.code === 'source-unreachable' ? known() : undefined
    if (header === undefined) throw error
    return header
  }
}

function refused(what: string): never {
  throw new AppError('offline', { what })
}

async function readFirst(references: readonly HubReference[], options: ReadHeaderOptions): Promise<ModelHeader> {
  let failure: unknown
  for (const reference of references) {
    try {
      const { files } = await listRepository(reference, options.context)
      const quantization = options.quantization ?? reference.quantization
      return await readSet(remoteSet(files, options.context), reference.text, {
        ...(quantization === undefined ? {} : { quantization }),
        ...(reference.file === undefined ? {} : { file: reference.file }),
      })
    } catch (error) {
      options.context.signal?.throwIfAborted()
      failure ??= error
      if (!(error instanceof AppError) || error.code !== 'source-unreachable') throw error
    }
  }
  throw failure
}

async function readRemote(url: string, context: SourceContext): Promise<ModelHeader> {
  const path = nodePath.posix.basename(decodeURIComponent(new URL(url).pathname))
  return readGgufSet(remoteSet([{ path, urls: [{ name: new URL(url).host, url }] }], context), [path])
}

function remoteSet(files: Parameters<typeof remoteFileSet>[0], { http, signal }: { http: Http; signal?: AbortSignal }): FileSet {
  return remoteFileSet(files, { http, ...(signal ? { signal } : {}) })
}

// --- either ---

async function readSet(set: FileSet, name: string, wish: { quantization?: string; file?: string }): Promise<ModelHeader> {
  if (hasGguf(set) || wish.file !== undefined)
    return readGgufSet(
      set,
      chooseGguf(set.files, name, wish).files.map((file) => file.path),
    )
  const safetensors = await safetensorsFiles(set)
  if (safetensors.length > 0) return readSafetensorsSet(set, safetensors)
  return (await readConfigSet(set)) ?? unknown(name)
}

function unknown(path: string): never {
  throw new AppError('unknown-format', { path, reason: 'there is no GGUF, no safetensors file and no config.json' })
}
