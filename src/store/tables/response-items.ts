import type { RowOf } from '../column-types.ts'

/** What a response was given and what it gave, in order. An item that a client sends again has one row for each response. */
export const responseItemColumns = {
  response_id: 'text',
  /** `input` or `output`. */
  place: 'text',
  position: 'integer',
  id: 'text',
  item: 'text',
} as const
export type ResponseItemRow = RowOf<typeof responseItemColumns>
