/** A GGUF, also one that is split, as a ModelHeader. */
import type { FileSource } from '../byte-source.ts'
import { parseGguf } from '../gguf.ts'
import type { GgufHeader } from '../gguf.ts'
import { factsOf, mergeHeaders } from '../model-facts.ts'
import type { FileSet } from './file-set.ts'
import { mlaLayoutOf, shapeOfGguf } from './gguf-shape.ts'
import { inParallel } from './in-parallel.ts'
import type { HeaderFile, HeaderTensor, ModelHeader } from './model-header.ts'

/** The first file has the vocabulary: several megabytes as a rule. The others have only their tensors' names. */
const FIRST_PIECE = 1024 * 1024
const FURTHER_PIECE = 64 * 1024
const AT_ONCE = 8

/** `paths` in order. Throws `invalid-model-file`, `download-failed`. */
export async function readGgufSet(set: FileSet, paths: readonly string[]): Promise<ModelHeader> {
  const headers = await inParallel(paths, AT_ONCE, async (path, index) => {
    const source = await set.open(path, { firstBytes: index === 0 ? FIRST_PIECE : FURTHER_PIECE })
    return closing(source, parseGguf(source, path))
  })
  const files = paths.map((path, index) => ({ path, bytes: headers[index]?.bytes ?? 0 }))
  return { ...ggufModelHeader(mergeHeaders(headers, paths[0]), headers, files), readBytes: set.cost.bytes, requests: set.cost.requests }
}

/** `merged` as `mergeHeaders` makes it of `parts`; `files` belong to the parts. */
export function ggufModelHeader(merged: GgufHeader, parts: readonly GgufHeader[], files: readonly HeaderFile[]): ModelHeader {
  const facts = factsOf(merged, files[0]?.path)
  const mlaLayout = mlaLayoutOf(merged)
  return {
    source: 'gguf',
    architecture: facts.architecture,
    ...(facts.name === undefined ? {} : { title: facts.name }),
    shape: shapeOfGguf(merged),
    tensors: parts.flatMap((part, index) => tensorsOf(part, files[index]?.path)),
    ...(mlaLayout === undefined ? {} : { mlaLayout }),
    quantization: facts.quantization,
    trainedContext: facts.trainedContext,
    files,
    gguf: { metadata: merged.metadata, types: merged.types },
    readBytes: 0,
    requests: 0,
  }
}

/** ggml counts dimensions from the innermost on. */
function tensorsOf(header: GgufHeader, file: string | undefined): HeaderTensor[] {
  return header.tensors.map((tensor) => ({
    name: tensor.name,
    shape: tensor.shape.toReversed(),
    type: tensor.type.name,
    bytes: tensor.bytes,
    ...(file === undefined ? {} : { file }),
  }))
}

async function closing<T>(source: FileSource, work: Promise<T>): Promise<T> {
  try {
    return await work
  } finally {
    await source.close()
  }
}
