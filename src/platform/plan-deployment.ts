/** The planner, given a model's files. */
import { stat } from 'node:fs/promises'
import type { Config } from '../config/settings.ts'
import type { Model } from '../shared/api.ts'
import { inspectModel, partsOf } from '../models/gguf-files.ts'
import type { ModelFacts } from '../models/model-facts.ts'
import { planModel } from '../planner/plan.ts'
import type { Plan } from '../planner/plan.ts'
import { AppError } from '../shared/errors.ts'
import type { PlanDeployment } from './make-room.ts'

/**
 * Reads each model's header, and again when its files have changed since: what native code is given next must have passed our own checks.
 * `fileOf` is the library's. The plan throws `file-not-found`, `invalid-model-file`.
 */
export function createPlanDeployment(config: Config, fileOf: (model: Model) => string): PlanDeployment {
  const known = new Map<string, { stamp: string; facts: ModelFacts }>()
  const factsOfModel = async (model: Model): Promise<ModelFacts> => {
    const file = fileOf(model)
    const stamp = await stampOf(file)
    const before = known.get(model.name)
    if (before?.stamp === stamp) return before.facts
    const { facts } = await inspectModel(file)
    known.set(model.name, { stamp, facts })
    return facts
  }
  const { kvType, gpuLayers } = config
  const fixed = { ...(kvType === undefined ? {} : { kvType }), ...(gpuLayers === undefined ? {} : { gpuLayers }) }
  return async (model, hardware, wishes) => {
    const plan = planModel(await factsOfModel(model), hardware, { ...wishes, ...fixed })
    return { ...plan, hostBytes: hostBytesOf(plan) }
  }
}

/** Changes with the bytes of any of the model's files. Throws `file-not-found`. */
async function stampOf(file: string): Promise<string> {
  const stats = await Promise.all(
    partsOf(file).map(async (part) => {
      const { size, mtimeMs, ino } = await stat(part).catch((error: unknown) => {
        throw new AppError('file-not-found', { path: part }, { cause: error })
      })
      return `${part} ${size} ${mtimeMs} ${ino}`
    }),
  )
  return stats.join('\n')
}

/** With all layers on a GPU only the overhead and the cache's second tier are ordinary memory; a part counts as none there. */
function hostBytesOf({ settings, memory }: Plan): number {
  return settings.gpuLayers === -1 ? memory.overhead + memory.cache : memory.total
}
