/** The JSON body of a request, bounded before it is read. */
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import type { Context } from 'hono'
import { AppError } from '../shared/errors.ts'

/** Bytes. A prompt of a million tokens is about 5 MB. */
export const BODY_LIMIT = 16 * 1024 * 1024

/** Whoever walks a value by recursion would run out of stack some thousands deeper. */
const MAX_DEPTH = 1000

/** Throws `unsupported-media-type`, `request-too-large`, `invalid-request`. */
export async function readJson(c: Context, limit: number): Promise<unknown> {
  const type = c.req.header('content-type')
  if (type !== undefined && !isJsonType(type)) throw new AppError('unsupported-media-type', { type, expected: 'application/json' })
  return readAnyJson(c, limit)
}

/** The same for clients that name another type, as curl does. Throws `request-too-large`, `invalid-request`. */
export async function readAnyJson(c: Context, limit: number): Promise<unknown> {
  const text = decode(await decompress(await readBody(c, limit), c.req.header('content-encoding'), limit))
  if (isNestedDeeper(text, MAX_DEPTH)) throw new AppError('invalid-request', { reason: `the body is nested more than ${MAX_DEPTH} deep` })
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
  return new Uint8Array(await c.req.arrayBuffer().catch(toCancelled))
}

/** Only a client that is gone makes the reading fail. */
function toCancelled(error: unknown): never {
  throw new AppError('cancelled', {}, { cause: error })
}

async function readCounted(body: ReadableStream<Uint8Array> | null, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  const reader = body?.getReader()
  for (;;) {
    const { done = true, value } = (await reader?.read().catch(toCancelled)) ?? {}
    if (done || !value) return Buffer.concat(chunks)
    bytes += value.byteLength
    if (bytes > limit) {
      // Nobody reads the rest.
      void reader?.cancel().catch(() => {})
      throw new AppError('request-too-large', { limit })
    }
    chunks.push(value)
  }
}

const DECODERS = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
} as const

/** What a client has compressed (RFC 9110, 8.4). Throws `request-too-large` (it grows beyond the limit), `unsupported-media-type`, `invalid-request`. */
async function decompress(bytes: Uint8Array, encoding = 'identity', limit: number): Promise<Uint8Array> {
  const name = encoding.trim().toLowerCase()
  if (name === 'identity' || name === '') return bytes
  const decoder = Object.entries(DECODERS).find(([known]) => known === name)?.[1]
  if (!decoder) throw new AppError('unsupported-media-type', { type: `${name} (Content-Encoding)`, expected: 'application/json' })
  try {
    return await decoder(bytes, { maxOutputLength: limit })
  } catch (error) {
    const isTooLong = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
    throw isTooLong
      ? new AppError('request-too-large', { limit })
      : new AppError('invalid-request', { reason: `the body is not ${name}, as its Content-Encoding says` })
  }
}

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [...'"\\[]{}'].map((character) => character.charCodeAt(0))

/** Looks at the text, so that nothing is built that nobody could walk. */
function isNestedDeeper(text: string, most: number): boolean {
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === QUOTE) index = endOfString(text, index)
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      if (++depth > most) return true
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth--
  }
  return false
}

/** Where the quote that opens at `start` closes. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return end
  }
  return text.length
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
