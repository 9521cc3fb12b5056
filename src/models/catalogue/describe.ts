/** A repository as the API shows it. */
import type { CatalogueItem, CatalogueModelDetail } from '../../shared/api.ts'
import { catalogue, catalogueEntry } from './catalogue.ts'
import type { CatalogueEntry } from './catalogue.ts'
import { engineSupport, explain, isVerified, summaryText } from './explain.ts'
import { commercialUse, licenseName } from './licenses.ts'
import { nameMeanings } from './name-meaning.ts'
import type { CatalogueModel } from './repository.ts'

export function itemOf(model: CatalogueModel): CatalogueItem {
  const bytes = downloadBytes(model)
  return {
    id: model.id,
    repository: `${model.owner}/${model.id}`,
    family: model.family,
    released: model.released,
    use: model.use,
    tasks: [...model.tasks],
    parameters: model.parameters.total,
    ...(model.parameters.activated === null ? {} : { activated: model.parameters.activated }),
    ...(model.context === null ? {} : { context: model.context }),
    license: licenseName(model),
    commercial: commercialUse(model),
    ...(bytes === undefined ? {} : { downloadBytes: bytes }),
    llamaCpp: model.llamaCpp.support,
    shortNames: shortNamesOf(model).map((entry) => entry.name),
    verified: isVerified(model),
    summary: summaryText(model),
  }
}

/** `asked`: the text that led here, when it may be a short name. */
export function describeModel(model: CatalogueModel, asked = ''): CatalogueModelDetail {
  const { weights, kv, sampling } = model
  const short = catalogueEntry(asked)
  return {
    ...itemOf(model),
    ...(model.base === null ? {} : { base: model.base }),
    architecture: model.architecture,
    modality: model.modality,
    ...(model.parameters.exact === null ? {} : { exactParameters: model.parameters.exact }),
    ...(model.shape ? { shape: { ...model.shape } } : {}),
    weights: { format: weights.format, ...(weights.bytes === null ? {} : { bytes: weights.bytes }) },
    ...(kv ? { kv: { scheme: kv.scheme, ...(kv.bytesPerToken === null ? {} : { bytesPerToken: kv.bytesPerToken }) } } : {}),
    sampling: {
      ...(sampling.temperature === null ? {} : { temperature: sampling.temperature }),
      ...(sampling.topP === null ? {} : { topP: sampling.topP }),
    },
    systemPrompt: model.systemPrompt,
    engines: engineSupport(model),
    gguf: [...model.gguf],
    ...(short ? { pullMeans: { name: short.name, repository: short.title, description: short.description } } : {}),
    name: nameMeanings(model.id),
    explanations: explain(model),
  }
}

/** The short names that stand for it. */
export function shortNamesOf(model: CatalogueModel): CatalogueEntry[] {
  return catalogue().filter((entry) => entry.title.toLowerCase() === model.id.toLowerCase())
}

/** Of the short name's file, else of a Q4_K_M file (estimated), else of the published weights; bytes. */
export function downloadBytes(model: CatalogueModel): number | undefined {
  return shortNamesOf(model)[0]?.bytes ?? model.q4Bytes ?? model.weights.bytes ?? undefined
}
