/**
 * A clone whose large files never came (no git-lfs, or it broke): each is a small text that names the content.
 * https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
 */
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'

import { openToRead } from '../open-to-read.ts'
import { fileBytes } from './stored-file.ts'

export interface LfsPointer {
  sha256: string
  bytes: number
}

export interface LfsClone {
  pointer: LfsPointer
  /** Where the contents are published, when the clone tells. */
  origin?: { hub: 'hf' | 'ms'; repository: string; file: string; revision?: string }
  /** The content, when git-lfs has it in its own folder. */
  object?: string
}

const MOST_POINTER_BYTES = 1024

/** Undefined for anything that is no pointer. */
export async function readLfsPointer(file: string): Promise<LfsPointer | undefined> {
  const handle = await openToRead(file).catch(() => undefined)
  if (!handle) return undefined
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(MOST_POINTER_BYTES), 0, MOST_POINTER_BYTES, 0)
    return parsePointer(buffer.subarray(0, bytesRead).toString('latin1'))
  } catch {
    return undefined
  } finally {
    await handle.close()
  }
}

function parsePointer(text: string): LfsPointer | undefined {
  if (!text.startsWith('version https://git-lfs.github.com/spec/v1\n')) return undefined
  const sha256 = /^oid sha256:([0-9a-f]{64})$/m.exec(text)?.[1]
  const size = /^size (\d{1,15})$/m.exec(text)?.[1]
  return sha256 === undefined || size === undefined ? undefined : { sha256, bytes: Number(size) }
}

/** Undefined when `file` is no pointer. */
export async function inspectLfsFile(file: string): Promise<LfsClone | undefined> {
  const pointer = await readLfsPointer(file)
  if (!pointer) return undefined
  const root = await repositoryRoot(path.dirname(file))
  if (root === undefined) return { pointer }
  const { sha256, bytes } = pointer
  const object = path.join(root, '.git', 'lfs', 'objects', sha256.slice(0, 2), sha256.slice(2, 4), sha256)
  const origin = originOf(await readFile(path.join(root, '.git', 'config'), 'utf8').catch(() => ''))
  const revision = await headCommit(path.join(root, '.git'))
  return {
    pointer,
    ...((await fileBytes(object)) === bytes ? { object } : {}),
    ...(origin
      ? { origin: { ...origin, file: path.relative(root, file).split(path.sep).join('/'), ...(revision ? { revision } : {}) } }
      : {}),
  }
}

async function repositoryRoot(folder: string): Promise<string | undefined> {
  const isRoot = await stat(path.join(folder, '.git')).then(
    (status) => status.isDirectory(),
    () => false,
  )
  if (isRoot) return folder
  const parent = path.dirname(folder)
  return parent === folder ? undefined : repositoryRoot(parent)
}

/** From `[remote …] url = https://huggingface.co/org/repo`, with or without credentials and `.git`. */
function originOf(config: string): { hub: 'hf' | 'ms'; repository: string } | undefined {
  for (const match of config.matchAll(/^\s*url\s*=\s*(\S+)\s*$/gm)) {
    const address = (match[1] ?? '').replace(/^git@([^:/]+):/, 'https://$1/')
    if (!URL.canParse(address)) continue
    const url = new URL(address)
    const [owner, name] = url.pathname
      .replace(/^\/models\//, '/')
      .replace(/\.git\/?$/, '')
      .split('/')
      .filter(Boolean)
    if (!owner || !name) continue
    return { hub: /modelscope/i.test(url.hostname) ? 'ms' : 'hf', repository: `${owner}/${name}` }
  }
  return undefined
}

async function headCommit(git: string): Promise<string | undefined> {
  const head = (await readFile(path.join(git, 'HEAD'), 'utf8').catch(() => '')).trim()
  const name = /^ref: (refs\/[\w./-]+)$/.exec(head)?.[1]
  if (name !== undefined && name.includes('..')) return undefined
  const commit = name === undefined ? head : (await readFile(path.join(git, name), 'utf8').catch(() => '')).trim()
  return /^[0-9a-f]{40}$/.test(commit) ? commit : undefined
}
