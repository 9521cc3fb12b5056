/** Tables of the catalogue's own models; nothing is read from elsewhere. */
import { repositoryOf } from '../models/catalogue/repositories.ts'
import { R1_MYTHS, r1Table } from '../planner/r1-table.ts'
import type { R1Row } from '../planner/r1-table.ts'
import { headerOfCatalogue } from './plan-header.ts'

export type { R1Row } from '../planner/r1-table.ts'

export function r1FamilyTable(): { rows: R1Row[]; myths: typeof R1_MYTHS } {
  const rows = r1Table((id) => {
    const model = repositoryOf(id)
    return model && headerOfCatalogue(model)
  })
  return { rows, myths: R1_MYTHS }
}
