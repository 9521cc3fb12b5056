/** Models for other bendi servers: the list, and files by their hash, with ranges (RFC 9110, 14). Off unless `peerSharing` is set. */
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'

import { Hono, type Context } from 'hono'
import type { Platform } from '../../platform/platform.ts'
import { AppError } from '../../shared/errors.ts'
import type { RouteContext } from '../route-context.ts'

export function peerRoutes({ platform }: RouteContext): Hono {
  const app = new Hono()
  app.get('/api/peer/models', async (c) => {
    refuseUnlessShared(platform, c)
    // Models that are used where they lie name folders of this machine; others have nothing to say about it.
    const models = (await platform.care.sharedModels()).filter((model) => model.source !== 'file')
    return c.json(models.map((model) => ({ ...model, folder: undefined })))
  })
  // Hono answers HEAD with the same handler.
  app.get('/api/peer/files/:sha256', async (c) => {
    refuseUnlessShared(platform, c)
    const sha256 = c.req.param('sha256')
    const file = /^[0-9a-f]{64}$/.test(sha256) ? await platform.care.sharedFile(sha256) : undefined
    if (!file) throw new AppError('not-found', { path: c.req.path })
    return sendFile(c, file, `"${sha256}"`)
  })
  return app
}

function refuseUnlessShared(platform: Platform, c: Context): void {
  if (!platform.care.isShared) throw new AppError('not-found', { path: c.req.path })
}

function sendFile(c: Context, { path, bytes }: { path: string; bytes: number }, etag: string): Response {
  const condition = c.req.header('if-range')
  const wish = condition === undefined || condition === etag ? c.req.header('range') : undefined
  const range = wish === undefined ? undefined : parseRange(wish, bytes)
  const headers: Record<string, string> = { etag, 'accept-ranges': 'bytes', 'content-type': 'application/octet-stream' }
  if (range === 'unsatisfiable') return c.body(null, 416, { ...headers, 'content-range': `bytes */${bytes}` })
  const { start, end } = range ?? { start: 0, end: bytes - 1 }
  headers['content-length'] = String(end - start + 1)
  if (range) headers['content-range'] = `bytes ${start}-${end}/${bytes}`
  const status = range ? 206 : 200
  if (c.req.method === 'HEAD') return c.body(null, status, headers)
  const stream = createReadStream(path, { start, end, highWaterMark: 256 * 1024 })
  return new Response(Readable.toWeb(stream) as ReadableStream<Uint8Array>, { status, headers })
}

/** One range, both ends inclusive; anything else is answered with the whole file. */
export function parseRange(header: string, bytes: number): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim())
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  if (match[1] === '') {
    const length = Math.min(bytes, Number(match[2]))
    return length === 0 ? 'unsatisfiable' : { start: bytes - length, end: bytes - 1 }
  }
  const start = Number(match[1])
  const end = match[2] === '' ? bytes - 1 : Math.min(Number(match[2]), bytes - 1)
  if (start >= bytes) return 'unsatisfiable'
  return end < start ? undefined : { start, end }
}
