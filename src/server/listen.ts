/** The app on a port of this machine. */
import { randomUUID } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { delay } from '../base/async.ts'
import type { Logger } from '../base/logger.ts'
import { AppError, toWireError } from '../shared/errors.ts'
import { watchBody, type BodyPace } from './body-watch.ts'
import { errorDialectOf, openAiErrors } from './error-dialects.ts'
import { languageOf } from './error-reply.ts'
import { findPortOwner } from './port-owner.ts'
import { isLoopbackName, requestIdOf } from './policy.ts'

export interface ListenOptions {
  host: string
  /** 0 is any free one. */
  port: number
  logger: Logger
  timeouts?: Partial<Timeouts>
}

/** Milliseconds. Whoever sends a request drop by drop is cut off, and so is who does not take its reply; a big body and the reply may take as long as they like. */
export interface Timeouts {
  /** Until all headers are there. */
  headers: number
  /** How much of a body has to come, and how often that is looked at. */
  body: BodyPace
  /** An idle connection. */
  keepAlive: number
  /** Bytes wait for the client, and it takes none. */
  stalled: number
  /** How often the headers are looked at. */
  checkInterval: number
}

const TIMEOUTS: Timeouts = {
  headers: 15_000,
  body: { windowMs: 30_000, bytes: 30_000 },
  keepAlive: 65_000,
  stalled: 120_000,
  checkInterval: 5000,
}

export interface Listening {
  /** e.g. `http://127.0.0.1:8400`. */
  address: string
  port: number
  /** Takes no more connections, waits up to `drainMs` for replies under way, then cuts them. Idempotent. */
  close(drainMs?: number): Promise<void>
}

const DRAIN = 5000

/** Throws `non-loopback-host`, `port-in-use`. */
export async function listen(app: Hono, { host, port, logger, timeouts }: ListenOptions): Promise<Listening> {
  if (!(await isLoopbackHost(host))) throw new AppError('non-loopback-host', { host })
  const doors: Doors = { closing: false, replies: new Set() }
  const server = createHttpServer(app, { ...TIMEOUTS, ...timeouts }, doors)
  try {
    await bind(server, host, port)
  } catch (error) {
    throw isCode(error, 'EADDRINUSE') ? await portInUse(host, port) : error
  }
  const { address, family, port: bound } = server.address() as AddressInfo
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`
  logger.info('listening', { address: url })
  let closing: Promise<void> | undefined
  return { address: url, port: bound, close: (drainMs = DRAIN) => (closing ??= closeServer(server, doors, drainMs)) }
}

/** A name counts when everything that it resolves to is this machine. */
export async function isLoopbackHost(host: string): Promise<boolean> {
  if (isLoopbackName(host) && host !== 'localhost') return true
  const addresses = await lookup(host, { all: true }).catch(() => [])
  return addresses.length > 0 && addresses.every(({ address }) => isLoopbackName(address))
}

/** Whether new requests are still let in, and the replies that are under way. */
interface Doors {
  closing: boolean
  replies: Set<ServerResponse>
}

function createHttpServer(app: Hono, timeouts: Timeouts, doors: Doors): Server {
  const listener = getRequestListener((request, env) => app.fetch(request, env), { errorHandler: badRequest })
  const server = createServer(
    {
      headersTimeout: timeouts.headers,
      // It would cut an upload that goes on well.
      requestTimeout: 0,
      // Without one, Node would answer without a body.
      requireHostHeader: false,
      keepAliveTimeout: timeouts.keepAlive,
      connectionsCheckingInterval: timeouts.checkInterval,
      // Finds out about clients that have vanished without a word.
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
    },
    (incoming, outgoing) => {
      outgoing.setTimeout(timeouts.stalled, () => {
        if (outgoing.writableLength > 0 || (outgoing.socket?.writableLength ?? 0) > 0) outgoing.destroy()
      })
      // On a connection that was open already.
      if (doors.closing) return turnAway(incoming, outgoing)
      const broken = brokenTarget(incoming)
      if (broken !== undefined) return refuse(incoming, outgoing, 400, new AppError('invalid-request', { reason: broken }))
      watchBody(incoming, outgoing, timeouts.body, () => dropSlow(incoming, outgoing, timeouts.body))
      doors.replies.add(outgoing)
      outgoing.once('close', () => doors.replies.delete(outgoing))
      void listener(incoming, outgoing)
      return undefined
    },
  )
  server.on('connection', (socket) => socket.once('close', () => tellPipelined(socket, doors)))
  server.on('checkExpectation', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const reason = `the expectation "${incoming.headers.expect ?? ''}" cannot be met, only 100-continue`
    refuse(incoming, outgoing, 417, new AppError('invalid-request', { reason }))
  })
  return server.on('clientError', answerClientError)
}

/** Node tells the reply that is being sent that its client has gone, but not those that wait behind it. */
function tellPipelined(socket: Duplex, { replies }: Doors): void {
  for (const reply of replies) if (reply.req.socket === socket && reply.socket === null) reply.emit('close')
}

/** What is wrong with the address that is asked for. */
function brokenTarget({ url = '/', headers: { host } }: IncomingMessage): string | undefined {
  if (!host) return 'it has no Host header'
  return URL.canParse(`http://${host}/`) && URL.canParse(url, 'http://localhost') ? undefined : 'its address cannot be read'
}

/** The server is going: the client is told so in its own dialect, and not to use this connection again. */
function turnAway(incoming: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.setHeader('retry-after', '5')
  refuse(incoming, outgoing, 503, new AppError('shutting-down'))
}

/** The last reply on this connection, without the app. */
function refuse(incoming: IncomingMessage, outgoing: ServerResponse, status: number, error: AppError): void {
  const { requestId, body } = errorFor(incoming, error)
  outgoing.writeHead(status, { 'content-type': 'application/json', connection: 'close', 'x-request-id': requestId })
  outgoing.end(body)
}

/** Past the app, which still waits for the body and is told of the end by the connection's. */
function dropSlow(incoming: IncomingMessage, outgoing: ServerResponse, { windowMs, bytes }: BodyPace): void {
  if (outgoing.headersSent) return void incoming.socket.destroy()
  const { requestId, body } = errorFor(incoming, new AppError('body-too-slow', { bytes, seconds: Math.ceil(windowMs / 1000) }))
  endWith(incoming.socket, 408, requestId, body)
}

/** The error in the caller's dialect and language, as JSON. */
function errorFor(incoming: IncomingMessage, error: AppError): { requestId: string; body: string } {
  const path = URL.canParse(incoming.url ?? '/', 'http://localhost') ? new URL(incoming.url ?? '/', 'http://localhost').pathname : '/'
  const header = (name: string): string | undefined => String(incoming.headers[name] ?? '') || undefined
  const requestId = requestIdOf(header('x-request-id'), newRequestId)
  const body = errorDialectOf({ path, header }).body(toWireError(error), languageOf(header('accept-language')), requestId)
  return { requestId, body: JSON.stringify(body) }
}

/** A request that is not even one: no Host, a broken URL. */
function badRequest(error: unknown): Response {
  const reason = error instanceof Error ? error.message : String(error)
  const requestId = newRequestId()
  const body = openAiErrors.body(toWireError(new AppError('invalid-request', { reason })), 'en', requestId)
  return Response.json(body, { status: 400, headers: { 'x-request-id': requestId } })
}

const CLIENT_ERROR_STATUS: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }

/** What Node's HTTP parser could not read, or what took too long to come. */
function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const status = CLIENT_ERROR_STATUS[error.code ?? ''] ?? 400
  const reason = STATUS_CODES[status] ?? 'Bad Request'
  const requestId = newRequestId()
  const wire = toWireError(new AppError('invalid-request', { reason: reason.toLowerCase() }))
  endWith(socket, status, requestId, JSON.stringify(openAiErrors.body(wire, 'en', requestId)))
}

/** A reply written by hand, the last on this connection. */
function endWith(socket: Duplex, status: number, requestId: string, body: string): void {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

function newRequestId(): string {
  return `req_${randomUUID().replaceAll('-', '')}`
}

function bind(server: TcpServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function portInUse(host: string, port: number): Promise<AppError> {
  const [owner, next] = await Promise.all([findPortOwner(port), nextFreePort(host, port)])
  return new AppError('port-in-use', { port, owner: owner ? `${owner.name} (pid ${owner.pid})` : 'another program', next })
}

/** Of the 50 ports after this one; 0 (any) when none is free. */
async function nextFreePort(host: string, port: number): Promise<number> {
  for (let candidate = port + 1; candidate <= Math.min(port + 50, 65_535); candidate++) {
    if (await isFree(host, candidate)) return candidate
  }
  return 0
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createTcpServer()
  try {
    await bind(server, host, port)
    return true
  } catch {
    return false
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

async function closeServer(server: Server, doors: Doors, drainMs: number): Promise<void> {
  doors.closing = true
  for (const reply of doors.replies) if (!reply.headersSent) reply.setHeader('connection', 'close')
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection that was busy when the server closed turns idle when its reply has ended, and would then linger.
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  const giveUp = new AbortController()
  await Promise.race([closed, delay(drainMs, giveUp.signal).catch(() => {})])
  giveUp.abort()
  clearInterval(sweep)
  server.closeAllConnections()
  await closed
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
