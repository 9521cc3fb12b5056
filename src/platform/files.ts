/** Uploaded files: what they are called lies in the store, what they hold in the data folder, under names of our own. */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Logger } from '../base/logger.ts'
import { AppError } from '../shared/errors.ts'
import { batchReading } from '../store/batches.ts'
import { deleteFile, expiredFiles, fileIds, findFile, insertFile, listFiles } from '../store/files.ts'
import type { Page, PageQuery } from '../store/pages.ts'
import type { Database } from '../store/schema.ts'
import type { FileRow } from '../store/tables/files.ts'

export type StoredFile = FileRow

export interface FilesOptions {
  folder: string
  /** Throws `store-unavailable`. */
  database(): Promise<Database>
  logger: Logger
  /** ms since 1970. */
  now(): number
  /** Different every time; letters and digits only. */
  newId(): string
  /** Bytes of one file at most. */
  limit: number
}

export interface NewFile {
  filename: string
  purpose: string
  /** Seconds from now. */
  expiresAfter?: number
}

export class Files {
  readonly #options: FilesOptions
  /** Ids that this process has given: what has no row yet is being written. */
  readonly #given = new Set<string>()

  constructor(options: FilesOptions) {
    this.#options = options
  }

  /** Bytes of one file at most. */
  get limit(): number {
    return this.#options.limit
  }

  /** Where the content of a file with this id lies. */
  pathOf(id: string): string {
    return path.join(this.#options.folder, id)
  }

  newId(): string {
    const id = `file-${this.#options.newId()}`
    this.#given.add(id)
    return id
  }

  /** Writes the content, then the row: half a file is never seen. Throws `request-too-large`, `store-unavailable`, and what the source throws. */
  async create(content: AsyncIterable<Uint8Array>, file: NewFile | (() => NewFile)): Promise<StoredFile> {
    const db = await this.#options.database()
    const id = this.newId()
    try {
      const bytes = await this.write(id, content, this.#options.limit)
      const row = this.rowOf(id, bytes, typeof file === 'function' ? file() : file)
      await insertFile(db, row)
      return row
    } catch (error) {
      await rm(this.pathOf(id), { force: true })
      throw error
    }
  }

  rowOf(id: string, bytes: number, { filename, purpose, expiresAfter }: NewFile): FileRow {
    const createdAt = this.#options.now()
    return {
      id,
      filename,
      purpose,
      bytes,
      created_at: createdAt,
      expires_at: expiresAfter === undefined ? null : createdAt + expiresAfter * 1000,
    }
  }

  /** Only the content; gives its bytes. What we write ourselves has no limit: it would never be finished. */
  async write(id: string, content: AsyncIterable<Uint8Array>, limit: number = Number.POSITIVE_INFINITY): Promise<number> {
    const part = `${this.pathOf(id)}.part`
    let bytes = 0
    const counter = new Transform({
      transform: (chunk: Uint8Array, _encoding, done) => {
        bytes += chunk.byteLength
        done(bytes > limit ? new AppError('request-too-large', { limit }) : null, chunk)
      },
    })
    try {
      await mkdir(this.#options.folder, { recursive: true, mode: 0o700 })
      await pipeline(Readable.from(content), counter, createWriteStream(part, { mode: 0o600, flush: true }))
      await rename(part, this.pathOf(id))
    } catch (error) {
      await rm(part, { force: true })
      throw asStoreError(error)
    }
    return bytes
  }

  /** `field`: where the caller named it. Throws `stored-file-not-found`, also when it has expired. */
  async get(id: string, field = 'file_id'): Promise<StoredFile> {
    const row = await findFile(await this.#options.database(), id)
    if (row && (row.expires_at === null || row.expires_at > this.#options.now())) return row
    throw new AppError('stored-file-not-found', { id, field })
  }

  /** Throws `stored-file-not-found`. */
  async content(id: string): Promise<{ file: StoredFile; stream: Readable }> {
    const file = await this.get(id)
    const stream = createReadStream(this.pathOf(file.id))
    await new Promise<void>((resolve, reject) => {
      stream.once('open', () => resolve())
      stream.once('error', (error) => {
        this.#options.logger.error('the content of a file is missing', { id, error })
        reject(new AppError('stored-file-not-found', { id, field: 'file_id' }))
      })
    })
    return { file, stream }
  }

  async list(query: PageQuery & { purpose?: string }): Promise<Page<StoredFile>> {
    return listFiles(await this.#options.database(), { ...query, now: this.#options.now() })
  }

  /** Throws `stored-file-not-found`, `file-in-use`. */
  async delete(id: string): Promise<void> {
    const file = await this.get(id)
    const db = await this.#options.database()
    const batch = await batchReading(db, file.id)
    if (batch !== undefined) throw new AppError('file-in-use', { id, batch })
    await deleteFile(db, file.id)
    await rm(this.pathOf(file.id), { force: true })
  }

  /** Removes what has expired, and contents that no row knows: their upload was cut off. */
  async sweep(): Promise<void> {
    const db = await this.#options.database()
    for (const id of await expiredFiles(db, this.#options.now())) {
      if ((await batchReading(db, id)) !== undefined) continue
      await deleteFile(db, id)
      await rm(this.pathOf(id), { force: true })
    }
    const known = await fileIds(db)
    for (const name of await readdir(this.#options.folder).catch(() => [])) {
      const id = /^(file-[\da-z]+)(?:\.part)?$/.exec(name)?.[1]
      if (id !== undefined && !known.has(name) && !this.#given.has(id)) await rm(path.join(this.#options.folder, name), { force: true })
    }
  }
}

const DISK_CODES = new Set(['ENOSPC', 'EROFS', 'EACCES', 'EPERM', 'EDQUOT', 'EIO', 'ENOTDIR', 'EEXIST', 'EMFILE'])

/** Throws away the difference between a full disk and a read-only one, keeps the system's words. */
function asStoreError(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error) || !('code' in error)) return error
  return DISK_CODES.has(String(error.code)) ? new AppError('store-unavailable', { reason: error.message }, { cause: error }) : error
}
