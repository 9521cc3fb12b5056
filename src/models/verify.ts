/** Is a model what was published? Every file is hashed again and compared with the manifest, and with the source when it answers. */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import path from 'node:path'

import { runCommand } from '../base/child-process.ts'
import type { Http } from '../base/http.ts'
import type { Logger } from '../base/logger.ts'
import type { Model, Verification } from '../shared/api.ts'
import { AppError, localizeError } from '../shared/errors.ts'
import type { Localized } from '../shared/language.ts'
import { resolveSources } from './hubs/resolve.ts'
import { sourceHttp } from './hubs/source-http.ts'
import type { ResolvedModel, SourceEnvironment } from './hubs/source.ts'
import type { Library } from './library.ts'
import { localNames } from './local-names.ts'
import { parseReference } from './reference.ts'
import type { Reference } from './reference.ts'
import { createFileHasher } from './transfer/file-hasher.ts'

export interface VerifyOptions {
  library: Library
  env: SourceEnvironment
  logger: Logger
  offline?: boolean
  signal?: AbortSignal
  onProgress?: (progress: { file: string; doneBytes: number; totalBytes: number }) => void
  /** For tests. */
  http?: Http
  /** ms. */
  timeoutMs?: number
}

const TIMEOUT_MS = 8000
/** The hash goes on by this much between two messages. */
const STEP_BYTES = 16_000_000

type FileVerdict = Verification['files'][number]

/** Throws the signal's reason, and what the disk throws. */
export async function verifyModel(model: Model, options: VerifyOptions): Promise<Verification> {
  const published = askPublished(model, options)
  // The files may fail before anybody waits for it.
  published.catch(() => {})
  const files: FileVerdict[] = []
  let before = 0
  for (const [index, file] of options.library.filesOf(model).entries()) {
    const { path: name = '', bytes = 0, sha256: recorded } = model.files[index] ?? {}
    const found = await sizeOf(file)
    const sha256 = await hashWithProgress(
      file,
      found,
      (done) => options.onProgress?.({ file: name, doneBytes: before + done, totalBytes: model.bytes }),
      options.signal,
    )
    before += found
    const isWhole = found === bytes
    files.push({
      path: file,
      bytes: found,
      sha256,
      ...(recorded === undefined ? {} : { recorded }),
      state: !isWhole ? 'damaged' : recorded === undefined ? 'unknown' : recorded === sha256 ? 'ok' : 'damaged',
    })
  }
  const answer = await published
  const compared = files.map((file) => compareWithPublished(file, answer.hashes.get(path.basename(file.path))))
  return {
    model: model.name,
    ok: compared.every((file) => file.state === 'ok' || file.state === 'unknown'),
    files: compared,
    ...(answer.by === undefined ? {} : { publishedBy: answer.by }),
    ...(answer.reason === undefined ? {} : { offlineReason: answer.reason }),
  }
}

/** What is gone has 0 bytes. */
async function sizeOf(file: string): Promise<number> {
  const status = await stat(file).catch(() => undefined)
  return status?.isFile() ? status.size : 0
}

function compareWithPublished(file: FileVerdict, published: string | undefined): FileVerdict {
  if (published === undefined) return file
  const state = file.sha256 === published ? 'ok' : file.state === 'damaged' ? 'damaged' : 'differs-from-published'
  return { ...file, published, state }
}

async function hashWithProgress(file: string, bytes: number, onProgress: (done: number) => void, signal?: AbortSignal): Promise<string> {
  if (bytes === 0) return createHash('sha256').digest('hex')
  const hasher = createFileHasher(file, bytes)
  const timer = setInterval(() => onProgress(hasher.done), 200)
  const stop = (): void => void hasher.close()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    for (let at = 0; at < bytes; at += STEP_BYTES) hasher.advance(Math.min(bytes, at + STEP_BYTES))
    const digest = hasher.digest(bytes)
    return await (signal ? Promise.race([digest, aborted(signal)]) : digest)
  } finally {
    clearInterval(timer)
    signal?.removeEventListener('abort', stop)
    await hasher.close()
    onProgress(bytes)
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

interface Published {
  /** By file name. */
  hashes: Map<string, string>
  by?: string
  reason?: Localized
}

/** At the revision that was pulled; a source that cannot be asked is told, not thrown. */
async function askPublished(model: Model, options: VerifyOptions): Promise<Published> {
  const hashes = new Map<string, string>()
  const reference = tryParse(model.reference)
  if (reference?.type !== 'hub') return { hashes, reason: { en: 'its source publishes no hashes', zh: '其来源未发布校验值' } }
  if (options.offline) return { hashes, reason: { en: 'offline', zh: '离线' } }
  const http = options.http ?? sourceHttp(options.env)
  try {
    const asked = { ...reference, ...(model.revision === undefined ? {} : { revision: model.revision }) }
    const context = {
      env: options.env,
      http,
      run: runCommand,
      logger: options.logger,
      ...(options.signal ? { signal: options.signal } : {}),
    }
    const resolved = await resolveSources([asked], context, options.timeoutMs ?? TIMEOUT_MS)
    collect(resolved, hashes)
    return { hashes, by: resolved.source }
  } catch (error) {
    options.signal?.throwIfAborted()
    return { hashes, reason: reasonOf(error) }
  } finally {
    if (!options.http) await http.close()
  }
}

function reasonOf(error: unknown): Localized {
  if (!(error instanceof AppError)) return { en: String(error), zh: String(error) }
  return { en: localizeError(error, 'en').message, zh: localizeError(error, 'zh').message }
}

function collect({ files }: ResolvedModel, hashes: Map<string, string>): void {
  const downloads = files.filter((file) => file.kind === 'download')
  const names = localNames(downloads.map((file) => file.path))
  for (const [index, { sha256 }] of downloads.entries()) if (sha256 !== undefined) hashes.set(names[index] ?? '', sha256)
}

function tryParse(text: string): Reference | undefined {
  try {
    return parseReference(text)
  } catch {
    return undefined
  }
}
