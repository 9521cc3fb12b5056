/** Where the computed prompts of a model are kept between runs. They hold what people wrote, so they go when their model goes. */
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Model } from '../shared/api.ts'
import type { ModelStore } from './models.ts'

/** A folder a model: what one model starts with must not be taken for the left-overs of another. */
export function savedPromptsFolder(kvCache: string, modelName: string): string {
  // Two names that read the same once they are fit for a file are told apart by their hash.
  const readable = modelName.replace(/[^\w-]+/g, '-').slice(-60)
  const hash = createHash('sha256').update(modelName).digest('hex').slice(0, 12)
  return path.join(kvCache, `${readable}-${hash}`)
}

/** The same library; what it removes is forgotten wholly. */
export function withSavedPrompts<Store extends ModelStore>(library: Store, kvCache: string): Store {
  const remove = async (model: Model): Promise<void> => {
    await library.remove(model)
    await rm(savedPromptsFolder(kvCache, model.name), { recursive: true, force: true })
  }
  return { ...library, remove }
}
