/** The planner, given a model's files. */
import type { Config } from '../config/settings.ts'
import type { Model } from '../shared/api.ts'
import { inspectModel } from '../models/gguf-files.ts'
import type { ModelFacts } from '../models/model-facts.ts'
import { planModel } from '../planner/plan.ts'
import type { Plan } from '../planner/plan.ts'
import type { PlanDeployment } from './make-room.ts'

/** Reads each model's header once; `fileOf` is the library's. */
export function createPlanDeployment(config: Config, fileOf: (model: Model) => string): PlanDeployment {
  const facts = new Map<string, ModelFacts>()
  const factsOfModel = async (model: Model): Promise<ModelFacts> => {
    const key = `${model.name}\n${model.addedAt}`
    const known = facts.get(key) ?? (await inspectModel(fileOf(model))).facts
    facts.set(key, known)
    return known
  }
  const { kvType, gpuLayers } = config
  const fixed = { ...(kvType === undefined ? {} : { kvType }), ...(gpuLayers === undefined ? {} : { gpuLayers }) }
  return async (model, hardware, wishes) => {
    const plan = planModel(await factsOfModel(model), hardware, { ...wishes, ...fixed })
    return { ...plan, hostBytes: hostBytesOf(plan) }
  }
}

/** With all layers on a GPU only the overhead and the cache's second tier are ordinary memory; a part counts as none there. */
function hostBytesOf({ settings, memory }: Plan): number {
  return settings.gpuLayers === -1 ? memory.overhead + memory.cache : memory.total
}
