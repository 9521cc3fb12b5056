/** The files of one model, wherever they are: a folder here, or a repository of a hub. */
import { readdir, stat } from 'node:fs/promises'
import nodePath from 'node:path'

import { AppError } from '../../shared/errors.ts'
import { openFileSource } from '../byte-source.ts'
import type { FileSource } from '../byte-source.ts'
import { openToRead } from '../open-to-read.ts'
import type { HeaderFile } from './model-header.ts'
import { openRemoteSource } from './remote-source.ts'
import type { ReadCost, RemoteFile, RemoteSourceOptions } from './remote-source.ts'

/** How a file will be read, so that what comes over a network is neither too much nor in too many pieces. */
export interface ExpectedReads {
  /** Likely to be enough. */
  firstBytes: number
  /** What is read beyond is asked for exactly, since its length is known then; else pieces grow. */
  isExact?: boolean
}

export interface FileSet {
  /** With paths relative to the set; sizes where they are known. */
  files: readonly { path: string; bytes?: number }[]
  /** Must be closed. */
  open(path: string, expect: ExpectedReads): Promise<FileSource>
  /** Reads at once what fits; longer files are refused with `damaged-file`. */
  readWhole(path: string, limitBytes: number): Promise<Uint8Array>
  cost: ReadCost
}

/** Files that a reader may need; weights and documents side by side. */
const MOST_FILES = 20_000

/** Throws `file-not-found`. A single file is a set of one, with its neighbours of the same split model. */
export async function localFileSet(target: string): Promise<{ set: FileSet; only?: string }> {
  const status = await stat(target).catch((error: NodeJS.ErrnoException) => {
    throw new AppError('file-not-found', { path: target }, { cause: error })
  })
  const folder = status.isDirectory() ? target : nodePath.dirname(target)
  const names = status.isDirectory() ? (await readdir(folder)).slice(0, MOST_FILES) : [nodePath.basename(target)]
  const files: HeaderFile[] = []
  for (const name of names) {
    const found = await stat(nodePath.join(folder, name)).catch(() => undefined)
    if (found?.isFile()) files.push({ path: name, bytes: found.size })
  }
  const set = setOver(files, (path) => openFileSource(nodePath.join(folder, path)), { bytes: 0, requests: 0 })
  return status.isDirectory() ? { set } : { set, only: nodePath.basename(target) }
}

export function remoteFileSet(
  files: readonly RemoteFile[],
  options: Omit<RemoteSourceOptions, 'firstBytes' | 'isExact' | 'cost'>,
): FileSet {
  const cost: ReadCost = { bytes: 0, requests: 0 }
  const byPath = new Map(files.map((file) => [file.path, file]))
  const openOne = (path: string, { firstBytes, isExact = false }: ExpectedReads): Promise<FileSource> => {
    const file = byPath.get(path)
    if (file === undefined) throw new AppError('file-not-found', { path })
    return openRemoteSource(file, { ...options, cost, isExact, firstBytes: Math.max(1024, Math.min(firstBytes, file.bytes ?? firstBytes)) })
  }
  return { ...setOver(files, openOne, cost, true), open: openOne }
}

function setOver(
  files: readonly { path: string; bytes?: number }[],
  openOne: (path: string, expect: ExpectedReads) => Promise<FileSource>,
  cost: ReadCost,
  isCounted = false,
): FileSet {
  const openCounted = async (path: string, expect: ExpectedReads): Promise<FileSource> => {
    const source = await openOne(path, expect)
    return isCounted ? source : countReads(source, cost)
  }
  return {
    files,
    cost,
    open: openCounted,
    readWhole: async (path, limitBytes) => {
      const source = await openCounted(path, { firstBytes: files.find((file) => file.path === path)?.bytes ?? 64 * 1024 })
      try {
        if (source.bytes > limitBytes)
          throw new AppError('damaged-file', { path, format: nodePath.extname(path).slice(1), reason: `it has ${source.bytes} bytes` })
        return await source.read(0, source.bytes)
      } finally {
        await source.close()
      }
    },
  }
}

function countReads(source: FileSource, cost: ReadCost): FileSource {
  return {
    bytes: source.bytes,
    read: async (offset, length) => {
      const data = await source.read(offset, length)
      cost.bytes += data.length
      cost.requests += 1
      return data
    },
    close: () => source.close(),
  }
}

/** The first bytes of a file, to tell what it is. Throws what `open` throws. */
export async function readHead(file: string, bytes = 4096): Promise<{ head: Uint8Array; bytes: number }> {
  const handle = await openToRead(file)
  try {
    const { size } = await handle.stat()
    const head = Buffer.alloc(Math.min(bytes, size))
    const { bytesRead } = await handle.read(head, 0, head.length, 0)
    return { head: head.subarray(0, bytesRead), bytes: size }
  } finally {
    await handle.close()
  }
}
