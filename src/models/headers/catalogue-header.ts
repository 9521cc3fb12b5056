/** What the catalogue knows of a repository, as a ModelHeader: when nothing answers, a plan is still possible, and says what it is from. */
import { REPOSITORIES } from '../catalogue/repositories.ts'
import type { CatalogueModel } from '../catalogue/repository.ts'
import type { ModelHeader } from './model-header.ts'

/** By `owner/name`, of the original or of one of its GGUF repositories. Undefined when it is unknown, or its shape is. */
export function catalogueHeader(repository: string): ModelHeader | undefined {
  const wanted = repository.toLowerCase()
  const isIt = (model: CatalogueModel): boolean =>
    `${model.owner}/${model.id}`.toLowerCase() === wanted || model.gguf.some((name) => name.toLowerCase() === wanted)
  const model = REPOSITORIES.find(isIt)
  if (!model?.shape) return undefined
  return {
    source: 'catalogue',
    architecture: model.llamaCpp.arch ?? model.modelType,
    title: model.id,
    shape: model.shape,
    quantization: model.weights.format,
    trainedContext: model.context ?? model.shape.max_position_embeddings,
    files: [],
    readBytes: 0,
    requests: 0,
  }
}
