/** A pull with everything that the settings say about it. The modules that need the network are imported when they are used. */
import type { Logger } from '../base/logger.ts'
import type { Config } from '../config/settings.ts'
import type { SourceEnvironment } from '../models/hubs/source.ts'
import type { Library } from '../models/library.ts'
import { parseReference } from '../models/reference.ts'
import type { Reference } from '../models/reference.ts'
import type { RateLimit } from '../models/transfer/rate-limit.ts'
import { createRateLimit } from '../models/transfer/rate-limit.ts'
import type { Hardware } from '../shared/api.ts'
import type { PlanHistory } from './plan-history.ts'
import type { PullsOptions } from './pulls.ts'
import { storeFolders } from './store-folders.ts'

export interface PullContext {
  config: Config
  library: Library
  env: SourceEnvironment
  probe: () => Promise<Hardware>
  /** … with the memory bandwidth measured. */
  measured: () => Promise<Hardware>
  history?: PlanHistory
  logger: Logger
}

type PullCall = Parameters<PullsOptions['pull']>[1]

/** Beside the weights: a small window, and buffers. */
const OVERHEAD_FACTOR = 1.1
const OVERHEAD_BYTES = 400_000_000

export function createPull(context: PullContext): PullsOptions['pull'] {
  const { config, library, env, probe, logger } = context
  const shared = config.limitRate ? createRateLimit({ bytesPerSecond: config.limitRate }) : undefined
  const stores = config.useStores ? storeFolders(config) : undefined
  return async (text, call) => {
    const { signal, force, onProgress, include, exclude, to, limitRate } = call
    const { pullModel } = await import('../models/pull.ts')
    const [reference, memory] = await Promise.all([chosen(text, call, context), usableMemory(probe)])
    const limit = bothLimits(shared, limitRate)
    return pullModel(reference, {
      library,
      env,
      logger,
      signal,
      force,
      onProgress,
      offline: config.offline,
      selection: {
        ...(include ? { include } : {}),
        ...(exclude ? { exclude } : {}),
        ...(memory === undefined ? {} : { fits: (bytes: number) => bytes * OVERHEAD_FACTOR + OVERHEAD_BYTES <= memory }),
      },
      ...(to === undefined ? {} : { to }),
      ...(stores ? { stores } : {}),
      ...(limit ? { limit } : {}),
    })
  }
}

/** The reference with the quantisation that suits this machine, which is told as the pull's `choice`. */
async function chosen(text: string, call: PullCall, { config, library, env, logger, measured, history }: PullContext): Promise<Reference> {
  const reference = parseReference(text)
  if (reference.type !== 'hub' || config.offline || (!call.force && (await library.find(text)))) return reference
  const { signal, include, exclude, to, onProgress } = call
  onProgress({ state: 'resolving' })
  const context = call.context ?? config.context
  const { chooseQuantization } = await import('./pull-quantization.ts')
  const choice = await chooseQuantization(reference, {
    library,
    env,
    logger,
    signal,
    history,
    hardware: measured,
    to,
    selection: { ...(include ? { include } : {}), ...(exclude ? { exclude } : {}) },
    wishes: {
      ...(context === undefined ? {} : { context }),
      ...(config.parallel === undefined ? {} : { users: config.parallel }),
      ...(config.kvType === undefined ? {} : { kv: config.kvType }),
    },
  })
  if (!choice) return reference
  logger.info('the quantisation was chosen', { reference: choice.reference.text, reason: choice.reason.en })
  onProgress({ choice: choice.reason })
  return choice.reference
}

/** Of all downloads of this process, and of this one. */
function bothLimits(shared: RateLimit | undefined, bytesPerSecond: number | undefined): RateLimit | undefined {
  const own = bytesPerSecond === undefined ? undefined : createRateLimit({ bytesPerSecond })
  if (!shared || !own) return shared ?? own
  return {
    take: async (bytes, signal) => {
      await shared.take(bytes, signal)
      await own.take(bytes, signal)
    },
  }
}

/** Memory of the machine and of its GPUs, whatever runs in it now. Undefined when it cannot be told. */
async function usableMemory(probe: () => Promise<Hardware>): Promise<number | undefined> {
  try {
    const { memory, gpus } = await probe()
    const graphics = gpus.filter((gpu) => gpu.vendor !== 'apple').reduce((total, gpu) => total + gpu.memoryBytes, 0)
    return (memory.limitBytes ?? memory.totalBytes) + graphics
  } catch {
    return undefined
  }
}
