/** What the files of a repository are called here, where they lie side by side in one folder. Pure. */
import { createHash } from 'node:crypto'
import path from 'node:path'

/** Our own file in that folder. */
const RESERVED = 'manifest.json'
/** File systems end at 255 bytes, and a part has a suffix. */
const MOST_BYTES = 200
/** Stays whole, so that the parts of a split model still find each other. */
const SUFFIX = /(?:-\d{5}-of-\d{5})?\.[A-Za-z0-9]{1,16}$/

/**
 * In the order of `paths`: the last part of each, or, where two would be the same (also where a disk knows no capitals) or ours, the
 * folders too (`sub/config.json` → `sub__config.json`). What no disk takes is replaced, and what is too long is shortened.
 */
export function localNames(paths: readonly string[]): string[] {
  const plain = paths.map((item) => usable(path.posix.basename(item)))
  const taken = new Set<string>([RESERVED])
  const names = new Map<number, string>()
  // Who lies on top keeps the name.
  const order = paths.map((_, index) => index).toSorted((a, b) => depth(paths[a]) - depth(paths[b]) || a - b)
  for (const index of order) {
    const wished = [plain[index] ?? '', usable((paths[index] ?? '').split('/').join('__')), numbered(paths[index] ?? '')]
    const name = wished.find((item) => !taken.has(item.toLowerCase())) ?? numbered(`${index}/${paths[index]}`)
    taken.add(name.toLowerCase())
    names.set(index, name)
  }
  return paths.map((_, index) => names.get(index) ?? '')
}

function depth(item = ''): number {
  return item.split('/').length
}

/** `config.json` → `config-1a2b3c4d.json`. */
function numbered(item: string): string {
  const name = usable(path.posix.basename(item))
  const suffix = SUFFIX.exec(name)?.[0] ?? ''
  return `${name.slice(0, name.length - suffix.length)}-${shortHash(item)}${suffix}`
}

function usable(name: string): string {
  // oxlint-disable-next-line no-control-regex
  const clean = name.replace(/[\\/:*?"<>|\u0000-\u001f\u007f]/g, '_')
  return shortened(clean === '' || clean === '.' || clean === '..' ? 'file' : clean)
}

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MOST_BYTES) return name
  const suffix = SUFFIX.exec(name)?.[0] ?? ''
  const stem = name.slice(0, name.length - suffix.length)
  let kept = ''
  for (const character of stem) {
    if (Buffer.byteLength(kept + character) > MOST_BYTES - 60) break
    kept += character
  }
  return `${kept}-${shortHash(stem)}${suffix}`
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
