/**
 * Ollama's models: `manifests/<registry>/<namespace>/<model>/<tag>` (an OCI manifest) names layers in `blobs/sha256-<hash>`.
 * The layer of type `application/vnd.ollama.image.model` is a GGUF.
 */
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'

import { z } from 'zod'

import { fileBytes, MOST_ENTRIES, MOST_MANIFEST_BYTES } from './stored-file.ts'
import type { StoredFile } from './stored-file.ts'

const ManifestSchema = z.looseObject({
  layers: z.array(z.looseObject({ mediaType: z.string(), digest: z.string(), size: z.number().optional() })).max(1000),
})
const MODEL_LAYER = 'application/vnd.ollama.image.model'
const DEFAULT_REGISTRY = ['registry.ollama.ai', 'library']

export async function listOllama(folder: string): Promise<StoredFile[]> {
  const manifests = path.join(folder, 'manifests')
  const entries = await readdir(manifests, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile()).slice(0, MOST_ENTRIES)
  const lists = await Promise.all(files.map((entry) => modelLayers(folder, path.join(entry.parentPath, entry.name))))
  return lists.flat()
}

async function modelLayers(folder: string, manifest: string): Promise<StoredFile[]> {
  const bytes = await fileBytes(manifest)
  if (bytes === undefined || bytes > MOST_MANIFEST_BYTES) return []
  const parsed = ManifestSchema.safeParse(parseJson(await readFile(manifest, 'utf8').catch(() => '')))
  if (!parsed.success) return []
  const name = nameOf(path.relative(path.join(folder, 'manifests'), manifest).split(path.sep))
  const layers = parsed.data.layers.filter((layer) => layer.mediaType === MODEL_LAYER)
  const files = await Promise.all(layers.map((layer) => layerFile(folder, name, layer.digest)))
  return files.filter((file) => file !== undefined)
}

async function layerFile(folder: string, name: string, digest: string): Promise<StoredFile | undefined> {
  const sha256 = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1]
  if (sha256 === undefined) return undefined
  const file = path.join(folder, 'blobs', `sha256-${sha256}`)
  const bytes = await fileBytes(file)
  return bytes === undefined ? undefined : { store: 'ollama', name, path: file, bytes, sha256 }
}

/** As `ollama list` shows it: the usual registry is left out. */
function nameOf(parts: readonly string[]): string {
  const tag = parts.at(-1) ?? ''
  const [registry, namespace] = DEFAULT_REGISTRY
  const rest = parts.slice(0, -1)
  const short = rest[0] === registry ? rest.slice(rest[1] === namespace ? 2 : 1) : rest
  return `${short.join('/')}:${tag}`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
