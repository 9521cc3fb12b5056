import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { tinyModelBytes } from '../../test/fakes/gguf-header.ts'
import { sha256Of, startHubServer } from '../../test/fakes/hub-server.ts'
import type { HubServer } from '../../test/fakes/hub-server.ts'
import { silentLogger } from '../base/logger.ts'
import type { Model } from '../shared/api.ts'
import { importFolder } from './import-folder.ts'
import { openLibrary } from './library.ts'
import type { Library } from './library.ts'
import { exportModel, moveModel } from './move-model.ts'
import { pullModel } from './pull.ts'
import type { PullOptions } from './pull-options.ts'
import { parseReference } from './reference.ts'
import { verifyModel } from './verify.ts'

const gguf = tinyModelBytes({ extraBytes: 100_000 })

let hub: HubServer
let folder = ''
let library: Library
beforeEach(async () => {
  hub = await startHubServer()
  hub.repositories.set('org/repo', {
    files: { 'x-Q4_K_M.gguf': gguf, 'config.json': Buffer.from('{"model_type":"qwen2","max_position_embeddings":4096}') },
  })
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-care-'))
  library = openLibrary(path.join(folder, 'models'))
})
afterEach(async () => {
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

const env = (): PullOptions['env'] => ({ hfEndpoint: hub.origin, hfMirror: false, pip: false })

function pull(overrides: Partial<PullOptions> = {}): Promise<Model> {
  return pullModel(parseReference('hf:org/repo'), { library, env: env(), logger: silentLogger, now: () => 1, ...overrides })
}

describe('verify', () => {
  test('compares with the manifest and with what is published at that revision', async () => {
    const result = await verifyModel(await pull(), { library, env: env(), logger: silentLogger })
    expect(result).toMatchObject({
      ok: true,
      publishedBy: 'hf-endpoint',
      files: [{ state: 'ok', sha256: sha256Of(gguf), published: sha256Of(gguf) }],
    })
  })

  test('finds one flipped bit, offline too', async () => {
    const model = await pull()
    const bytes = await readFile(library.fileOf(model))
    bytes[50_000] = (bytes[50_000] ?? 0) ^ 1
    await writeFile(library.fileOf(model), bytes)
    const result = await verifyModel(model, { library, env: env(), logger: silentLogger, offline: true })
    expect(result).toMatchObject({ ok: false, offlineReason: { en: 'offline', zh: '离线' }, files: [{ state: 'damaged' }] })
  })

  test('tells when something else is published now', async () => {
    const model = await pull()
    hub.repositories.set('org/repo', { files: { 'x-Q4_K_M.gguf': tinyModelBytes({ seed: 9 }) }, revision: model.revision ?? '' })
    expect(await verifyModel(model, { library, env: env(), logger: silentLogger })).toMatchObject({
      ok: false,
      files: [{ state: 'differs-from-published' }],
    })
  })

  test('can be stopped', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(verifyModel(await pull(), { library, env: env(), logger: silentLogger, signal })).rejects.toThrow('enough')
  })
})

describe('export and import', () => {
  test('a model goes over a plain folder to another library, with its manifest', async () => {
    const model = await pull()
    const target = await exportModel(model, path.join(folder, 'usb'), library)
    expect((await readdir(target)).toSorted()).toEqual(['manifest.json', 'x-Q4_K_M.gguf'])
    const other = openLibrary(path.join(folder, 'other'))
    const [imported] = await importFolder(path.join(folder, 'usb'), { library: other, now: () => 2 })
    expect(imported).toEqual({ ...model, addedAt: 2 })
    expect(await other.find('hf:org/repo')).toEqual(imported)
    expect(await readdir(other.downloadsFolder)).toEqual([])
  })

  test('a damaged copy is refused', async () => {
    const target = await exportModel(await pull(), path.join(folder, 'usb'), library)
    const bytes = await readFile(path.join(target, 'x-Q4_K_M.gguf'))
    await writeFile(path.join(target, 'x-Q4_K_M.gguf'), Buffer.concat([bytes.subarray(0, -1), Buffer.from([1])]))
    const other = openLibrary(path.join(folder, 'other'))
    await expect(importFolder(target, { library: other })).rejects.toMatchObject({ code: 'checksum-mismatch' })
    expect(await other.list()).toEqual([])
  })

  test('files without a manifest are taken by their headers, copied or where they lie', async () => {
    await mkdir(path.join(folder, 'plain'))
    const file = path.join(folder, 'plain', 'My Model-Q8_0.gguf')
    await writeFile(file, gguf)
    const [copied] = await importFolder(path.join(folder, 'plain'), { library })
    expect(copied).toMatchObject({ name: 'my-model-q8_0', source: 'import', files: [{ sha256: sha256Of(gguf) }] })
    const [inPlace] = await importFolder(path.join(folder, 'plain'), { library, inPlace: true })
    expect(inPlace && library.fileOf(inPlace)).toBe(file)
    if (inPlace) await library.remove(inPlace)
    expect((await stat(file)).size).toBe(gguf.length)
  })

  test('a folder that is not there, or has nothing', async () => {
    await expect(importFolder(path.join(folder, 'none'), { library })).rejects.toMatchObject({ code: 'file-not-found' })
    await mkdir(path.join(folder, 'empty'))
    expect(await importFolder(path.join(folder, 'empty'), { library })).toEqual([])
  })
})

describe('another disk', () => {
  test('a model is moved there, found there, verified and removed there', async () => {
    const model = await pull()
    const disk = path.join(folder, 'disk2')
    const moved = await moveModel(model, disk, library)
    expect(moved).toEqual({ ...model, folder: disk })
    expect(library.fileOf(moved)).toContain(`${disk}${path.sep}`)
    const again = openLibrary(path.join(folder, 'models'))
    expect(await again.list()).toEqual([moved])
    expect(await verifyModel(moved, { library: again, env: env(), logger: silentLogger })).toMatchObject({ ok: true })
    expect(await moveModel(moved, path.join(folder, 'models'), again)).toEqual(model)
    expect(await readdir(disk)).toEqual(['.downloads'])
  })

  test('a pull can go there at once, and a disk that is away hides only its own', async () => {
    const disk = path.join(folder, 'disk2')
    const model = await pull({ to: disk })
    expect(model.folder).toBe(disk)
    expect(await library.find('hf:org/repo')).toEqual(model)
    await rm(disk, { recursive: true })
    expect(await library.list()).toEqual([])
    expect(await pull()).not.toHaveProperty('folder')
  })
})

test('files for other engines are taken by --include, and described by their config.json', async () => {
  const model = await pull({ selection: { include: ['*.json'] } })
  expect(model).toMatchObject({ architecture: 'qwen2', trainedContext: 4096, files: [{ path: 'config.json' }] })
})
