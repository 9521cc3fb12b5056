/** A socket whose bytes are asked for one buffer at a time. */
import net from 'node:net'
import tls from 'node:tls'

import { describeNetworkError, HttpFailure } from '../../base/http.ts'
import type { HttpOptions } from '../../base/http.ts'

export interface BulkConnection {
  send(text: string): void
  /** The next bytes, good until the next call; undefined when the other side has ended. Throws when the connection broke. */
  read(): Promise<Buffer | undefined>
  /** Nobody has ended it, and nothing came that was not asked for. */
  readonly isOpen: boolean
  destroy(reason?: unknown): void
  onClosed(listener: () => void): void
}

const BUFFER_BYTES = 256 * 1024
const CONNECT_MS = 10_000
const SILENCE_MS = 60_000

/** Throws HttpFailure when there is no connection, and the signal's reason. */
export async function connectBulk(url: URL, options: HttpOptions, signal?: AbortSignal): Promise<BulkConnection> {
  const isSecure = url.protocol === 'https:'
  const reader = new SocketReader(isSecure)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const onread = { buffer: reader.buffer, callback: (bytes: number) => reader.take(bytes) }
  const place = { host, port: Number(url.port || (isSecure ? 443 : 80)), onread }
  const socket = isSecure ? tls.connect({ ...place, ...identityOf(host, options) }) : net.connect(place)
  const stop = AbortSignal.any([AbortSignal.timeout(options.connectTimeoutMs ?? CONNECT_MS), ...(signal ? [signal] : [])])
  const onStop = (): void => void socket.destroy(stop.reason instanceof Error ? stop.reason : new Error('stopped'))
  stop.addEventListener('abort', onStop, { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(isSecure ? 'secureConnect' : 'connect', resolve).once('error', reject)
    })
  } catch (error) {
    signal?.throwIfAborted()
    throw new HttpFailure('network', `${url.host}: ${describeNetworkError(error)}`, { cause: error })
  } finally {
    stop.removeEventListener('abort', onStop)
  }
  socket.setNoDelay(true)
  reader.attach(socket, options.bodyTimeoutMs ?? SILENCE_MS)
  return reader
}

function identityOf(host: string, { extraCertificates }: HttpOptions): tls.ConnectionOptions {
  return {
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ['http/1.1'],
    ...(extraCertificates?.length ? { ca: [...tls.rootCertificates, ...extraCertificates] } : {}),
  }
}

class SocketReader implements BulkConnection {
  readonly buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  readonly #copies: boolean
  #socket: net.Socket | undefined
  #chunks: Buffer[] = []
  #error: unknown
  #isClosed = false
  #wake: (() => void) | undefined

  /** A TLS socket goes on with the next record into the same buffer, whatever it is told: its chunks are copied. */
  constructor(copies: boolean) {
    this.#copies = copies
  }

  attach(socket: net.Socket, silenceMs: number): void {
    this.#socket = socket
    socket.setTimeout(silenceMs, () => {
      if (this.#wake) this.destroy(new Error(`nothing came for ${Math.round(silenceMs / 1000)} s`))
    })
    socket.on('error', (error) => (this.#error ??= error))
    socket.on('close', () => {
      this.#isClosed = true
      this.#wakeUp()
    })
    // A server that ended before we listened.
    this.#isClosed = socket.destroyed
  }

  /** From the socket. False: no more until it is asked. */
  take(bytes: number): boolean {
    const chunk = this.buffer.subarray(0, bytes)
    this.#chunks.push(this.#copies ? Buffer.from(chunk) : chunk)
    this.#wakeUp()
    return false
  }

  send(text: string): void {
    this.#socket?.write(text, 'latin1')
  }

  async read(): Promise<Buffer | undefined> {
    while (this.#chunks.length === 0 && !this.#isClosed) {
      this.#socket?.resume()
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    const chunk = this.#chunks.shift()
    if (chunk === undefined && this.#error !== undefined) throw this.#error
    return chunk
  }

  get isOpen(): boolean {
    return !this.#isClosed && this.#chunks.length === 0 && this.#socket?.destroyed === false
  }

  destroy(reason?: unknown): void {
    this.#error ??= reason
    this.#socket?.destroy()
  }

  onClosed(listener: () => void): void {
    this.#socket?.once('close', listener)
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
