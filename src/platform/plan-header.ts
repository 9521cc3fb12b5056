/** A model's header for a plan: read from here or from a hub; from the catalogue when no hub answers or none may be asked. */
import { runCommand } from '../base/child-process.ts'
import type { CommandRunner } from '../base/child-process.ts'
import type { Http } from '../base/http.ts'
import type { Logger } from '../base/logger.ts'
import { catalogueEntry } from '../models/catalogue/catalogue.ts'
import { repositoryOf } from '../models/catalogue/repositories.ts'
import type { CatalogueModel } from '../models/catalogue/repository.ts'
import { findModel } from '../models/catalogue/search.ts'
import type { ModelHeader } from '../models/headers/model-header.ts'
import { readModelHeader } from '../models/headers/read-model-header.ts'
import { sourceHttp } from '../models/hubs/source-http.ts'
import type { SourceEnvironment } from '../models/hubs/source.ts'
import type { Library } from '../models/library.ts'
import { parseReference } from '../models/reference.ts'
import type { Reference } from '../models/reference.ts'
import { quantizationNamed } from '../planner/weights.ts'
import { AppError } from '../shared/errors.ts'
import { unknownModel } from './catalogue.ts'

export type ReadHeader = (model: string, quantization: string | undefined, signal?: AbortSignal) => Promise<ModelHeader>

export interface HeaderReaderOptions {
  library: Library
  env: SourceEnvironment
  logger: Logger
  offline: boolean
  /** For tests. */
  http?: Http
  run?: CommandRunner
}

/** What a plan says of the catalogue alone, when nothing can be read. Throws `unknown-model`. */
export async function catalogueHeaderOf(model: string): Promise<ModelHeader> {
  // A tag that no short name has is a slip: without it the name may mean another model.
  const isSlip = /^[\w.-]+:/.test(model) && !/^(hf|ms):/i.test(model) && !catalogueEntry(model)
  const found = isSlip ? undefined : findModel(model)
  const header = found && headerOfCatalogue(found)
  if (header) return withShortName(header, model)
  throw unknownModel(model)
}

/** Tries the asked quantisation's own file first. The reader throws as `readModelHeader`, and `unknown-model`. */
export function headerReader(options: HeaderReaderOptions): ReadHeader {
  return async (model, quantization, signal) => {
    const reference = referenceOf(model)
    if (reference === undefined) return catalogueHeaderOf(model)
    const http = options.http ?? sourceHttp(options.env)
    try {
      const read = (asked: string | undefined): Promise<ModelHeader> => readOnce(reference, asked, { ...options, http }, signal)
      const header = await readWished(read, quantization)
      return header.source === 'catalogue' ? withShortName(normalized(header), model) : header
    } catch (error) {
      if (error instanceof AppError && (error.code === 'offline' || error.code === 'source-unreachable'))
        return await fallback(model, error)
      throw error
    } finally {
      if (!options.http) await http.close()
    }
  }
}

/** A repository that has no such file is planned from what it has. */
async function readWished(
  read: (asked: string | undefined) => Promise<ModelHeader>,
  quantization: string | undefined,
): Promise<ModelHeader> {
  if (quantization === undefined) return read(undefined)
  try {
    return await read(quantization)
  } catch (error) {
    if (error instanceof AppError && (error.code === 'offline' || error.code === 'source-unreachable')) throw error
    return read(undefined)
  }
}

async function readOnce(
  reference: Reference,
  quantization: string | undefined,
  { library, env, logger, offline, http, run = runCommand }: HeaderReaderOptions & { http: Http },
  signal: AbortSignal | undefined,
): Promise<ModelHeader> {
  return readModelHeader(reference, {
    context: { env, http, run, logger, ...(signal ? { signal } : {}) },
    library,
    offline,
    ...(quantization === undefined ? {} : { quantization }),
  })
}

async function fallback(model: string, error: AppError): Promise<ModelHeader> {
  return catalogueHeaderOf(model).catch(() => {
    throw error
  })
}

/** A repository's own name, spelt as it is; then short names, as with `pull`; then any way of naming a repository. */
function referenceOf(model: string): Reference | undefined {
  const own = repositoryOf(model)
  if (own && own.id === model) return parseReference(`hf:${own.owner}/${own.id}`)
  const reference = parseReference(model)
  if (reference.type !== 'name' || catalogueEntry(model)) return reference
  const known = model.includes(':') ? undefined : findModel(model)
  return known ? parseReference(`hf:${known.owner}/${known.id}`) : undefined
}

/** When a short name is spelt like another model's own name: `deepseek-r1` is a distill. */
export function otherMeaning(model: string): { short: string; own: string } | undefined {
  const [entry, own] = [catalogueEntry(model), repositoryOf(model)]
  if (!entry || !own || own.id === model || entry.title === own.id) return undefined
  return { short: entry.title, own: own.id }
}

export function headerOfCatalogue(model: CatalogueModel): ModelHeader | undefined {
  const { shape, llamaCpp, modelType, id, weights, context } = model
  if (!shape) return undefined
  return {
    source: 'catalogue',
    architecture: llamaCpp.arch ?? modelType,
    title: id,
    shape,
    quantization: quantizationOfFormat(weights.format),
    trainedContext: context ?? shape.max_position_embeddings,
    files: [],
    readBytes: 0,
    requests: 0,
  }
}

function normalized(header: ModelHeader): ModelHeader {
  return { ...header, quantization: quantizationOfFormat(header.quantization) }
}

/** A short name, and a file that is named by its quantisation, stand for that quantisation. */
function withShortName(header: ModelHeader, model: string): ModelHeader {
  if (repositoryOf(model)?.id === model) return header
  const named = catalogueEntry(model)?.quantization ?? /:([A-Za-z0-9_]+)(@.*)?$/.exec(model)?.[1]
  const quantization = named === undefined ? undefined : quantizationNamed(named)
  return quantization === undefined ? header : { ...header, quantization }
}

/** The catalogue's words, e.g. `FP8 e4m3 (128x128 block scales) with BF16/F32 rest`. */
export function quantizationOfFormat(format: string): string {
  if (/MXFP4|FP4/.test(format)) return /FP8/.test(format) ? 'FP4+FP8' : 'MXFP4+BF16'
  if (/FP8/.test(format)) return 'FP8'
  return quantizationNamed(format) ?? 'BF16'
}
