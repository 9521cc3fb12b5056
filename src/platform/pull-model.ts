/** A pull with everything that the settings say about it. The modules that need the network are imported when they are used. */
import type { Logger } from '../base/logger.ts'
import type { Config } from '../config/settings.ts'
import type { SourceEnvironment } from '../models/hubs/source.ts'
import type { Library } from '../models/library.ts'
import { parseReference } from '../models/reference.ts'
import type { RateLimit } from '../models/transfer/rate-limit.ts'
import { createRateLimit } from '../models/transfer/rate-limit.ts'
import type { Hardware } from '../shared/api.ts'
import type { PullsOptions } from './pulls.ts'
import { storeFolders } from './store-folders.ts'

export interface PullContext {
  config: Config
  library: Library
  env: SourceEnvironment
  probe: () => Promise<Hardware>
  logger: Logger
}

/** Beside the weights: a small window, and buffers. */
const OVERHEAD_FACTOR = 1.1
const OVERHEAD_BYTES = 400_000_000

export function createPull({ config, library, env, probe, logger }: PullContext): PullsOptions['pull'] {
  const limit: RateLimit | undefined = config.limitRate ? createRateLimit({ bytesPerSecond: config.limitRate }) : undefined
  const stores = config.useStores ? storeFolders(config) : undefined
  return async (text, { signal, force, onProgress, include, exclude, to }) => {
    const { pullModel } = await import('../models/pull.ts')
    const memory = await usableMemory(probe)
    return pullModel(parseReference(text), {
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
