/** The catalogue's routes. It is data that needs no open platform. */
import { describeCatalogueModel, searchCatalogue } from '../../platform/catalogue.ts'
import type { CatalogueAnswer, CatalogueModelDetail, CatalogueQuery } from '../../shared/api.ts'

interface CatalogueHandlers {
  listCatalogue(call: { query: CatalogueQuery }): CatalogueAnswer
  showCatalogue(call: { param(name: string): string }): CatalogueModelDetail
}

export const catalogueHandlers: CatalogueHandlers = {
  listCatalogue: ({ query }) => searchCatalogue(query),
  showCatalogue: ({ param }) => describeCatalogueModel(param('id')),
}
