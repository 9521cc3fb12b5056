import type { RowOf } from '../column-types.ts'

/** The event stream of a background response that has ended, for readers who come back. */
export const responseEventColumns = {
  response_id: 'text',
  /** A JSON list. */
  events: 'text',
} as const
export type ResponseEventRow = RowOf<typeof responseEventColumns>
