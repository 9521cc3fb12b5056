/**
 * The third tier of the prefix cache: one file a saved sequence, so that a system prompt is not computed again after a restart.
 *
 * File: a JSON line (version, identity of the model and KV types, counts, sha256 of what follows), then the token ids (int32,
 * little endian), then libllama's state. What people wrote is in there, so files are mode 0600 and the folder 0700.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import type { Logger } from '../../base/logger.ts'

const VERSION = 1
const EXTENSION = '.kv'
const MAX_HEADER_BYTES = 4096

const HeaderSchema = z.strictObject({
  version: z.literal(VERSION),
  identity: z.string(),
  tokens: z.number().int().positive().max(10_000_000),
  bytes: z.number().int().positive(),
  sha256: z.string().length(64),
})
type Header = z.infer<typeof HeaderSchema>

export interface DiskEntry {
  name: string
  tokens: number[]
  /** Bytes of the state. */
  bytes: number
}

export interface DiskCacheOptions {
  /** Of this model alone. The folders beside it are those of other models. */
  folder: string
  /** Files of another model file, KV type or engine version are stale. */
  identity: string
  /** Of all models together. */
  limitBytes: number
  logger: Logger
}

interface KnownFile {
  bytes: number
  usedAt: number
}

/** `name` is that of an own one. */
interface Evictable extends KnownFile {
  file: string
  name?: string
}

export class DiskCache {
  readonly #options: DiskCacheOptions
  readonly #files = new Map<string, KnownFile>()

  constructor(options: DiskCacheOptions) {
    this.#options = options
  }

  get bytes(): number {
    return [...this.#files.values()].reduce((sum, file) => sum + file.bytes, 0)
  }

  /** What earlier runs left; stale and damaged files are deleted, and what is too much since the limit is lower. Throws when the folder cannot be used. */
  async open(): Promise<DiskEntry[]> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 })
    const entries: DiskEntry[] = []
    for (const name of await readdir(this.#options.folder)) {
      const file = path.join(this.#options.folder, name)
      const entry = name.endsWith(EXTENSION) ? await readEntry(file, this.#options.identity).catch(() => undefined) : undefined
      if (!entry) {
        await rm(file, { force: true, recursive: true })
        continue
      }
      const { size, mtimeMs } = await stat(file)
      this.#files.set(name, { bytes: size, usedAt: mtimeMs })
      entries.push({ name, ...entry })
    }
    const evicted = await this.#makeRoom(0)
    return entries.filter(({ name }) => !evicted.includes(name))
  }

  /** Writes a sequence (unless it is there) and makes room for it; undefined when it is larger than the limit. Returns evicted names too. */
  async write(tokens: readonly number[], state: Uint8Array): Promise<{ name: string; evicted: string[] } | undefined> {
    const ids = Buffer.from(Int32Array.from(tokens).buffer)
    const name = createHash('sha256').update(ids).digest('hex').slice(0, 32) + EXTENSION
    if (this.#files.has(name)) return { name, evicted: [] }
    const size = ids.length + state.length + MAX_HEADER_BYTES
    if (size > this.#options.limitBytes) return undefined
    const evicted = await this.#makeRoom(size)
    const sha256 = createHash('sha256').update(ids).update(state).digest('hex')
    const header: Header = { version: VERSION, identity: this.#options.identity, tokens: tokens.length, bytes: state.length, sha256 }
    const head = Buffer.from(`${JSON.stringify(header)}\n`)
    await writeWhole(path.join(this.#options.folder, name), [head, ids, state])
    this.#files.set(name, { bytes: head.length + ids.length + state.length, usedAt: Date.now() })
    return { name, evicted }
  }

  /** The state of a file, checked against its hash; undefined (and deleted) when it is damaged or gone. */
  async read(name: string): Promise<Uint8Array | undefined> {
    const file = path.join(this.#options.folder, name)
    try {
      const content = await readFile(file)
      const { header, start } = parseHeader(content, this.#options.identity)
      const body = content.subarray(start)
      if (createHash('sha256').update(body).digest('hex') !== header.sha256) throw new Error('damaged')
      const now = new Date()
      await utimes(file, now, now)
      const known = this.#files.get(name)
      if (known) known.usedAt = now.getTime()
      return body.subarray(header.tokens * 4)
    } catch (error) {
      this.#options.logger.warn('a KV cache file cannot be used', { name, error })
      await this.remove(name)
      return undefined
    }
  }

  async remove(name: string): Promise<void> {
    this.#files.delete(name)
    await rm(path.join(this.#options.folder, name), { force: true })
  }

  /** Whichever model they belong to, the least recently used go first. Returns the names of own ones. */
  async #makeRoom(size: number): Promise<string[]> {
    const evicted: string[] = []
    const candidates = [...(await this.#othersFiles()), ...this.#ownFiles()].toSorted((a, b) => a.usedAt - b.usedAt)
    let total = candidates.reduce((sum, { bytes }) => sum + bytes, 0)
    for (const { file, name, bytes } of candidates) {
      if (total + size <= this.#options.limitBytes) break
      await rm(file, { force: true })
      total -= bytes
      if (name === undefined) continue
      this.#files.delete(name)
      evicted.push(name)
    }
    return evicted
  }

  #ownFiles(): Evictable[] {
    return [...this.#files].map(([name, known]) => ({ ...known, name, file: path.join(this.#options.folder, name) }))
  }

  /** Another process may be writing and deleting them at this moment. */
  async #othersFiles(): Promise<Evictable[]> {
    const { folder } = this.#options
    const beside = await readdir(path.dirname(folder), { withFileTypes: true })
    const folders = beside.filter((entry) => entry.isDirectory() && entry.name !== path.basename(folder))
    return (await Promise.all(folders.map(({ name }) => filesIn(path.join(path.dirname(folder), name))))).flat()
  }
}

async function filesIn(folder: string): Promise<Evictable[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(EXTENSION))
  const found = await Promise.all(
    names.map(async (name) => {
      const file = path.join(folder, name)
      const known = await stat(file).catch(() => undefined)
      return known && { file, bytes: known.size, usedAt: known.mtimeMs }
    }),
  )
  return found.filter((file) => file !== undefined)
}

/** All or nothing: a full disk keeps no half of it. */
async function writeWhole(file: string, parts: readonly Uint8Array[]): Promise<void> {
  const part = `${file}.part`
  try {
    await writeFile(part, parts, { mode: 0o600 })
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

/** Reads only the header and the token ids. */
async function readEntry(file: string, identity: string): Promise<{ tokens: number[]; bytes: number }> {
  const handle = await open(file)
  try {
    const head = Buffer.alloc(MAX_HEADER_BYTES)
    const { bytesRead } = await handle.read(head, 0, head.length, 0)
    const { header, start } = parseHeader(head.subarray(0, bytesRead), identity)
    const { size } = await handle.stat()
    if (size !== start + header.tokens * 4 + header.bytes) throw new Error('wrong length')
    const ids = new Int32Array(header.tokens)
    await handle.read(new Uint8Array(ids.buffer), 0, ids.byteLength, start)
    return { tokens: [...ids], bytes: header.bytes }
  } finally {
    await handle.close()
  }
}

function parseHeader(content: Buffer, identity: string): { header: Header; start: number } {
  const end = content.subarray(0, MAX_HEADER_BYTES).indexOf(0x0a)
  if (end < 0) throw new Error('no header')
  const header = HeaderSchema.parse(JSON.parse(content.toString('utf8', 0, end)))
  if (header.identity !== identity) throw new Error('of another model or version')
  return { header, start: end + 1 }
}
