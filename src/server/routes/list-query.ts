import type { Context } from 'hono'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'

export interface ListQuery {
  limit: number
  order: 'asc' | 'desc'
  after?: string
}

/** `limit`, `order` and `after`. A limit above the highest is the highest. Throws `invalid-field`. */
export function listQuery(c: Context, limits: { usual: number; highest: number }): ListQuery {
  const { limit, order = 'desc', after } = c.req.query()
  const count = limit === undefined || limit === '' ? limits.usual : z.coerce.number().int().min(1).safeParse(limit).data
  if (count === undefined) throw new AppError('invalid-field', { field: 'limit', reason: `expected a number from 1 to ${limits.highest}` })
  if (order !== 'asc' && order !== 'desc') throw new AppError('invalid-field', { field: 'order', reason: 'expected asc or desc' })
  return { limit: Math.min(count, limits.highest), order, ...(after ? { after } : {}) }
}
