/** Files that clients send before they make a model of them: kept by their hash until then. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'

import { AppError } from '../shared/errors.ts'
import type { Library } from './library.ts'
import { ensureFree } from './transfer/disk-space.ts'

const FOLDER = 'uploads'
/** Milliseconds. What nobody made a model of is deleted after a day. */
const KEPT_FOR = 86_400_000

/** Among the uploads, else among the files of the library. */
export async function findUpload(library: Library, sha256: string): Promise<string | undefined> {
  const file = path.join(library.downloadsFolder, FOLDER, sha256)
  const uploaded = await stat(file).catch(() => undefined)
  if (uploaded?.isFile()) return file
  for (const model of await library.list()) {
    const index = model.files.findIndex((one) => one.sha256 === sha256)
    const found = library.filesOf(model)[index]
    if (found !== undefined) return found
  }
  return undefined
}

/** `bytes` is what was announced, for the disk's sake. Throws `checksum-mismatch`, `disk-full`, `cancelled`. */
export async function saveUpload(
  library: Library,
  sha256: string,
  {
    chunks,
    bytes,
    signal,
    now = Date.now,
  }: { chunks: AsyncIterable<Uint8Array>; bytes?: number; signal?: AbortSignal; now?: () => number },
): Promise<void> {
  const folder = path.join(library.downloadsFolder, FOLDER)
  await mkdir(folder, { recursive: true })
  await removeOld(folder, now())
  if (bytes !== undefined) await ensureFree(folder, bytes)
  const part = path.join(folder, `${sha256}.${randomBytes(4).toString('hex')}.part`)
  try {
    const actual = await write(part, chunks, signal)
    if (actual !== sha256) throw new AppError('checksum-mismatch', { file: 'the upload', actual, expected: sha256 })
    await rename(part, path.join(folder, sha256))
  } finally {
    await rm(part, { force: true })
  }
}

/** The library has its own link by now. */
export async function forgetUploads(library: Library, hashes: readonly string[]): Promise<void> {
  for (const sha256 of hashes) await rm(path.join(library.downloadsFolder, FOLDER, sha256), { force: true })
}

async function write(file: string, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256')
  const handle = await open(file, 'wx')
  try {
    for await (const chunk of chunks) {
      if (signal?.aborted) throw new AppError('cancelled')
      hash.update(chunk)
      await handle.writeFile(chunk)
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  return hash.digest('hex')
}

async function removeOld(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const file = path.join(folder, name)
    const state = await stat(file).catch(() => undefined)
    if (state && now - state.mtimeMs > KEPT_FOR) await rm(file, { force: true })
  }
}
