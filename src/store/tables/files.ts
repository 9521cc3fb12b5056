import type { RowOf } from '../column-types.ts'

/** Uploaded and written files. The content lies in the data folder under the id, never under a client's name. */
export const fileColumns = {
  id: 'text',
  filename: 'text',
  purpose: 'text',
  bytes: 'integer',
  created_at: 'integer',
  expires_at: 'integer?',
} as const
export type FileRow = RowOf<typeof fileColumns>
