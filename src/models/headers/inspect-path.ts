/** What lies at a path: tells the format by the first bytes, reads the header, and reports. Never runs or unpacks anything of it. */
import { stat } from 'node:fs/promises'
import nodePath from 'node:path'

import { AppError } from '../../shared/errors.ts'
import type { FileReport } from '../../shared/file-report.ts'
import { openFileSource } from '../byte-source.ts'
import type { ByteSource } from '../byte-source.ts'
import { describeForeignFile } from '../foreign-file.ts'
import { partsOf } from '../gguf-files.ts'
import { readGgufHeader } from '../gguf.ts'
import type { GgufHeader } from '../gguf.ts'
import { mergeHeaders } from '../model-facts.ts'
import { localFileSet, readHead } from './file-set.ts'
import { legacyFormat, readLegacyGgml } from './ggml-legacy.ts'
import { looksLikeOnnx, parseOnnx } from './onnx.ts'
import { chooseLocalGguf, readModelHeaderAt } from './read-model-header.ts'
import { reportGguf } from './report-gguf.ts'
import { reportHeader, reportLegacyGgml, reportOnnx, reportTorch } from './report-others.ts'
import { looksLikeSafetensors } from './safetensors.ts'
import { looksLikeOldPickle, looksLikePickle, readTorchPickle, readTorchZip } from './torch-file.ts'

/** Throws `file-not-found`, `invalid-model-file`, `damaged-file`, `unknown-format`. */
export async function inspectPath(path: string): Promise<FileReport> {
  const status = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new AppError('file-not-found', { path }, { cause: error })
  })
  if (!status.isDirectory()) return inspectFile(path)
  const { set } = await localFileSet(path)
  const gguf = chooseLocalGguf(set, path)
  return gguf === undefined ? reportHeader(await readModelHeaderAt(path), path) : inspectFile(nodePath.join(path, gguf))
}

async function inspectFile(path: string): Promise<FileReport> {
  const { head, bytes } = await readHead(path)
  if (Buffer.from(head).toString('latin1', 0, 4) === 'GGUF') return inspectGguf(path)
  if (looksLikeSafetensors(head, bytes) || nodePath.basename(path) === 'config.json')
    return reportHeader(await readModelHeaderAt(path), path)
  if (legacyFormat(head) !== undefined)
    return withSource(path, async (source) => reportLegacyGgml(await readLegacyGgml(source, path), path, [{ path, bytes }]))
  if (head[0] === 0x50 && head[1] === 0x4b) return withSource(path, async (source) => reportTorch(await readTorchZip(source, path), path))
  if (looksLikePickle(head)) return withSource(path, async (source) => reportTorch(await readTorchPickle(source, path), path))
  if (looksLikeOnnx(head)) return withSource(path, async (source) => reportOnnx(await parseOnnx(source, path), path, bytes))
  const old = looksLikeOldPickle(head) ? await tryPickle(path) : undefined
  if (old) return old
  const reason = describeForeignFile(head, bytes) ?? 'it is something else'
  // What is named so is meant as one, and its own reader says best what is wrong.
  if (/\.gguf$/i.test(path)) throw new AppError('invalid-model-file', { path, reason })
  throw new AppError('unknown-format', { path, reason })
}

/** Pickles of protocol 0 and 1 have no mark: they are one when they read as one. */
async function tryPickle(path: string): Promise<FileReport | undefined> {
  try {
    return await withSource(path, async (source) => reportTorch(await readTorchPickle(source, path), path))
  } catch (error) {
    if (error instanceof AppError && error.code === 'damaged-file') return undefined
    throw error
  }
}

async function inspectGguf(path: string): Promise<FileReport> {
  const parts = partsOf(path)
  const headers: GgufHeader[] = []
  for (const part of parts) headers.push(await readGgufHeader(part))
  const files = parts.map((part, index) => ({ path: part, bytes: headers[index]?.bytes ?? 0 }))
  return reportGguf(mergeHeaders(headers, path), path, files)
}

async function withSource<T>(path: string, work: (source: ByteSource) => Promise<T>): Promise<T> {
  const source = await openFileSource(path)
  try {
    return await work(source)
  } finally {
    await source.close()
  }
}
