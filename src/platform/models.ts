/** The models of the library, and which of them a name means. */
import type { Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import type { Deployments } from './deployments.ts'

/** What is used of the library (src/models/library.ts). */
export interface ModelStore {
  list(): Promise<Model[]>
  find(nameOrReference: string): Promise<Model | undefined>
  remove(model: Model): Promise<void>
}

export interface ModelsOptions {
  library: ModelStore
  deployments: Deployments
}

/** By short name, reference, or `default`: the first deployment, else the only choice left, the library's first. Throws `model-not-found`. */
export async function resolveModel({ library, deployments }: ModelsOptions, name: string): Promise<Model> {
  const known = name === 'default' ? deployments.first : deployments.get(name)?.model
  if (known) return known
  const found = name === 'default' ? (await library.list())[0] : await library.find(name)
  if (found) return found
  throw await modelNotFound({ library, deployments }, name)
}

/** Deployments first, then the rest of the library. */
export async function modelNames({ library, deployments }: ModelsOptions): Promise<string[]> {
  const models = [...deployments.models, ...(await library.list())]
  return [...new Set(models.map((model) => model.name))]
}

/** Throws `model-not-found`, `model-in-use`. */
export async function removeModel(options: ModelsOptions, name: string): Promise<Model> {
  const model = await options.library.find(name)
  if (!model) throw await modelNotFound(options, name)
  options.deployments.forget(model.name)
  await options.library.remove(model)
  return model
}

async function modelNotFound(options: ModelsOptions, name: string): Promise<AppError> {
  const available = await modelNames(options)
  return new AppError('model-not-found', { model: name, available: available.length > 0 ? available.join(', ') : '–' })
}
