import type { RowOf } from '../column-types.ts'

/** Keys that this server made for itself. They make the database file a secret. */
export const secretColumns = { name: 'text', value: 'blob' } as const
export type SecretRow = RowOf<typeof secretColumns>
