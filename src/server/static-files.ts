/** The files of the built page. Only names that were found in the folder are ever opened, so no path of a request can lead elsewhere. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

export type Encoding = 'br' | 'gzip' | 'identity'

export interface StaticFile {
  type: string
  /** Its name holds a hash of its content, so it never changes. */
  immutable: boolean
  etag: string
  /** Identity always; the others when they are smaller. Compressed once. */
  body(encoding: Encoding): Promise<{ bytes: Uint8Array<ArrayBuffer>; encoding: Encoding }>
}

export interface StaticFiles {
  /** `name` as in a URL, without the leading slash. */
  find(name: string): Promise<StaticFile | undefined>
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.wasm': 'application/wasm',
}
const COMPRESSIBLE = new Set(['.html', '.js', '.css', '.json', '.webmanifest', '.svg', '.txt', '.wasm'])
/** Below this a compressed file saves nothing on the wire. */
const SMALLEST_COMPRESSED = 1024

/** Lists the folder when something is asked for and nothing is known yet: the page may be built after the server has started. */
export function openStaticFiles(folder: string): StaticFiles {
  let names: ReadonlySet<string> = new Set()
  const loaded = new Map<string, Promise<StaticFile>>()
  return {
    async find(name) {
      if (names.size === 0) names = await listFiles(folder)
      if (!names.has(name)) return undefined
      const known = loaded.get(name) ?? loadFile(folder, name, names)
      loaded.set(name, known)
      return known
    },
  }
}

/** Relative names with forward slashes. No links, no hidden files, none when there is no folder. */
async function listFiles(folder: string): Promise<ReadonlySet<string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile())
  const names = files.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
  return new Set(names.filter((name) => !name.split('/').some((part) => part.startsWith('.'))))
}

async function loadFile(folder: string, name: string, names: ReadonlySet<string>): Promise<StaticFile> {
  const read = async (file: string): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await readFile(path.join(folder, file)))
  const plain = await read(name)
  const extension = path.posix.extname(name)
  const smaller = new Map<Encoding, Promise<Uint8Array<ArrayBuffer>>>()
  const compressed = (encoding: Exclude<Encoding, 'identity'>): Promise<Uint8Array<ArrayBuffer>> => {
    const ready = `${name}.${encoding === 'br' ? 'br' : 'gz'}`
    const bytes = smaller.get(encoding) ?? (names.has(ready) ? read(ready) : compress(plain, encoding))
    smaller.set(encoding, bytes)
    return bytes
  }
  return {
    type: TYPES[extension] ?? 'application/octet-stream',
    immutable: /^assets\/.*[-.][\w-]{8,}\.\w+$/.test(name),
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
    async body(encoding) {
      if (encoding === 'identity' || !COMPRESSIBLE.has(extension) || plain.length < SMALLEST_COMPRESSED)
        return { bytes: plain, encoding: 'identity' }
      return { bytes: await compressed(encoding), encoding }
    },
  }
}

async function compress(bytes: Uint8Array<ArrayBuffer>, encoding: 'br' | 'gzip'): Promise<Uint8Array<ArrayBuffer>> {
  // Quality 6: the highest default (11) takes seconds for a megabyte, while the first visitor waits.
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } }
  return new Uint8Array(encoding === 'br' ? await promisify(brotliCompress)(bytes, options) : await promisify(gzip)(bytes))
}

/** What the client likes best of what we have (RFC 9110, section 12.5.3); of what it likes equally, the smallest. */
export function chooseEncoding(acceptEncoding: string | undefined): Encoding {
  const qualities = new Map((acceptEncoding ?? '').split(',').map(qualityOf))
  const liked = (name: string): number => qualities.get(name) ?? qualities.get('*') ?? 0
  const [brotli, zip, plain] = [liked('br'), Math.max(liked('gzip'), liked('x-gzip')), qualities.get('identity') ?? 0]
  if (Math.max(brotli, zip) <= 0 || plain > Math.max(brotli, zip)) return 'identity'
  return brotli >= zip ? 'br' : 'gzip'
}

/** `gzip;q=0.5` → its name and its weight; one that cannot be read is 0. */
function qualityOf(item: string): [name: string, quality: number] {
  const [name = '', ...parameters] = item
    .trim()
    .toLowerCase()
    .split(/\s*;\s*/)
  const quality = parameters.find((parameter) => parameter.startsWith('q='))
  return [name, quality === undefined ? 1 : Number(quality.slice(2)) || 0]
}
