/** The JSON body of a request, bounded before it is read. */
import type { Context } from 'hono'
import { AppError } from '../shared/errors.ts'

/** Bytes. A prompt of a million tokens is about 5 MB. */
export const BODY_LIMIT = 16 * 1024 * 1024

/** Throws `unsupported-media-type`, `request-too-large`, `invalid-request`. */
export async function readJson(c: Context, limit: number): Promise<unknown> {
  const type = c.req.header('content-type')
  if (type !== undefined && !isJsonType(type)) throw new AppError('unsupported-media-type', { type })
  return readAnyJson(c, limit)
}

/** The same for clients that name another type, as curl does. Throws `request-too-large`, `invalid-request`. */
export async function readAnyJson(c: Context, limit: number): Promise<unknown> {
  const text = decode(await readBody(c, limit))
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = text.trim() === '' ? 'the body is empty' : error instanceof Error ? error.message : String(error)
    throw new AppError('invalid-request', { reason: `the body is not JSON (${reason})` })
  }
}

export function isJsonType(type: string): boolean {
  return /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)
}

/** A body can be read once; whoever comes later gets the same bytes. */
const bodies = new WeakMap<Request, Promise<Uint8Array>>()

/** Throws `request-too-large`. */
export function readBody(c: Context, limit: number): Promise<Uint8Array> {
  const known = bodies.get(c.req.raw)
  if (known) return known
  const reading = readBytes(c, limit)
  bodies.set(c.req.raw, reading)
  return reading
}

async function readBytes(c: Context, limit: number): Promise<Uint8Array> {
  const length = c.req.header('content-length')
  if (length === undefined) return readCounted(c.req.raw.body, limit)
  // Node's HTTP parser never lets more through than was announced.
  if (Number(length) > limit) throw new AppError('request-too-large', { limit })
  return new Uint8Array(await c.req.arrayBuffer())
}

async function readCounted(body: ReadableStream<Uint8Array> | null, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > limit) throw new AppError('request-too-large', { limit })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** JSON is UTF-8 (RFC 8259, 8.1): to read other bytes as replacement characters would change what was written. */
function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new AppError('invalid-request', { reason: 'the body is not UTF-8' })
  }
}
