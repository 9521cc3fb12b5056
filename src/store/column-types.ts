/** The four kinds of columns that both SQLite and PostgreSQL know, and the TypeScript type that each is read as. */

/** `?` may be null. Truths are integers 0 and 1, times integers in ms since 1970, structured values JSON in a text. */
export type ColumnKind = 'text' | 'integer' | 'real' | 'blob'
export type ColumnSpec = ColumnKind | `${ColumnKind}?`
export type Columns = Readonly<Record<string, ColumnSpec>>

interface Values {
  text: string
  integer: number
  real: number
  blob: Buffer
}

type ValueOf<Spec extends ColumnSpec> = Spec extends `${infer Kind extends ColumnKind}?`
  ? Values[Kind] | null
  : Spec extends ColumnKind
    ? Values[Spec]
    : never

/** What a row of a table is, inferred from its columns. */
export type RowOf<Table extends Columns> = { [Name in keyof Table]: ValueOf<Table[Name]> }

/** What each kind is called in the data definition language of a database. */
export const COLUMN_TYPES = {
  sqlite: { text: 'text', integer: 'integer', real: 'real', blob: 'blob' },
  postgres: { text: 'text', integer: 'bigint', real: 'double precision', blob: 'bytea' },
} as const satisfies Record<string, Record<ColumnKind, string>>

export type ColumnTypes = (typeof COLUMN_TYPES)[keyof typeof COLUMN_TYPES]

/** `text?` → the kind, and whether it may be null. */
export function parseColumn(spec: ColumnSpec): { kind: ColumnKind; nullable: boolean } {
  const nullable = spec.endsWith('?')
  return { kind: (nullable ? spec.slice(0, -1) : spec) as ColumnKind, nullable }
}
