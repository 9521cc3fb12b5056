/** model.safetensors.index.json: which file of a sharded model holds which tensor. Written by transformers' save_pretrained. */
import { printable } from '../printable.ts'
import { damageOf } from './damaged.ts'
import { JsonScanner } from './json-scanner.ts'

export interface SafetensorsIndex {
  /** In order of their names, each once. */
  files: readonly string[]
  tensors: number
  /** Of all tensors, as the index says. */
  totalBytes?: number
}

/** 163 files with 91,991 tensors make 8.9 MB. */
export const INDEX_LIMIT_BYTES = 40_000_000
const MAX_TENSORS = 1_000_000
const MAX_FILES = 10_000

const SHARD = /^(.*)-(\d{5})-of-(\d{5})\.safetensors$/

/** Throws `damaged-file`. */
export function parseSafetensorsIndex(text: Uint8Array, path: string): SafetensorsIndex {
  const fail = damageOf(path, 'safetensors index')
  if (text.length > INDEX_LIMIT_BYTES) throw fail(`it has ${text.length} bytes`)
  const scanner = new JsonScanner(text, fail)
  const files = new Set<string>()
  let tensors = 0
  let totalBytes: number | undefined
  scanner.object((key) => {
    if (key === 'weight_map') {
      scanner.object(() => {
        tensors += 1
        files.add(fileName(scanner.string(1024), fail))
        if (tensors > MAX_TENSORS || files.size > MAX_FILES) throw fail('it lists too many tensors')
      })
    } else if (key === 'metadata') {
      scanner.object((name) => {
        if (name === 'total_size' && /\d/.test(scanner.peek())) totalBytes = scanner.natural()
        else scanner.skip()
      })
    } else scanner.skip()
  })
  scanner.end()
  if (files.size === 0) throw fail('it names no files')
  return { files: [...files].toSorted(), tensors, ...(totalBytes === undefined ? {} : { totalBytes }) }
}

/**
 * The shards among `paths` when their names say that they are all there (`x-00001-of-00002.safetensors` …), so that the index, which
 * can be larger than all headers, need not be read. Undefined when it must.
 */
export function completeShards(paths: readonly string[]): string[] | undefined {
  const sets = new Map<string, string[]>()
  for (const path of paths) {
    const match = SHARD.exec(path)
    if (match) sets.set(`${match[1]}-of-${match[3]}`, [...(sets.get(`${match[1]}-of-${match[3]}`) ?? []), path])
  }
  const whole = [...sets].filter(([key, set]) => set.length === Number(key.slice(-5)))
  const [only] = whole
  return whole.length === 1 && only !== undefined && sets.size === 1 ? only[1].toSorted() : undefined
}

/** A name in the same folder, and nothing that leads out of it. */
function fileName(name: string, fail: (reason: string) => Error): string {
  if (name === '' || /[\\\0]|(^|\/)\.\.?(\/|$)|^\//.test(name)) throw fail(`it names the file "${printable(name)}"`)
  return name
}
