/** What the manifest of a model says that has just arrived. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { z } from 'zod'

import type { Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import type { CatalogueEntry } from './catalogue/catalogue.ts'
import type { FetchedFile } from './fetch-files.ts'
import { inspectModel } from './gguf-files.ts'
import type { ResolvedModel } from './hubs/source.ts'

export interface Fetched {
  resolved: ResolvedModel
  files: FetchedFile[]
}

/** Reads the headers: what cannot be run never enters the library. */
export async function describePulled(
  name: string,
  { resolved, files }: Fetched,
  entry: CatalogueEntry | undefined,
  now: () => number,
): Promise<Model> {
  const [first] = files
  if (!first) throw new AppError('internal', { reason: 'nothing was downloaded' })
  const facts = await factsOfFiles(files)
  const license = entry?.license ?? resolved.license ?? first.license ?? facts.license
  const revision = resolved.revision ?? first.version
  return {
    name,
    reference: resolved.reference,
    title: entry?.title ?? facts.name ?? resolved.title ?? path.basename(first.path),
    architecture: facts.architecture,
    quantization: facts.quantization,
    parameters: facts.parameters,
    bytes: files.reduce((total, file) => total + file.bytes, 0),
    trainedContext: facts.trainedContext,
    ...(license === undefined ? {} : { license }),
    source: resolved.source,
    ...(revision === undefined ? {} : { revision }),
    files: files.map((file) => ({ path: path.basename(file.path), bytes: file.bytes, sha256: file.sha256 })),
    addedAt: now(),
  }
}

interface Facts {
  architecture: string
  quantization: string
  parameters: number
  trainedContext: number
  name?: string
  license?: string
}

/** Of the GGUF; else of the config.json, for files that other engines run. */
async function factsOfFiles(files: readonly FetchedFile[]): Promise<Facts> {
  const first = files.find((file) => /\.gguf$/i.test(file.path)) ?? (hasOtherWeights(files) ? undefined : files[0])
  if (first) return (await inspectModel(first.path)).facts
  const config = files.find((file) => path.basename(file.path) === 'config.json')
  const parsed = ConfigSchema.safeParse(config ? parseJson(await readFile(config.path, 'utf8')) : {})
  const {
    model_type: architecture = 'unknown',
    torch_dtype: type,
    quantization_config: quantization,
    max_position_embeddings: context,
  } = parsed.success ? parsed.data : {}
  return { architecture, quantization: quantization?.quant_method ?? type ?? 'unknown', parameters: 0, trainedContext: context ?? 0 }
}

function hasOtherWeights(files: readonly FetchedFile[]): boolean {
  return files.some((file) => /\.(safetensors|bin|pt|onnx|json)$/i.test(file.path))
}

/** https://huggingface.co/docs/transformers/main_classes/configuration */
const ConfigSchema = z.looseObject({
  model_type: z.string().optional(),
  torch_dtype: z.string().optional(),
  max_position_embeddings: z.number().int().nonnegative().optional(),
  quantization_config: z.looseObject({ quant_method: z.string().optional() }).optional(),
})

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
