/** Puts the use cases together. Every part comes from outside, so that the whole works over scripted engines. */
import { randomUUID } from 'node:crypto'
import type { Logger } from '../base/logger.ts'
import type { EngineSettings } from '../engine/engine.ts'
import type { Finding, Hardware, Model, Status } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import { systemClock } from './clock.ts'
import type { Clock } from './clock.ts'
import { Deployments } from './deployments.ts'
import type { CreateEngine } from './deployment-lives.ts'
import type { DeploymentWishes } from './deployment.ts'
import { embed, withEngine } from './embed.ts'
import { engineLoad } from './engine-load.ts'
import { generate } from './generate.ts'
import type { LibraryCare } from './library-care.ts'
import type { PlanDeployment } from './make-room.ts'
import { awaitModel, isComing, modelNames, removeModel, resolveEvenDamaged, resolveModel, resolveName } from './models.ts'
import type { ModelStore, ModelsOptions } from './models.ts'
import type { Platform } from './platform.ts'
import { createPlanning } from './plan.ts'
import type { Planning } from './plan.ts'
import { catalogueHeaderOf } from './plan-header.ts'
import { observedGenerate } from './plan-observer.ts'
import type { PlanHistory } from './plan-history.ts'
import { Pulls } from './pulls.ts'
import type { PullsOptions } from './pulls.ts'
import { createRecords, type Records, type RecordsOptions } from './records.ts'
import { rerank } from './rerank.ts'
import { RunningRequests } from './running-requests.ts'

export interface PlatformOptions {
  home: string
  version: string
  logger: Logger
  library: ModelStore
  probe(): Promise<Hardware>
  plan: PlanDeployment
  createEngine: CreateEngine
  parseReference: PullsOptions['parse']
  pull: PullsOptions['pull']
  /** Absent = the library is only read and added to. */
  care?: LibraryCare
  doctor(): Promise<Finding[]>
  /** Absent = plans of what the catalogue knows. */
  planning?: Planning
  /** What came of plans; absent = forgotten. */
  planHistory?: PlanHistory
  offline?: boolean
  /** Engine settings that the user fixed. */
  settings?: EngineSettings
  wishes?: DeploymentWishes
  /** Seconds; -1 = for ever. */
  keepAlive?: number
  maxWaiting?: number
  records?: Pick<RecordsOptions, 'fileLimit' | 'batchParallel'>
  clock?: Clock
  pid?: number
  /** After everything has stopped, e.g. to release the lock. */
  onClosed?(): Promise<void>
}

export interface AssembledPlatform extends Platform {
  /** Which model `default` will be, once that is chosen and here. Requests for `default` wait for it; when it fails they are on their own. */
  expectDefault(model: Promise<Model>): void
}

/** How long a stop waits for running requests when nobody says, ms. */
const DRAIN_MS = 5000

export function assemblePlatform(options: PlatformOptions): AssembledPlatform {
  const { library, clock = systemClock } = options
  const startedAt = clock.now()
  const deployments = createDeployments(options, clock)
  const pulls = new Pulls({ parse: options.parseReference, pull: options.pull, offline: options.offline ?? false, createId: randomUUID })
  const records = createRecords({
    home: options.home,
    logger: options.logger,
    clock,
    load: async () => engineLoad(await deployments.list()),
    ...options.records,
  })
  const models: ModelsOptions = { library, deployments }
  const resolve = (name: string): Promise<Model> => resolveModel(models, name)
  const running = new RunningRequests()
  const work = {
    deployments,
    running,
    resolveModel: (name: string, signal?: AbortSignal): Promise<Model> => awaitModel(models, name, signal),
    isComing: (name: string): boolean => isComing(models, name),
  }
  let closing: Promise<void> | undefined
  return {
    status: async () => statusOf(options, startedAt, deployments),
    hardware: options.probe,
    doctor: options.doctor,
    models: { list: () => library.list(), show: resolve, remove: (name) => removeModel(models, name) },
    pulls: {
      list: () => pulls.list(),
      start: (reference, pullOptions) => pulls.start(reference, pullOptions),
      watch: (id, signal) => pulls.watch(id, signal),
      cancel: (id) => pulls.cancel(id),
      pause: (id) => pulls.pause(id),
      resume: (id) => pulls.resume(id),
    },
    care: {
      ...careOf(options, deployments, resolve),
      verify: async (name, verifyOptions) => careOrThrow(options).verify(await resolveEvenDamaged(models, name), verifyOptions),
    },
    deployments: {
      list: () => deployments.list(),
      start: async ({ model, ...wishes }, signal) => deployments.start(await work.resolveModel(model, signal), { ...wishes, signal }),
      stop: async (name) => deployments.stop((await resolve(name)).name),
    },
    modelNames: () => modelNames(models),
    resolveName: (name) => resolveName(models, name),
    expectDefault: (model) => {
      models.expected = model
      const forget = (): void => {
        if (models.expected === model) models.expected = undefined
      }
      model.catch(forget)
    },
    generate: (request, signal) => observedGenerate(generate(work, request, signal), request, options.planHistory),
    embed: (request, signal) => embed(work, request, signal),
    tokenize: (name, prompt) => withEngine(work, name, undefined, (engine) => engine.tokenize(prompt)),
    detokenize: (name, tokens) => withEngine(work, name, undefined, (engine) => engine.detokenize(tokens)),
    render: (name, prompt) => withEngine(work, name, undefined, (engine) => engine.render(prompt)),
    closeThought: (requestId) => running.closeThought(requestId),
    rerank: (request, signal) => rerank(work, request, signal),
    records,
    ...(options.planning ?? createPlanning({ probe: options.probe, readHeader: catalogueHeaderOf })),
    ready: () => deployments.isReady(),
    close: (drainMs = DRAIN_MS) => {
      closing ??= close(options, records, deployments, pulls, drainMs)
      return closing
    },
  }
}

function careOrThrow({ care }: Pick<PlatformOptions, 'care'>): LibraryCare {
  if (care) return care
  throw new AppError('not-found', { path: 'library' })
}

function careOf(
  { care, library }: PlatformOptions,
  deployments: Deployments,
  resolve: (name: string) => Promise<Model>,
): Omit<Platform['care'], 'verify'> {
  const own = (): LibraryCare => careOrThrow({ care })
  return {
    found: () => own().found(),
    usage: () => own().usage(),
    move: async (name, folder, copyOptions) => {
      const model = await resolve(name)
      deployments.forget(model.name)
      return own().move(model, folder, copyOptions)
    },
    exportTo: async (name, folder, copyOptions) => own().exportTo(await resolve(name), folder, copyOptions),
    importFrom: (folder, importOptions) => own().importFrom(folder, importOptions),
    sharedFile: async (sha256) => (care?.isShared ? care.sharedFile(sha256) : undefined),
    sharedModels: async () => (care?.isShared ? library.list() : []),
    report: async (name) => own().report(await resolve(name)),
    copy: async (name, newName, copyOptions) => {
      const model = await resolve(name)
      deployments.forget(newName)
      return own().copy(model, newName, copyOptions)
    },
    hasUpload: async (sha256) => own().hasUpload(sha256),
    upload: (sha256, content) => own().upload(sha256, content),
    createFrom: async (files, name, createOptions) => {
      deployments.forget(name)
      return own().createFrom(files, name, createOptions)
    },
    isShared: care?.isShared ?? false,
  }
}

function createDeployments(options: PlatformOptions, clock: Clock): Deployments {
  return new Deployments({
    createEngine: options.createEngine,
    plan: options.plan,
    probe: options.probe,
    settings: options.settings ?? {},
    wishes: options.wishes ?? {},
    keepAlive: options.keepAlive ?? 300,
    maxWaiting: options.maxWaiting ?? 256,
    drainMs: DRAIN_MS,
    clock,
    logger: options.logger,
  })
}

function statusOf({ home, version, pid = process.pid }: PlatformOptions, startedAt: number, deployments: Deployments): Status {
  const defaultModel = deployments.first?.name
  return { name: 'bendi', version, pid, startedAt, home, ...(defaultModel === undefined ? {} : { defaultModel }) }
}

async function close(options: PlatformOptions, records: Records, deployments: Deployments, pulls: Pulls, drainMs: number): Promise<void> {
  try {
    // Before the engines: what they would tell of their end is not the answer to a batch.
    await records.stop()
    await Promise.all([deployments.close(drainMs), pulls.close()])
    // After the last answers: they are still kept.
    await records.close()
    await options.planHistory?.close()
  } finally {
    await options.onClosed?.()
  }
}
