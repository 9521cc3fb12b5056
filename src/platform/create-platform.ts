/** The platform as the product uses it: the real library, planner, sources and engine, from the settings. */
import path from 'node:path'
import { ensureFolder } from '../base/ensure-folder.ts'
import type { Logger } from '../base/logger.ts'
import { pathsBelow } from '../base/paths.ts'
import type { Paths } from '../base/paths.ts'
import type { Config } from '../config/settings.ts'
import type { SourceEnvironment } from '../models/hubs/source.ts'
import { openLibrary } from '../models/library.ts'
import type { Library } from '../models/library.ts'
import { formatReference, parseReference } from '../models/reference.ts'
import type { Reference } from '../models/reference.ts'
import type { Hardware, Model } from '../shared/api.ts'
import type { Localized } from '../shared/language.ts'
import { assemblePlatform } from './assemble-platform.ts'
import type { AssembledPlatform } from './assemble-platform.ts'
import type { CreateEngine } from './deployment-lives.ts'
import { runDoctor } from './doctor.ts'
import { deploymentWishes, engineSettings } from './engine-settings.ts'
import type { HomeLock } from './lock.ts'
import { measuredHardware } from './measured-hardware.ts'
import { createLibraryCare } from './library-care.ts'
import { createPlanDeployment } from './plan-deployment.ts'
import { createPlanning } from './plan.ts'
import { computeMeasurer } from './plan-dry-run.ts'
import { headerReader } from './plan-header.ts'
import { planHistory } from './plan-history.ts'
import { observedEngines } from './plan-observer.ts'
import { createPull } from './pull-model.ts'
import { processEnvironment } from '../config/environment.ts'
import { savedPromptsFolder, withSavedPrompts } from './saved-prompts.ts'
import { sourceEnvironment } from './source-environment.ts'

export interface CreatePlatformOptions {
  config: Config
  logger: Logger
  version: string
  /** Absent = the embedded engine. */
  createEngine?: CreateEngine
  /** Released when the platform closes. */
  lock?: HomeLock
}

export interface StarterChoice {
  reference: string
  /** Present when it is in the library already. */
  model?: Model
  reason: Localized
}

/** What the commands of this machine may do beside the platform's own calls. */
export interface LocalPlatform extends AssembledPlatform {
  /** `wanted`, or the model that suits this machine best, and why. Throws `offline`, `source-unreachable`, `not-enough-memory`. */
  chooseStarter(wanted: string | undefined, signal?: AbortSignal): Promise<StarterChoice>
  /** Undefined when the model's file has none. */
  chatTemplateOf(model: Model): Promise<string | undefined>
}

export async function createPlatform(options: CreatePlatformOptions): Promise<LocalPlatform> {
  const { config, logger, version, lock } = options
  const paths = pathsBelow(config.home)
  const library = withSavedPrompts(openLibrary(paths.models, config.modelFolders), paths.kvCache)
  const env = await sourceEnvironment(config)
  const probe = createProbe(config)
  const measured = measuredHardware({
    probe,
    measure: async (hardware, signal) => {
      const { measureHardware } = await import('../hardware/measurements.ts')
      return measureHardware({ hardware, cacheFolder: paths.cache, models: paths.models, signal })
    },
  })
  const history = planHistory(config.home, logger)
  const readHeader = headerReader({ library, env, logger, offline: config.offline })
  const platform = assemblePlatform({
    home: config.home,
    version,
    logger,
    library,
    probe,
    plan: createPlanDeployment(config, (model) => library.fileOf(model)),
    createEngine: observedEngines(options.createEngine ?? embeddedEngines(library, paths, logger), {
      history,
      probe,
      readHeader,
    }),
    planHistory: history,
    planning: createPlanning({ probe, measured: measured.hardware, readHeader, measureCompute: computeMeasurer(logger), history }),
    parseReference: (text) => referenceFacts(parseReference(text)),
    pull: createPull({ config, library, env, probe, measured: measured.hardware, history, logger }),
    care: createLibraryCare({ config, library, env, logger }),
    doctor: () => runDoctor({ config, env, paths, probe, logger }),
    offline: config.offline,
    settings: engineSettings(config),
    wishes: deploymentWishes(config),
    keepAlive: config.keepAlive,
    maxWaiting: config.maxWaiting,
    records: { fileLimit: config.fileLimit, batchParallel: config.batchParallel },
    onClosed: async () => {
      await measured.close()
      await lock?.release()
    },
  })
  return {
    ...platform,
    chooseStarter: (wanted, signal) => chooseStarter(wanted, { config, library, env, probe, signal }),
    chatTemplateOf: async (model) => chatTemplateOf(library.fileOf(model)),
  }
}

interface StarterContext {
  config: Config
  library: Library
  env: SourceEnvironment
  probe: () => Promise<Hardware>
  signal: AbortSignal | undefined
}

async function chooseStarter(wanted: string | undefined, { config, library, env, probe, signal }: StarterContext): Promise<StarterChoice> {
  const starter = await import('../models/starter.ts')
  const choice = await starter.chooseStarter({
    library,
    hardware: await probe(),
    env,
    offline: config.offline,
    ...(wanted === undefined ? {} : { model: wanted }),
    ...(signal ? { signal } : {}),
  })
  return { ...choice, reference: formatReference(choice.reference) }
}

function createProbe(config: Config): () => Promise<Hardware> {
  return async () => {
    const { probeHardware } = await import('../hardware/probe.ts')
    // The disk that counts is the one that the folder is on, so it has to be there.
    ensureFolder(config.home, 0o700)
    return probeHardware({ home: config.home, cacheFolder: pathsBelow(config.home).cache, searchPath: processEnvironment()['PATH'] })
  }
}

function embeddedEngines(library: Library, paths: Paths, logger: Logger): CreateEngine {
  return async (model, settings) => {
    const { createLlamaEngine } = await import('../engine/llama/engine.ts')
    return createLlamaEngine({
      model: model.name,
      file: library.fileOf(model),
      settings,
      logFile: path.join(paths.logs, `${fileNameOf(model.name)}.log`),
      kvCacheFolder: savedPromptsFolder(paths.kvCache, model.name),
      cacheFolder: paths.cache,
      logger: logger.with({ model: model.name }),
      environment: processEnvironment(),
    })
  }
}

function fileNameOf(name: string): string {
  return name.replace(/[^\w.-]+/g, '-').slice(-100)
}

function referenceFacts(reference: Reference): { text: string; needsNetwork: boolean } {
  return { text: formatReference(reference), needsNetwork: reference.type !== 'file' }
}

async function chatTemplateOf(file: string): Promise<string | undefined> {
  const { inspectModel } = await import('../models/gguf-files.ts')
  return (await inspectModel(file)).facts.chatTemplate
}
