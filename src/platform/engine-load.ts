import type { Deployment } from '../shared/api.ts'
import type { EngineLoad } from './batches-gate.ts'

/** How busy the deployments are, all taken together: they share the machine, so whoever waits anywhere counts. Pure. */
export function engineLoad(deployments: readonly Pick<Deployment, 'state' | 'running' | 'waiting' | 'info'>[]): EngineLoad {
  if (deployments.some(({ waiting }) => waiting > 0)) return 'waiting'
  const ready = deployments.filter(({ state }) => state === 'ready')
  return ready.length > 0 && ready.every(({ running, info }) => running >= (info?.parallel ?? 1)) ? 'full' : 'free'
}
