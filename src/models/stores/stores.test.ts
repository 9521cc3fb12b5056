import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { tinyModelBytes } from '../../../test/fakes/gguf-header.ts'
import { sha256Of, startHubServer } from '../../../test/fakes/hub-server.ts'
import type { HubServer } from '../../../test/fakes/hub-server.ts'
import { silentLogger } from '../../base/logger.ts'
import type { Model } from '../../shared/api.ts'
import { openLibrary } from '../library.ts'
import type { Library } from '../library.ts'
import { pullModel } from '../pull.ts'
import { parseReference } from '../reference.ts'
import { linkFile, listStored } from './find-stored.ts'
import { inspectLfsFile, readLfsPointer } from './git-lfs.ts'
import type { StoreFolders } from './stored-file.ts'

const gguf = tinyModelBytes({ extraBytes: 200_000 })
const sha256 = sha256Of(gguf)
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${gguf.length}\n`

let hub: HubServer
let folder = ''
let library: Library
let stores: StoreFolders
beforeEach(async () => {
  hub = await startHubServer()
  hub.repositories.set('org/repo', { files: { 'x-Q4_K_M.gguf': gguf } })
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-stores-'))
  library = openLibrary(path.join(folder, 'models'))
  stores = { huggingFace: path.join(folder, 'hub'), ollama: [path.join(folder, 'ollama')], lmStudio: [path.join(folder, 'lm')] }
})
afterEach(async () => {
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

async function write(name: string, content: Buffer | string): Promise<string> {
  const file = path.join(folder, name)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, content)
  return file
}

function pull(reference: string): Promise<Model> {
  return pullModel(parseReference(reference), {
    library,
    stores,
    env: { hfEndpoint: hub.origin, hfMirror: false, modelscopeEndpoint: hub.origin, pip: false },
    logger: silentLogger,
    now: () => 1,
  })
}

async function fillHuggingFace(content: Buffer = gguf): Promise<string> {
  const blob = await write(`hub/models--org--repo/blobs/${sha256}`, content)
  const snapshot = path.join(folder, 'hub/models--org--repo/snapshots/abc')
  await mkdir(snapshot, { recursive: true })
  await symlink(`../../blobs/${sha256}`, path.join(snapshot, 'x-Q4_K_M.gguf'))
  await write('hub/models--org--repo/refs/main', 'abc')
  return blob
}

async function fillOllama(): Promise<string> {
  const layers = [
    { mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${sha256}`, size: gguf.length },
    { mediaType: 'application/vnd.ollama.image.license', digest: `sha256:${'1'.repeat(64)}`, size: 3 },
  ]
  await write('ollama/manifests/registry.ollama.ai/library/tiny/1b', JSON.stringify({ schemaVersion: 2, layers }))
  await write('ollama/manifests/hf.co/org/other/Q4', '{"broken')
  return write(`ollama/blobs/sha256-${sha256}`, gguf)
}

test('each store is read as its program writes it, and what is broken is passed over', async () => {
  const blob = await fillHuggingFace()
  const layer = await fillOllama()
  const own = await write('lm/publisher/model/tiny.gguf', gguf)
  const bytes = gguf.length
  expect(await listStored(stores)).toEqual([
    { store: 'huggingface', name: 'hf:org/repo/x-Q4_K_M.gguf', path: blob, bytes, sha256 },
    { store: 'ollama', name: 'tiny:1b', path: layer, bytes, sha256 },
    { store: 'lm-studio', name: 'publisher/model/tiny.gguf', path: own, bytes },
  ])
  expect(await listStored({ ollama: ['/none'], lmStudio: ['/none'] })).toEqual([])
})

describe('a pull', () => {
  test.each([
    ["Hugging Face's cache", fillHuggingFace],
    ['Ollama', fillOllama],
    ['LM Studio', () => write('lm/publisher/model/tiny.gguf', gguf)],
  ])('links what %s has, and downloads nothing', async (_, fill) => {
    const original = await fill()
    const model = await pull('hf:org/repo')
    expect(hub.sentBytes()).toBe(0)
    const [ours, theirs] = await Promise.all([stat(library.fileOf(model)), stat(original)])
    expect(ours.ino).toBe(theirs.ino)
    await library.remove(model)
    expect(await readFile(original)).toEqual(gguf)
  })

  test('downloads when what a store has is damaged', async () => {
    await fillHuggingFace(Buffer.alloc(gguf.length))
    const model = await pull('hf:org/repo')
    expect(hub.sentBytes()).toBe(gguf.length)
    expect(sha256Of(await readFile(library.fileOf(model)))).toBe(sha256)
  })

  test('of the same content under another name links what the library has', async () => {
    const first = await pull('hf:org/repo')
    hub.repositories.set('org/twin', { files: { 'y-Q4_K_M.gguf': gguf } })
    const sent = hub.sentBytes()
    const second = await pull('hf:org/twin')
    expect(hub.sentBytes()).toBe(sent)
    expect((await stat(library.fileOf(second))).ino).toBe((await stat(library.fileOf(first))).ino)
  })
})

test('a link keeps the bytes when the other name is gone', async () => {
  const from = await write('a/x.gguf', gguf)
  const target = path.join(folder, 'b/y.gguf')
  expect(await linkFile(from, target)).toBe('hard-link')
  await rm(from)
  expect(await readFile(target)).toEqual(gguf)
})

describe('a clone of git without its large files', () => {
  async function clone(config = `[remote "origin"]\n\turl = https://huggingface.co/org/repo\n`): Promise<string> {
    await write('clone/.git/config', config)
    await write('clone/.git/HEAD', 'ref: refs/heads/main\n')
    return write('clone/x-Q4_K_M.gguf', POINTER)
  }

  test('tells what its pointers stand for', async () => {
    const file = await clone()
    expect(await inspectLfsFile(file)).toEqual({
      pointer: { sha256, bytes: gguf.length },
      origin: { hub: 'hf', repository: 'org/repo', file: 'x-Q4_K_M.gguf' },
    })
    expect(await readLfsPointer(await write('real.gguf', gguf))).toBeUndefined()
    expect(await readLfsPointer(await write('bad.gguf', POINTER.replace(/oid.*/, 'oid sha256:zz')))).toBeUndefined()
  })

  test('is completed from the hub that it came from', async () => {
    const model = await pull(`file:${await clone()}`)
    expect(model.files).toEqual([{ path: 'x-Q4_K_M.gguf', bytes: gguf.length, sha256 }])
    expect(hub.sentBytes()).toBe(gguf.length)
  })

  test('is completed from the folder of git-lfs when the contents are there', async () => {
    const file = await clone()
    await write(`clone/.git/lfs/objects/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`, gguf)
    const model = await pull(`file:${file}`)
    expect(hub.sentBytes()).toBe(0)
    expect(sha256Of(await readFile(library.fileOf(model)))).toBe(sha256)
  })

  test('that names no hub says so', async () => {
    await expect(pull(`file:${await clone('')}`)).rejects.toThrow(/git-lfs pointer/)
  })
})
