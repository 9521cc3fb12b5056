/** A safetensors model, one file or many, as a ModelHeader; and config.json alone where there are only pickles. */
import { CONFIG_LIMIT_BYTES, parseConfig } from './config-shape.ts'
import type { ModelConfig } from './config-shape.ts'
import type { FileSet } from './file-set.ts'
import { inParallel } from './in-parallel.ts'
import type { HeaderFile, HeaderTensor, ModelHeader } from './model-header.ts'
import { parseSafetensors } from './safetensors.ts'
import type { SafetensorsHeader } from './safetensors.ts'
import { completeShards, INDEX_LIMIT_BYTES, parseSafetensorsIndex } from './safetensors-index.ts'

/** Most headers are shorter; a longer one takes a second request of what is left. */
const FIRST_PIECE = 128 * 1024
const AT_ONCE = 8
const INDEX = /(^|\/)(model|diffusion_pytorch_model)\.safetensors\.index\.json$/
const CONFIG = /(^|\/)config\.json$/
/** Not the model, or the same weights once more in another layout. */
const NOT_MODELS = /(^|\/)(adapter_model|consolidated[^/]*|optimizer|training_args|original)[^/]*\.safetensors$|^(original|onnx)\//

/** The safetensors files of the model in this set; empty when there are none. Throws `damaged-file` for a broken index. */
export async function safetensorsFiles(set: FileSet): Promise<string[]> {
  const paths = set.files.map((file) => file.path).filter((path) => /\.safetensors$/i.test(path) && !NOT_MODELS.test(path))
  const atTop = shallowest(paths)
  const index = set.files.find((file) => INDEX.test(file.path))
  const whole = completeShards(atTop)
  if (whole !== undefined || index === undefined) return whole ?? atTop.toSorted()
  const folder = index.path.slice(0, index.path.lastIndexOf('/') + 1)
  const listed = parseSafetensorsIndex(await set.readWhole(index.path, INDEX_LIMIT_BYTES), index.path)
  return listed.files.map((file) => folder + file)
}

/** Throws `damaged-file`, `download-failed`, `file-not-found` for a shard that is missing. */
export async function readSafetensorsSet(set: FileSet, paths: readonly string[]): Promise<ModelHeader> {
  const configuring = readConfig(set)
  // It is waited for below; until then its failure must not count as unhandled.
  configuring.catch(() => {})
  const headers = await inParallel(paths, AT_ONCE, async (path) => {
    const source = await set.open(path, { firstBytes: FIRST_PIECE, isExact: true })
    try {
      return await parseSafetensors(source, path)
    } finally {
      await source.close()
    }
  })
  const files = paths.map((path, index) => ({ path, bytes: headers[index]?.bytes ?? 0 }))
  return { ...safetensorsModelHeader(headers, files, await configuring), readBytes: set.cost.bytes, requests: set.cost.requests }
}

export function safetensorsModelHeader(
  headers: readonly SafetensorsHeader[],
  files: readonly HeaderFile[],
  config: ModelConfig | undefined,
): ModelHeader {
  const tensors = headers.flatMap((header) => header.tensors)
  return {
    source: 'safetensors',
    architecture: config?.architecture ?? 'unknown',
    ...(config?.className === undefined ? {} : { title: config.className }),
    shape: config?.shape ?? {},
    tensors,
    quantization: quantizationOf(tensors, config),
    trainedContext: config?.trainedContext ?? 0,
    files,
    readBytes: 0,
    requests: 0,
  }
}

/** Undefined when the set has no config.json. Throws `damaged-file`. */
export async function readConfig(set: FileSet): Promise<ModelConfig | undefined> {
  const [path] = shallowest(set.files.map((file) => file.path).filter((name) => CONFIG.test(name)))
  return path === undefined ? undefined : parseConfig(await set.readWhole(path, CONFIG_LIMIT_BYTES), path)
}

/** Without any weights that we can read: the shape alone. */
export async function readConfigSet(set: FileSet): Promise<ModelHeader | undefined> {
  const config = await readConfig(set)
  if (config === undefined) return undefined
  const weights = set.files.filter((file) => /(^|\/)pytorch_model[^/]*\.bin$/.test(file.path))
  return {
    source: 'config',
    architecture: config.architecture,
    ...(config.className === undefined ? {} : { title: config.className }),
    shape: config.shape,
    quantization: config.quantization ?? 'unknown',
    trainedContext: config.trainedContext,
    files: weights.map(({ path, bytes }) => ({ path, bytes: bytes ?? 0 })),
    readBytes: set.cost.bytes,
    requests: set.cost.requests,
  }
}

/** config.json knows the scheme; where it does not, the type that takes most bytes. */
function quantizationOf(tensors: readonly HeaderTensor[], config: ModelConfig | undefined): string {
  const bytes = new Map<string, number>()
  for (const tensor of tensors) bytes.set(tensor.type, (bytes.get(tensor.type) ?? 0) + tensor.bytes)
  const dominant = [...bytes].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? 'unknown'
  const hasScheme = config?.quantization !== undefined && !['BF16', 'F16', 'F32'].includes(config.quantization)
  if (hasScheme) return config.quantization ?? dominant
  return dominant.startsWith('F8_E4M3') ? 'FP8' : dominant
}

/** Those with the fewest folders above them. */
function shallowest(paths: readonly string[]): string[] {
  const depth = (path: string): number => path.split('/').length
  const least = Math.min(...paths.map(depth))
  return paths.filter((path) => depth(path) === least)
}
