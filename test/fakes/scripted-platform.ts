/** The whole product in memory: one scripted engine behind every model, for tests of the server and the page. */
import { createHash, randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { silentLogger } from '../../src/base/logger.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { createRecords, type RecordsOptions } from '../../src/platform/records.ts'
import { AppError } from '../../src/shared/errors.ts'
import type { Deployment, Hardware, Model, Pull, StartDeployment } from '../../src/shared/api.ts'
import type { FileReport } from '../../src/shared/file-report.ts'
import { createPlanning } from '../../src/platform/plan.ts'
import { catalogueHeaderOf } from '../../src/platform/plan-header.ts'
import type { Platform } from '../../src/platform/platform.ts'
import { createScriptedEngine, type ScriptedEngine } from './scripted-engine.ts'

export interface ScriptedPlatformOptions {
  engine?: ScriptedEngine
  models?: Model[]
  /** Names of models that have a deployment; the first is `default`. */
  deployed?: string[]
  /** The states that a pull goes through; the last one ends it. */
  pullStates?: Partial<Pull>[]
  /** Where what is stored lies; a new folder, made when something is, by default. */
  records?: Partial<RecordsOptions>
}

export interface ScriptedPlatform extends Platform {
  readonly engine: ScriptedEngine
}

/** Time stands still here, so that replies can be compared. */
export const SCRIPTED_TIME: number = Date.UTC(2026, 0, 2, 3, 4, 5)

export function scriptedModel(name: string): Model {
  return {
    name,
    reference: `file:/models/${name}.gguf`,
    title: `Scripted ${name}`,
    architecture: 'scripted',
    quantization: 'Q4_K_M',
    parameters: 1_500_000_000,
    bytes: 1_000_000_000,
    trainedContext: 8192,
    license: 'Apache-2.0',
    source: 'file',
    files: [{ path: `${name}.gguf`, bytes: 1_000_000_000 }],
    addedAt: SCRIPTED_TIME,
  }
}

export function createScriptedPlatform(options: ScriptedPlatformOptions = {}): ScriptedPlatform {
  const engine = options.engine ?? createScriptedEngine()
  const models = new Map((options.models ?? [scriptedModel('scripted'), scriptedModel('hf:org/other')]).map((model) => [model.name, model]))
  const deployments = new Map<string, Deployment>()
  for (const name of options.deployed ?? ['scripted']) deployments.set(name, deploymentOf(name))
  const records = createRecords({
    home: path.join(tmpdir(), `bendi-scripted-${randomUUID()}`),
    logger: silentLogger,
    clock: { now: () => SCRIPTED_TIME, timer: (ms, callback) => systemClock.timer(ms, callback) },
    load: async () => 'free',
    ...options.records,
  })
  const uploads = new Set<string>()
  const names = (): string[] => [...new Set([...deployments.keys(), ...models.keys()])]
  const resolve = (name: string): string => {
    const found = name === 'default' ? [...deployments.keys()][0] : name
    if (found !== undefined && models.has(found)) return found
    throw new AppError('model-not-found', { model: name, available: names().join(', ') })
  }
  const show = (name: string): Model => {
    const model = models.get(resolve(name))
    if (!model) throw new AppError('model-not-found', { model: name, available: names().join(', ') })
    return model
  }
  return {
    engine,
    status: async () => ({
      name: 'bendi',
      version: '0.0.0-test',
      pid: process.pid,
      startedAt: SCRIPTED_TIME,
      home: '/home/bendi',
      ...(deployments.size > 0 ? { defaultModel: resolve('default') } : {}),
    }),
    hardware: async () => HARDWARE,
    ...createPlanning({ probe: async () => HARDWARE, readHeader: catalogueHeaderOf }),
    doctor: async () => [
      { id: 'node', level: 'ok', title: { en: 'Node.js', zh: 'Node.js' }, detail: { en: process.version, zh: process.version } },
    ],
    models: {
      list: async () => [...models.values()],
      show: async (name) => show(name),
      remove: async (name) => {
        const model = show(name)
        if (deployments.has(model.name)) throw new AppError('model-in-use', { model: model.name })
        models.delete(model.name)
        return model
      },
    },
    care: {
      found: async () => [],
      usage: async () => ({ folders: [], models: [] }),
      verify: async (name) => ({ model: show(name).name, ok: true, files: [] }),
      move: async (name, folder) => ({ ...show(name), folder }),
      exportTo: async (name, folder) => `${folder}/${show(name).name}`,
      importFrom: async () => [],
      sharedFile: async () => undefined,
      sharedModels: async () => [],
      isShared: false,
      report: async (name) => scriptedReport(show(name)),
      copy: async (name, newName) => {
        const model = { ...show(name), name: newName }
        models.set(newName, model)
        return model
      },
      hasUpload: async (sha256) => uploads.has(sha256),
      upload: async (sha256, { chunks }) => {
        const hash = createHash('sha256')
        for await (const chunk of chunks) hash.update(chunk)
        const actual = hash.digest('hex')
        if (actual !== sha256) throw new AppError('checksum-mismatch', { file: 'the upload', actual, expected: sha256 })
        uploads.add(sha256)
      },
      createFrom: async (files, name) => {
        const missing = files.find(({ sha256 }) => !uploads.has(sha256))
        if (missing) throw new AppError('file-not-found', { path: missing.sha256 })
        models.set(name, scriptedModel(name))
        return scriptedModel(name)
      },
    },
    pulls: scriptedPulls(
      options.pullStates ?? [
        { state: 'downloading', doneBytes: 500, totalBytes: 1000 },
        { state: 'done', doneBytes: 1000 },
      ],
    ),
    deployments: {
      list: async () => [...deployments.values()],
      start: async (request: StartDeployment) => {
        const name = resolve(request.model)
        const deployment = deploymentOf(name)
        deployments.set(name, deployment)
        return deployment
      },
      stop: async (name) => {
        const deployment = deployments.get(resolve(name)) ?? deploymentOf(name)
        deployments.delete(deployment.model)
        return { ...deployment, state: 'stopped' }
      },
    },
    modelNames: async () => names(),
    resolveName: async (name) => (name === 'default' ? ([...deployments.keys()][0] ?? name) : name),
    async *generate(request, signal) {
      resolve(request.model)
      yield* engine.generate(request, signal)
    },
    async embed(request, signal) {
      resolve(request.model)
      return engine.embed(request, signal)
    },
    async tokenize(model, prompt) {
      resolve(model)
      return engine.tokenize(prompt)
    },
    async detokenize(model, tokens) {
      resolve(model)
      return engine.detokenize(tokens)
    },
    async render(model, prompt) {
      resolve(model)
      return engine.render(prompt)
    },
    closeThought: async (requestId) => engine.closeThought(requestId),
    async rerank(request, signal) {
      resolve(request.model)
      return engine.rerank(request, signal)
    },
    records,
    ready: () => deployments.size > 0,
    close: async (drainMs) => {
      await records.close()
      await engine.stop(drainMs)
    },
  }
}

/** Its template knows tools and thoughts. */
function scriptedReport(model: Model): FileReport {
  return {
    path: `/models/${model.name}.gguf`,
    format: 'gguf',
    formatName: 'GGUF 3',
    files: model.files,
    bytes: model.bytes,
    tensorTypes: [],
    tensors: [{ name: 'output.weight', type: 'Q4_K', shape: [256, 64], bytes: 9216 }],
    metadata: { 'general.architecture': 'scripted', 'general.version': '2.5', 'scripted.block_count': '2' },
    chatTemplate: '{% if tools %}{{ tools }}{% endif %}<think>',
    findings: [],
    engines: [],
    advice: { en: '', zh: '' },
  }
}

function deploymentOf(model: string): Deployment {
  return { model, engine: 'scripted', state: 'ready', startedAt: SCRIPTED_TIME, running: 0, waiting: 0 }
}

function scriptedPulls(states: Partial<Pull>[]): Platform['pulls'] {
  const pulls = new Map<string, Pull>()
  const find = (id: string): Pull => {
    const pull = pulls.get(id)
    if (!pull) throw new AppError('not-found', { path: `/api/pulls/${id}` })
    return pull
  }
  return {
    list: () => [...pulls.values()],
    start: (reference) => {
      if (reference.trim() === '') throw new AppError('invalid-reference', { reference, reason: 'it is empty' })
      const pull: Pull = { id: `pull-${pulls.size + 1}`, reference, state: 'waiting', doneBytes: 0, totalBytes: 0, bytesPerSecond: 0 }
      pulls.set(pull.id, pull)
      return pull
    },
    async *watch(id, signal) {
      for (const change of [{}, ...states]) {
        if (signal?.aborted) return
        const pull = { ...find(id), ...change }
        pulls.set(id, pull)
        yield pull
      }
    },
    pause: (id) => {
      const pull: Pull = { ...find(id), state: 'paused' }
      pulls.set(id, pull)
      return pull
    },
    resume: (id) => {
      const pull: Pull = { ...find(id), state: 'downloading' }
      pulls.set(id, pull)
      return pull
    },
    cancel: (id) => {
      const pull: Pull = { ...find(id), state: 'cancelled' }
      pulls.set(id, pull)
      return pull
    },
  }
}

const HARDWARE: Hardware = {
  platform: 'linux-x64',
  cpu: { model: 'Scripted CPU', cores: 2, physicalCores: 2, features: ['avx2'] },
  memory: { totalBytes: 16e9, availableBytes: 8e9 },
  disk: { path: '/home/bendi', freeBytes: 50e9, totalBytes: 100e9 },
  gpus: [],
}
