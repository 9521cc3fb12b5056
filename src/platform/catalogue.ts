/** The catalogue for the server and the command line: what exists, before anything is downloaded. Pure. */
import { describeModel } from '../models/catalogue/describe.ts'
import { findModel, nearestNames, searchModels } from '../models/catalogue/search.ts'
import type { CatalogueAnswer, CatalogueModelDetail, CatalogueQuery } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'

/** Throws `invalid-field` for a task or size that is none. */
export function searchCatalogue(query: CatalogueQuery): CatalogueAnswer {
  return searchModels(query)
}

/** By repository (with or without owner), short name or reference. Throws `unknown-model` with near names. */
export function describeCatalogueModel(name: string): CatalogueModelDetail {
  const model = findModel(name)
  if (model) return describeModel(model, name)
  throw unknownModel(name)
}

export function unknownModel(name: string): AppError {
  const near = nearestNames(name)
  return new AppError('unknown-model', { model: name, near: near.length > 0 ? near.join(', ') : '–' })
}

/** As `describeCatalogueModel`; undefined when there is none. */
export function catalogueModel(name: string): CatalogueModelDetail | undefined {
  const model = findModel(name)
  return model && describeModel(model, name)
}
