/**
 * Model hubs on loopback, answering as the real ones document it: Hugging Face (API, 302 to its storage, ETags, gated errors),
 * ModelScope's API, and a simple package index (PEP 503 and 691). Faults can be ordered for any path.
 */
import { createHash } from 'node:crypto'
import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface HubRepository {
  files: Readonly<Record<string, Buffer>>
  license?: string
  /** Files may be had only with this token. */
  gatedToken?: string
  /** Default: a made-up commit. */
  revision?: string
  /** Only on these; default both. */
  hubs?: readonly ('hf' | 'ms')[]
}

export type HubFault =
  /** Answers with this status. */
  | { kind: 'status'; status: number; headers?: Readonly<Record<string, string>> }
  /** Ends the connection after so many bytes of the body. */
  | { kind: 'cut'; afterBytes: number }
  /** Sends so many bytes of the body, then nothing, and stays connected. */
  | { kind: 'stall'; afterBytes: number }
  /** The body has other content of the same length: the last byte of the file differs. */
  | { kind: 'wrong-bytes' }
  /** One byte of each `everyBytes` of the file differs; as `slow` when it has a pause. */
  | { kind: 'corrupt'; everyBytes: number; pauseMs?: number }
  /** The file has another length than was published. */
  | { kind: 'wrong-length' }
  /** A page of a portal, with 200. */
  | { kind: 'html' }
  /** Range headers are ignored: the whole file with 200. */
  | { kind: 'no-range' }
  /** Never answers. */
  | { kind: 'silent' }
  /** Waits before each 16 kB. */
  | { kind: 'slow'; pauseMs: number }

export interface HubServer {
  /** Use as HF_ENDPOINT and as ModelScope's address. */
  origin: string
  /** PIP_INDEX_URL. */
  indexUrl: string
  repositories: Map<string, HubRepository>
  /** Project → file name → content. */
  packages: Map<string, Record<string, Buffer>>
  /** Whether the index speaks JSON (PEP 691) or only HTML. */
  indexFormat: 'json' | 'html'
  /** The next `times` requests whose path matches get this fault. */
  order(path: RegExp, fault: HubFault, times?: number): void
  /** What was asked, in order. */
  requests: { method: string; path: string; range?: string; authorization?: string; sentBytes: number }[]
  /** Bytes of files that were sent. */
  sentBytes(): number
  close(): Promise<void>
}

interface Order {
  path: RegExp
  fault: HubFault
  left: number
}

type Logged = HubServer['requests'][number]

export async function startHubServer(): Promise<HubServer> {
  const orders: Order[] = []
  const sockets = new Set<ServerResponse>()
  const server = http.createServer((request, response) => {
    sockets.add(response)
    void answer(hub, takeOrder(orders, request.url ?? ''), request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const hub: HubServer = {
    origin,
    indexUrl: `${origin}/simple/`,
    repositories: new Map(),
    packages: new Map(),
    indexFormat: 'json',
    requests: [],
    order: (path, fault, times = 1) => orders.push({ path, fault, left: times }),
    sentBytes: () => hub.requests.reduce((total, request) => total + request.sentBytes, 0),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return hub
}

const knownHashes = new WeakMap<Uint8Array, string>()

/** Of published content, which does not change: computed once. */
function publishedHash(data: Uint8Array): string {
  const known = knownHashes.get(data) ?? sha256Of(data)
  knownHashes.set(data, known)
  return known
}

export function sha256Of(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

export function revisionOf(repository: HubRepository): string {
  return repository.revision ?? createHash('sha1').update(Object.keys(repository.files).join('\n')).digest('hex')
}

function takeOrder(orders: Order[], path: string): HubFault | undefined {
  const order = orders.find((item) => item.left > 0 && item.path.test(path))
  if (order) order.left -= 1
  return order?.fault
}

async function answer(hub: HubServer, fault: HubFault | undefined, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', hub.origin)
  const logged: Logged = {
    method: request.method ?? 'GET',
    path: url.pathname + url.search,
    ...(request.headers.range ? { range: request.headers.range } : {}),
    ...(request.headers.authorization ? { authorization: request.headers.authorization } : {}),
    sentBytes: 0,
  }
  hub.requests.push(logged)
  if (fault?.kind === 'silent') return
  if (fault?.kind === 'status') return void response.writeHead(fault.status, fault.headers).end('{"error":"ordered"}')
  if (fault?.kind === 'html')
    return void response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><html>Please log in</html>')
  const path = decodeURIComponent(url.pathname)
  const exchange: Exchange = { hub, fault, request, response, url, logged }
  const routes: [RegExp, (exchange: Exchange, match: RegExpExecArray) => void | Promise<void>][] = [
    [/^\/api\/models\/([^/]+\/[^/]+)(?:\/revision\/(.+))?$/, huggingFaceInfo],
    [/^\/api\/v1\/models\/([^/]+\/[^/]+)\/repo\/files$/, modelScopeFiles],
    [/^\/api\/v1\/models\/([^/]+\/[^/]+)\/repo$/, modelScopeFile],
    [/^\/api\/v1\/models\/([^/]+\/[^/]+)$/, modelScopeInfo],
    [/^\/cdn\/([0-9a-f]{64})$/, storage],
    [/^\/simple\/([^/]+)\/$/, packageIndex],
    [/^\/packages\/([^/]+)\/([^/]+)$/, packageFile],
    [/^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/, huggingFaceFile],
  ]
  for (const [pattern, handle] of routes) {
    const match = pattern.exec(path)
    if (match) return handle(exchange, match)
  }
  json(response, 404, { error: 'Not Found' })
}

interface Exchange {
  hub: HubServer
  fault: HubFault | undefined
  request: IncomingMessage
  response: ServerResponse
  url: URL
  logged: Logged
}

function find(hub: HubServer, id: string | undefined, on: 'hf' | 'ms'): HubRepository | undefined {
  const repository = hub.repositories.get(id ?? '')
  return repository && (repository.hubs ?? ['hf', 'ms']).includes(on) ? repository : undefined
}

/** https://huggingface.co/docs/hub/api: gated repositories show their information, and missing ones look private. */
function huggingFaceInfo({ hub, request, response, url }: Exchange, match: RegExpExecArray): void {
  const repository = find(hub, match[1], 'hf')
  if (!repository) return repositoryNotFound(request, response)
  const withBlobs = url.searchParams.get('blobs') === 'true'
  json(response, 200, {
    _id: '0123456789abcdef01234567',
    id: match[1],
    modelId: match[1],
    sha: revisionOf(repository),
    private: false,
    gated: repository.gatedToken === undefined ? false : 'manual',
    downloads: 1,
    tags: ['gguf'],
    ...(repository.license ? { cardData: { license: repository.license } } : {}),
    siblings: Object.entries(repository.files).map(([path, data]) => ({
      rfilename: path,
      ...(withBlobs ? { blobId: createHash('sha1').update(data).digest('hex'), size: data.length } : {}),
      ...(withBlobs && isLfs(path) ? { lfs: { sha256: publishedHash(data), size: data.length, pointerSize: 134 } } : {}),
    })),
  })
}

function repositoryNotFound(request: IncomingMessage, response: ServerResponse): void {
  const status = request.headers.authorization ? 404 : 401
  response.setHeader('x-error-code', 'RepoNotFound')
  json(response, status, { error: status === 404 ? 'Repository not found' : 'Invalid username or password.' })
}

/** Small files come at once; large ones lie in the storage, with the facts on the redirect. */
function huggingFaceFile({ hub, fault, request, response, logged }: Exchange, match: RegExpExecArray): void | Promise<void> {
  const repository = find(hub, match[1], 'hf')
  if (!repository) return repositoryNotFound(request, response)
  if (repository.gatedToken !== undefined && request.headers.authorization !== `Bearer ${repository.gatedToken}`) {
    response.setHeader('x-error-code', 'GatedRepo')
    response.setHeader('x-error-message', `Access to model ${match[1]} is restricted.`)
    return json(response, request.headers.authorization ? 403 : 401, { error: 'restricted' })
  }
  const data = repository.files[match[3] ?? '']
  if (!data) {
    response.setHeader('x-error-code', 'EntryNotFound')
    return json(response, 404, { error: 'Entry not found' })
  }
  response.setHeader('x-repo-commit', revisionOf(repository))
  if (!isLfs(match[3] ?? ''))
    return sendFile({ fault, request, response, logged, data, etag: createHash('sha1').update(data).digest('hex') })
  const sha256 = publishedHash(data)
  response.writeHead(302, {
    location: `/cdn/${sha256}`,
    'x-linked-etag': `"${sha256}"`,
    'x-linked-size': String(data.length),
    'accept-ranges': 'bytes',
  })
  response.end()
}

function storage({ hub, fault, request, response, logged }: Exchange, match: RegExpExecArray): void | Promise<void> {
  for (const repository of hub.repositories.values()) {
    const data = Object.values(repository.files).find((item) => publishedHash(item) === match[1])
    if (data) return sendFile({ fault, request, response, logged, data, etag: match[1] ?? '' })
  }
  json(response, 403, { error: 'expired' })
}

/** modelscope/hub/api.py get_model_files. */
function modelScopeFiles({ hub, response }: Exchange, match: RegExpExecArray): void {
  const repository = find(hub, match[1], 'ms')
  if (!repository) return json(response, 404, { Code: 10010205001, Message: '获取模型信息失败', Success: false, Data: null })
  json(response, 200, {
    Code: 200,
    Message: 'success',
    Success: true,
    RequestId: 'test',
    Data: {
      Files: Object.entries(repository.files).map(([path, data]) => ({
        Name: path.split('/').at(-1),
        Path: path,
        Type: 'blob',
        Size: data.length,
        Sha256: publishedHash(data),
        Revision: revisionOf(repository),
        IsLFS: isLfs(path),
      })),
      // The hub itself leaves the commit empty.
      LatestCommitter: { Id: '', ShortId: revisionOf(repository).slice(0, 8) },
    },
  })
}

function modelScopeFile({ hub, fault, request, response, url, logged }: Exchange, match: RegExpExecArray): void | Promise<void> {
  const repository = find(hub, match[1], 'ms')
  const data = repository?.files[url.searchParams.get('FilePath') ?? '']
  if (!data) return json(response, 404, { Code: 10010204004, Message: 'not found', Success: false })
  return sendFile({ fault, request, response, logged, data, etag: publishedHash(data) })
}

function modelScopeInfo({ hub, response }: Exchange, match: RegExpExecArray): void {
  const repository = find(hub, match[1], 'ms')
  if (!repository) return json(response, 404, { Code: 10010205001, Success: false })
  json(response, 200, {
    Code: 200,
    Success: true,
    Data: { Path: match[1]?.split('/')[0], Name: match[1]?.split('/')[1], License: repository.license ?? '' },
  })
}

function packageIndex({ hub, request, response }: Exchange, match: RegExpExecArray): void {
  const files = hub.packages.get(match[1] ?? '')
  if (!files) return json(response, 404, { message: 'Not Found' })
  const accepts = (request.headers.accept ?? '').includes('application/vnd.pypi.simple.v1+json')
  if (hub.indexFormat === 'json' && accepts) {
    response.setHeader('content-type', 'application/vnd.pypi.simple.v1+json')
    response.end(
      JSON.stringify({
        meta: { 'api-version': '1.1' },
        name: match[1],
        files: Object.entries(files).map(([filename, data]) => ({
          filename,
          url: `../../packages/${match[1]}/${filename}`,
          hashes: { sha256: publishedHash(data) },
          size: data.length,
          yanked: false,
        })),
      }),
    )
    return
  }
  const links = Object.entries(files).map(
    ([name, data]) => `<a href="/packages/${match[1]}/${name}#sha256=${publishedHash(data)}">${name}</a><br />`,
  )
  response.writeHead(200, { 'content-type': 'text/html' }).end(`<!DOCTYPE html><html><body>\n${links.join('\n')}\n</body></html>`)
}

function packageFile({ hub, fault, request, response, logged }: Exchange, match: RegExpExecArray): void | Promise<void> {
  const data = hub.packages.get(match[1] ?? '')?.[match[2] ?? '']
  if (!data) return json(response, 404, { message: 'Not Found' })
  return sendFile({ fault, request, response, logged, data, etag: publishedHash(data) })
}

interface Sending {
  fault: HubFault | undefined
  request: IncomingMessage
  response: ServerResponse
  logged: Logged
  data: Buffer
  etag: string
}

/** RFC 9110, 14: one range, If-Range, 206 and 416. */
async function sendFile({ fault, request, response, logged, data: published, etag }: Sending): Promise<void> {
  const data = contentOf(published, fault)
  response.setHeader('etag', `"${etag}"`)
  response.setHeader('accept-ranges', 'bytes')
  response.setHeader('content-type', 'application/octet-stream')
  const condition = request.headers['if-range']
  const usesRange = fault?.kind !== 'no-range' && (condition === undefined || condition === `"${etag}"`)
  const match = usesRange ? /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') : null
  const start = match ? Number(match[1]) : 0
  if (match && start >= data.length) return void response.writeHead(416, { 'content-range': `bytes */${data.length}` }).end()
  const end = match?.[2] ? Math.min(Number(match[2]), data.length - 1) : data.length - 1
  if (match) response.setHeader('content-range', `bytes ${start}-${end}/${data.length}`)
  response.setHeader('content-length', String(end - start + 1))
  response.writeHead(match ? 206 : 200)
  if (request.method === 'HEAD') return void response.end()
  await sendBody(response, logged, data.subarray(start, end + 1), fault)
}

const wrongCopies = new WeakMap<Buffer, { step: number; wrong: Buffer }>()

function contentOf(data: Buffer, fault: HubFault | undefined): Buffer {
  if (fault?.kind === 'wrong-length') return data.subarray(0, data.length - 1)
  if (fault?.kind !== 'corrupt' && fault?.kind !== 'wrong-bytes') return data
  const step = fault.kind === 'corrupt' ? fault.everyBytes : data.length
  const known = wrongCopies.get(data)
  if (known?.step === step) return known.wrong
  const wrong = Buffer.from(data)
  wrongCopies.set(data, { step, wrong })
  for (let at = data.length - 1; at >= 0; at -= step) wrong[at] = (wrong[at] ?? 0) ^ 1
  return wrong
}

const PIECE_BYTES = 16 * 1024

async function sendBody(response: ServerResponse, logged: Logged, body: Buffer, fault: HubFault | undefined): Promise<void> {
  const limit = fault?.kind === 'cut' || fault?.kind === 'stall' ? Math.min(fault.afterBytes, body.length) : body.length
  for (let at = 0; at < limit && !response.destroyed; at += PIECE_BYTES) {
    const pauseMs = fault?.kind === 'slow' || fault?.kind === 'corrupt' ? fault.pauseMs : undefined
    if (pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, pauseMs))
    const piece = body.subarray(at, Math.min(at + PIECE_BYTES, limit))
    logged.sentBytes += piece.length
    if (!response.write(piece)) await drained(response)
  }
  if (fault?.kind === 'stall') return
  // A cut must not end the chunk neatly: wait until the bytes are out, then break the connection.
  if (fault?.kind === 'cut' && limit < body.length) return void setImmediate(() => response.socket?.destroySoon())
  response.end()
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

function isLfs(path: string): boolean {
  return /\.(gguf|safetensors|bin)$/i.test(path)
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.writeHead(status).end(JSON.stringify(body))
}
