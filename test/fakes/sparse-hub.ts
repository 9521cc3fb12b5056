/**
 * A hub on loopback with models too large to exist: each file is its header, then zeros up to its length. Speaks Hugging Face's API and
 * redirects to a storage, as the real one; counts what it is asked for.
 */
import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SparseFile {
  header: Buffer
  bytes: number
}

export interface SparseHub {
  origin: string
  repositories: Map<string, Record<string, SparseFile>>
  requests: { path: string; range?: string; sentBytes: number; authorization?: string }[]
  /** Before each answer. */
  latencyMs: number
  /** How files are answered: ranges as they should be, or not at all, or wrong. */
  behaviour: 'ranges' | 'no-ranges' | 'changes' | 'wrong-range' | 'short' | 'web-page' | 'expired' | 'busy-once'
  close(): Promise<void>
}

const REVISION = '0123456789abcdef0123456789abcdef01234567'

export async function startSparseHub(): Promise<SparseHub> {
  const server = http.createServer((request, response) => {
    const answerNow = (): void => answer(hub, request, response)
    if (hub.latencyMs > 0) setTimeout(answerNow, hub.latencyMs)
    else answerNow()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const hub: SparseHub = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    repositories: new Map(),
    requests: [],
    latencyMs: 0,
    behaviour: 'ranges',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return hub
}

function answer(hub: SparseHub, request: IncomingMessage, response: ServerResponse): void {
  const path = decodeURIComponent(new URL(request.url ?? '/', hub.origin).pathname)
  const { range, authorization } = request.headers
  const logged = { path, sentBytes: 0, ...(range ? { range } : {}), ...(authorization ? { authorization } : {}) }
  hub.requests.push(logged)
  const info = /^\/api\/models\/([^/]+\/[^/]+)\/revision\//.exec(path)
  if (info) return sendInfo(hub, info[1] ?? '', response)
  const resolved = /^\/([^/]+\/[^/]+)\/resolve\/[^/]+\/(.+)$/.exec(path)
  if (resolved) return sendFile(hub, resolved[1] ?? '', resolved[2] ?? '', response, request, logged)
  const stored = /^\/storage\/([^/]+\/[^/]+)\/(.+)$/.exec(path)
  if (stored) return sendFile(hub, stored[1] ?? '', stored[2] ?? '', response, request, logged, true)
  response.writeHead(404).end()
}

function sendInfo(hub: SparseHub, id: string, response: ServerResponse): void {
  const files = hub.repositories.get(id)
  response.setHeader('content-type', 'application/json')
  if (!files) return void response.writeHead(404, { 'x-error-code': 'RepoNotFound' }).end('{}')
  const siblings = Object.entries(files).map(([rfilename, file]) => ({ rfilename, size: file.bytes }))
  response.end(JSON.stringify({ id, sha: REVISION, siblings }))
}

let busy = 0

function sendFile(
  hub: SparseHub,
  id: string,
  path: string,
  response: ServerResponse,
  request: IncomingMessage,
  logged: SparseHub['requests'][number],
  isStorage = false,
): void {
  const file = hub.repositories.get(id)?.[path]
  if (!file) return void response.writeHead(404).end()
  if (!isStorage && /\.(gguf|safetensors)$/.test(path)) return void response.writeHead(302, { location: `/storage/${id}/${path}` }).end()
  if (hub.behaviour === 'web-page')
    return void response.writeHead(200, { 'content-type': 'text/html', 'content-length': '6' }).end('<html>')
  if (hub.behaviour === 'busy-once' && busy++ === 0) return void response.writeHead(503, { 'retry-after': '0' }).end()
  const earlier = hub.requests.filter((other) => other.path === logged.path).length
  // The signed address of the second request has run out; the redirect of the third gives a new one.
  if (hub.behaviour === 'expired' && earlier === 2) return void response.writeHead(403).end('expired')
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  const total = hub.behaviour === 'changes' && earlier > 1 ? file.bytes + 1 : file.bytes
  response.setHeader('etag', `"${total}"`)
  if (!match || hub.behaviour === 'no-ranges') return sendRange(file, 0, file.bytes - 1, 200, response, logged)
  const start = Number(match[1]) + (hub.behaviour === 'wrong-range' ? 1 : 0)
  const end = Math.min(Number(match[2]), file.bytes - 1)
  if (start >= file.bytes) return void response.writeHead(416, { 'content-range': `bytes */${file.bytes}` }).end()
  response.setHeader('content-range', `bytes ${start}-${end}/${total}`)
  sendRange(file, start, hub.behaviour === 'short' ? Math.max(start, end - 10) : end, 206, response, logged)
}

const PIECE = 64 * 1024

function sendRange(
  file: SparseFile,
  start: number,
  end: number,
  status: number,
  response: ServerResponse,
  logged: SparseHub['requests'][number],
): void {
  response.writeHead(status, { 'content-length': String(end - start + 1), 'content-type': 'application/octet-stream' })
  let at = start
  const write = (): void => {
    while (at <= end && !response.destroyed) {
      const piece = bytesOf(file, at, Math.min(PIECE, end - at + 1))
      at += piece.length
      logged.sentBytes += piece.length
      if (!response.write(piece)) return void response.once('drain', write)
    }
    response.end()
  }
  write()
}

function bytesOf({ header }: SparseFile, start: number, length: number): Buffer {
  const piece = Buffer.alloc(length)
  if (start < header.length) header.copy(piece, 0, start, Math.min(header.length, start + length))
  return piece
}
