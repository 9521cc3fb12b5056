import type { RowOf } from '../column-types.ts'

/** Answers of the Responses API that may be asked for again. */
export const responseColumns = {
  id: 'text',
  previous_id: 'text?',
  /** OpenAI's: queued, in_progress, completed, … */
  status: 'text',
  /** 1 when it runs without its client. */
  background: 'integer',
  created_at: 'integer',
  /** The reply without its output, as JSON. */
  reply: 'text',
} as const
export type ResponseRow = RowOf<typeof responseColumns>
