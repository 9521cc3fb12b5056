import type { RowOf } from '../column-types.ts'

/** One request of a batch, until the batch has ended. A line with a result is not run again. */
export const batchLineColumns = {
  batch_id: 'text',
  /** From 1, as in the input file. */
  line: 'integer',
  custom_id: 'text',
  /** Where the line lies in the input file, bytes. */
  start: 'integer',
  bytes: 'integer',
  /** waiting, completed, failed. */
  state: 'text',
  /** The line of the output or the error file, once it has been run. */
  result: 'text?',
} as const
export type BatchLineRow = RowOf<typeof batchLineColumns>
