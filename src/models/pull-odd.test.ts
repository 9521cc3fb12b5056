/** What people and hubs really do, and nobody expects. */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { tinyModelBytes } from '../../test/fakes/gguf-header.ts'
import { sha256Of, startHubServer } from '../../test/fakes/hub-server.ts'
import type { HubServer } from '../../test/fakes/hub-server.ts'
import { silentLogger } from '../base/logger.ts'
import type { Model } from '../shared/api.ts'
import { inspectPath } from './headers/inspect-path.ts'
import { askedWaitMs } from './hubs/failures.ts'
import { importFolder } from './import-folder.ts'
import { openLibrary } from './library.ts'
import type { Library } from './library.ts'
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
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-odd-'))
  library = openLibrary(path.join(folder, 'models'))
})
afterEach(async () => {
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

function pull(text: string, overrides: Partial<PullOptions> = {}): Promise<Model> {
  const env = { hfEndpoint: hub.origin, hfMirror: false as const, modelscopeEndpoint: hub.origin, pip: false as const }
  const tuning = { pauseMs: 1, resolveMs: 3000 }
  return pullModel(parseReference(text), { library, env, logger: silentLogger, now: () => 1, tuning, ...overrides })
}

describe('a token that the hub does not know any more', () => {
  const badToken = { kind: 'status', status: 401, headers: { 'x-error-message': 'Invalid credentials in Authorization header' } } as const

  test('is named, not taken for a licence to accept', async () => {
    hub.repositories.set('org/open', { files: { 'x-Q4_K_M.gguf': gguf }, hubs: ['hf'] })
    hub.order(/^\/api\/models/, badToken, 99)
    await expect(pull('hf:org/open')).rejects.toMatchObject({
      code: 'source-unreachable',
      message: expect.stringContaining('does not accept the access token'),
    })
  })
})

describe.skipIf(process.platform === 'win32')('a pipe that nobody writes to', () => {
  test('is refused instead of waited for', { timeout: 10_000 }, async () => {
    const pipe = path.join(folder, 'x.gguf')
    await promisify(execFile)('mkfifo', [pipe])
    await expect(inspectPath(pipe)).rejects.toThrow(/pipe or a device/)
    await expect(pull(`file:${pipe}`)).rejects.toThrow(/pipe or a device/)
    await expect(importFolder(folder, { library })).rejects.toThrow(/pipe or a device/)
  })
})

describe('files of one name in several folders', () => {
  const small = { 'config.json': Buffer.from('{"model_type":"top"}'), 'vae/config.json': Buffer.from('{"model_type":"vae"}') }

  test('are all kept, and the manifest stays ours', async () => {
    hub.repositories.set('org/repo', { files: { ...small, 'manifest.json': Buffer.from('{}') } })
    const model = await pull('hf:org/repo', { selection: { include: ['*.json'] } })
    expect(model.architecture).toBe('top')
    const names = await readdir(library.folderOf(model))
    expect(names).toContain('vae__config.json')
    expect(names).toHaveLength(4)
    expect(await readFile(path.join(library.folderOf(model), 'vae__config.json'), 'utf8')).toContain('"vae"')
  })

  test('a model that is here does not answer a wish for other files', async () => {
    hub.repositories.set('org/repo', { files: { ...small, 'x-Q4_0.gguf': gguf } })
    await pull('hf:org/repo')
    const first = await pull('hf:org/repo', { selection: { include: ['*.json'] } })
    expect(first.files.map((file) => file.path)).toEqual(['config.json', 'vae__config.json'])
    expect((await library.list()).map((model) => model.name).toSorted()).toEqual(['hf:org/repo', 'hf:org/repo:Q4_0'])
  })
})

describe('an address', () => {
  test('that leads nowhere is asked once, not for a minute', async () => {
    await expect(pull(`${hub.origin}/nothing/x.gguf`)).rejects.toThrow(/answered 404/)
    expect(hub.requests).toHaveLength(1)
  })

  test('that leads to a web page is asked twice', async () => {
    hub.order(/x\.gguf/, { kind: 'html' }, 100)
    await expect(pull(`${hub.origin}/x.gguf`)).rejects.toThrow(/web page/)
    expect(hub.requests).toHaveLength(2)
  })

  test('with a stray per cent or a null is a failure of the download, no bug', async () => {
    hub.order(/gguf/, { kind: 'status', status: 404 }, 2)
    await expect(pull(`${hub.origin}/%ZZ.gguf`)).rejects.toMatchObject({ code: 'download-failed' })
    await expect(pull(`${hub.origin}/a%00b.gguf`)).rejects.toMatchObject({ code: 'download-failed' })
  })

  test('whose answer is compressed is refused: the file would not be the file', async () => {
    hub.order(/x\.gguf/, { kind: 'status', status: 200, headers: { 'content-encoding': 'gzip' } }, 100)
    await expect(pull(`${hub.origin}/x.gguf`)).rejects.toThrow(/compressed \(gzip\)/)
  })
})

describe('hubs', () => {
  test('of ModelScope that name no commit leave the revision that was asked for', async () => {
    hub.repositories.set('org/repo', { files: { 'x-Q4_0.gguf': gguf }, hubs: ['ms'] })
    expect(await pull('ms:org/repo')).toMatchObject({ revision: 'master' })
  })

  test('with a limit of requests tell when its window ends', async () => {
    expect(askedWaitMs(429, new Headers({ ratelimit: '"api";r=0;t=55' }))).toBe(55_000)
    expect(askedWaitMs(429, new Headers({ ratelimit: '"api";r=0;t=55', 'retry-after': '3' }))).toBe(3000)
    expect(askedWaitMs(503, new Headers({ ratelimit: '"api";r=489;t=189' }))).toBeUndefined()
    hub.order(/^\/api/, { kind: 'status', status: 429, headers: { ratelimit: '"api";r=0;t=200' } }, 9)
    await expect(pull('hf:org/repo')).rejects.toThrow(/answered 429 and asks to wait 200 s/)
    expect(hub.requests.filter((request) => request.path.startsWith('/api/models'))).toHaveLength(1)
  })
})

test('the files that macOS leaves on disks of others are no models', async () => {
  await mkdir(path.join(folder, 'usb'))
  await writeFile(path.join(folder, 'usb', 'a.gguf'), gguf)
  await writeFile(path.join(folder, 'usb', '._a.gguf'), Buffer.from([0, 5, 22, 7]))
  expect(await importFolder(path.join(folder, 'usb'), { library })).toMatchObject([{ name: 'a' }])
})

test('a manifest on a disk of somebody else cannot have other files of this machine copied', async () => {
  hub.repositories.set('org/repo', { files: { 'x-Q4_0.gguf': gguf } })
  const model = await pull('hf:org/repo')
  const usb = path.join(folder, 'usb')
  await mkdir(usb)
  const stolen = { ...model, files: [{ ...model.files[0], path: library.fileOf(model) }] }
  await writeFile(path.join(usb, 'manifest.json'), JSON.stringify(stolen))
  await expect(importFolder(usb, { library })).rejects.toThrow(/outside its folder/)
})

test('a model with a cut or missing file is not listed, but can be verified and deleted', async () => {
  hub.repositories.set('org/repo', { files: { 'x-Q4_0.gguf': gguf } })
  const model = await pull('hf:org/repo')
  await truncate(library.fileOf(model), 1000)
  expect(await library.find(model.name)).toBeUndefined()
  const damaged = await library.findDamaged('hf:org/repo')
  expect(damaged?.name).toBe(model.name)
  const verify = (): ReturnType<typeof verifyModel> =>
    verifyModel(damaged ?? model, { library, env: {}, logger: silentLogger, offline: true })
  expect(await verify()).toMatchObject({ ok: false, files: [{ state: 'damaged', bytes: 1000 }] })
  await rm(library.fileOf(model))
  expect(await verify()).toMatchObject({ ok: false, files: [{ state: 'damaged', bytes: 0 }] })
  await library.remove(damaged ?? model)
  expect(await library.findDamaged('hf:org/repo')).toBeUndefined()
})

test('of a clone that is all pointers of git-lfs one quantisation is fetched', async () => {
  const files = { 'x-Q4_0.gguf': gguf, 'big/x-Q8_0.gguf': tinyModelBytes({ seed: 2 }) }
  hub.repositories.set('org/repo', { files })
  for (const [name, data] of Object.entries(files)) {
    const file = path.join(folder, 'clone', name)
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256Of(data)}\nsize ${data.length}\n`)
  }
  await mkdir(path.join(folder, 'clone', '.git'))
  await writeFile(path.join(folder, 'clone', '.git', 'config'), `[remote "origin"]\n\turl = ${hub.origin}/org/repo\n`)
  const model = await pull(`file:${path.join(folder, 'clone')}`)
  expect(model).toMatchObject({ reference: 'hf:org/repo/x-Q4_0.gguf', files: [{ sha256: sha256Of(gguf) }] })
})
