/** What a deployment's settings mean for its worker. */
import { availableParallelism } from 'node:os'
import type { EngineSettings } from '../engine.ts'
import type { WorkerOptions } from './messages.ts'

const DEFAULTS = { parallel: 8, kvBytes: 2 ** 30, kvBytesPerToken: 2 ** 17, cacheBytes: 2 ** 29, diskCacheBytes: 2 ** 32 } as const

export function workerOptions(
  { file, settings, kvCacheFolder }: { file: string; settings: EngineSettings; kvCacheFolder: string },
  kernel: string | undefined,
): WorkerOptions {
  return {
    file,
    kernel,
    context: settings.context,
    parallel: settings.parallel ?? DEFAULTS.parallel,
    kvType: settings.kvType ?? 'f16',
    kvLayout: settings.kvLayout ?? 'auto',
    ...kvBudget(settings),
    cacheBytes: settings.cacheBytes ?? DEFAULTS.cacheBytes,
    diskCacheBytes: settings.diskCacheBytes ?? DEFAULTS.diskCacheBytes,
    kvCacheFolder,
    threads: settings.threads ?? availableParallelism(),
    gpuLayers: settings.gpuLayers ?? -1,
    targetStepMs: settings.targetStepMs,
    speculation: settings.speculation ?? true,
  }
}

/** A recurrent model has no bytes for each token, so none are planned for it: its window is then bounded by its training alone. */
function kvBudget({ kvBytes = DEFAULTS.kvBytes, kvBytesPerToken = DEFAULTS.kvBytesPerToken }: EngineSettings): {
  kvBytes: number
  kvBytesPerToken: number
} {
  return kvBytesPerToken > 0 && kvBytes > 0 ? { kvBytes, kvBytesPerToken } : { kvBytes: DEFAULTS.kvBytes, kvBytesPerToken: 1 }
}
