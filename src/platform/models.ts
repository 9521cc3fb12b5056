/** The models of the library, and which of them a name means. */
import type { Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import { abortable } from './abortable.ts'
import type { Deployments } from './deployments.ts'

/** What is used of the library (src/models/library.ts). */
export interface ModelStore {
  list(): Promise<Model[]>
  find(nameOrReference: string): Promise<Model | undefined>
  /** Also one with a file that is gone or cut. */
  findDamaged?(nameOrReference: string): Promise<Model | undefined>
  remove(model: Model): Promise<void>
}

export interface ModelsOptions {
  library: ModelStore
  deployments: Deployments
  /** What `default` will be; set while that is being chosen or downloaded. */
  expected?: Promise<Model> | undefined
}

/** `default` is not known yet, but it is on its way. */
export function isComing({ deployments, expected }: ModelsOptions, name: string): boolean {
  return name === 'default' && deployments.first === undefined && expected !== undefined
}

/** As `resolveModel`, but waits for a `default` that is on its way. Throws `cancelled` too. */
export async function awaitModel(options: ModelsOptions, name: string, signal?: AbortSignal): Promise<Model> {
  if (!isComing(options, name)) return resolveModel(options, name)
  // When it does not come, whoever sent for it tells why; here the library's first is as good as ever.
  const coming = options.expected?.catch(() => undefined)
  return (await abortable(Promise.resolve(coming), signal)) ?? resolveModel(options, name)
}

/** The name of what `default` means now, as far as that is known; any other name as it is. */
export async function resolveName({ library, deployments, expected }: ModelsOptions, name: string): Promise<string> {
  if (name !== 'default') return name
  const model = deployments.first ?? (expected ? undefined : (await library.list())[0])
  return model?.name ?? name
}

/** By short name, reference, or `default`: the first deployment, else the only choice left, the library's first. Throws `model-not-found`. */
export async function resolveModel({ library, deployments }: ModelsOptions, name: string): Promise<Model> {
  const known = name === 'default' ? deployments.first : deployments.get(name)?.model
  if (known) return known
  const found = name === 'default' ? (await library.list())[0] : await library.find(name)
  if (found) return found
  throw await modelNotFound({ library, deployments }, name)
}

/** As `resolveModel`, also when a file of it is gone or cut: to be checked or deleted, not to be run. Throws `model-not-found`. */
export async function resolveEvenDamaged(options: ModelsOptions, name: string): Promise<Model> {
  return orDamaged(options.library, name, () => resolveModel(options, name))
}

/** A file that was used in place and is gone makes `find` itself throw. */
async function orDamaged(library: ModelStore, name: string, find: () => Promise<Model>): Promise<Model> {
  try {
    return await find()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const damaged = await library.findDamaged?.(name).catch(() => undefined)
    if (damaged) return damaged
    throw error
  }
}

/** Deployments first, then the rest of the library. */
export async function modelNames({ library, deployments }: ModelsOptions): Promise<string[]> {
  const models = [...deployments.models, ...(await library.list())]
  return [...new Set(models.map((model) => model.name))]
}

/** Throws `model-not-found`, `model-in-use`. */
export async function removeModel(options: ModelsOptions, name: string): Promise<Model> {
  const model = await orDamaged(options.library, name, async () => {
    const found = await options.library.find(name)
    if (found) return found
    throw await modelNotFound(options, name)
  })
  options.deployments.forget(model.name)
  await options.library.remove(model)
  return model
}

async function modelNotFound(options: ModelsOptions, name: string): Promise<AppError> {
  const available = await modelNames(options)
  return new AppError('model-not-found', { model: name, available: available.length > 0 ? available.join(', ') : '–' })
}
