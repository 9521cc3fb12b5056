/** What the user fixed about engines; it wins over what the plan would choose. */
import type { Config } from '../config/settings.ts'
import type { EngineSettings } from '../engine/engine.ts'
import type { DeploymentWishes } from './deployment.ts'

export function engineSettings(config: Config): EngineSettings {
  const { kvLayout, kvType, threads, kernel, gpuLayers, speculation, kvSave, kvDiskBytes, cacheBytes, targetStepMs } = config
  const diskCacheBytes = kvSave ? kvDiskBytes : 0
  return { kvLayout, kvType, threads, kernel, gpuLayers, speculation, diskCacheBytes, cacheBytes, targetStepMs }
}

export function deploymentWishes({ context, parallel }: Config): DeploymentWishes {
  return { ...(context === undefined ? {} : { context }), ...(parallel === undefined ? {} : { parallel }) }
}
