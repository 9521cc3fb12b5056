/** Replies that are not streamed, made smaller for clients that take it. */
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { MiddlewareHandler } from 'hono'
import { chooseEncoding } from './static-files.ts'

/** Bytes. Below it, the headers cost more than is saved. */
const SMALLEST_COMPRESSED = 1024

const COMPRESSIBLE = /^(?:application\/(?:[\w.+-]+\+)?json|text\/(?!event-stream)[\w.+-]+)\s*(?:;|$)/i

/** Streams stay as they are: a compressor would hold words back. */
export function compression(): MiddlewareHandler {
  return async (c, next) => {
    await next()
    const encoding = chooseEncoding(c.req.header('accept-encoding'))
    const { headers, status, body } = c.res
    if (encoding === 'identity' || !body || c.req.method === 'HEAD' || !isCompressible(headers)) return
    const bytes = new Uint8Array(await c.res.arrayBuffer())
    const smaller = bytes.length >= SMALLEST_COMPRESSED ? await compress(bytes, encoding) : undefined
    const all = new Headers(headers)
    all.append('vary', 'Accept-Encoding')
    all.set('content-length', String((smaller ?? bytes).length))
    if (smaller) all.set('content-encoding', encoding)
    c.res = undefined
    c.res = new Response(smaller ?? bytes, { status, headers: all })
  }
}

function isCompressible(headers: Headers): boolean {
  return COMPRESSIBLE.test(headers.get('content-type') ?? '') && !headers.has('content-encoding')
}

/** Low qualities: the reply is wanted now, and is read once. */
async function compress(bytes: Uint8Array<ArrayBuffer>, encoding: 'br' | 'gzip'): Promise<Uint8Array<ArrayBuffer>> {
  const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }
  return new Uint8Array(encoding === 'br' ? await promisify(brotliCompress)(bytes, brotli) : await promisify(gzip)(bytes, { level: 4 }))
}
