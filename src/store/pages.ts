/** What a list asks for, and one page of it. */
export interface PageQuery {
  limit: number
  order: 'asc' | 'desc'
  /** The id of the last entry of the page before. */
  after?: string
}

export interface Page<Entry> {
  data: Entry[]
  hasMore: boolean
}

/** Cuts what was read with `limit + 1` rows. */
export function pageOf<Entry>(rows: readonly Entry[], limit: number): Page<Entry> {
  return { data: rows.slice(0, limit), hasMore: rows.length > limit }
}
