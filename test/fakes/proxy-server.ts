/** Proxies on loopback whose every tunnel leads to one place, whatever is asked for: SOCKS5 (RFC 1928, 1929) and HTTP CONNECT (RFC 9110, 9.3.6). */
import http from 'node:http'
import net from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

export interface ProxyServer {
  /** `host:port`. */
  host: string
  /** What was asked for, `host:port`, and with which login (`name:password`, or empty). */
  tunnels: { target: string; login: string }[]
  close(): Promise<void>
}

export interface ProxyOptions {
  /** Port on loopback that all tunnels lead to. */
  port: number
  /** `name:password`; absent: nobody is asked. */
  login?: string
}

export async function startConnectProxy({ port, login }: ProxyOptions): Promise<ProxyServer> {
  const tunnels: ProxyServer['tunnels'] = []
  const server = http.createServer()
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  server.on('connect', (request, client: Socket) => {
    client.on('error', () => {})
    const given = Buffer.from((request.headers['proxy-authorization'] ?? '').replace(/^Basic /, ''), 'base64').toString()
    if (login !== undefined && given !== login) return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    tunnels.push({ target: request.url ?? '', login: given })
    join(client, port, sockets, () => client.write('HTTP/1.1 200 Connection Established\r\n\r\n'))
  })
  return listening(server, tunnels, sockets)
}

export async function startSocksProxy({ port, login }: ProxyOptions): Promise<ProxyServer> {
  const tunnels: ProxyServer['tunnels'] = []
  const sockets = new Set<Socket>()
  const server = net.createServer((client) => {
    sockets.add(client)
    client.on('error', () => {})
    void converse(client, { port, login, tunnels, sockets }).catch(() => client.destroy())
  })
  return listening(server, tunnels, sockets)
}

interface Conversation {
  port: number
  login: string | undefined
  tunnels: ProxyServer['tunnels']
  sockets: Set<Socket>
}

async function converse(client: Socket, { port, login, tunnels, sockets }: Conversation): Promise<void> {
  const [version, count = 0] = await take(client, 2)
  const methods = await take(client, count)
  const method = login === undefined ? 0 : 2
  if (version !== 5 || !methods.includes(method)) return void client.end(Buffer.from([5, 0xff]))
  client.write(Buffer.from([5, method]))
  const given = login === undefined ? '' : await readLogin(client)
  if (login !== undefined) client.write(Buffer.from([1, given === login ? 0 : 1]))
  if (given !== (login ?? '')) return void client.end()
  const [, , , type = 0] = await take(client, 4)
  const length = type === 3 ? ((await take(client, 1))[0] ?? 0) : type === 1 ? 4 : 16
  const address = await take(client, length)
  const name = type === 3 ? address.toString() : type === 1 ? [...address].join('.') : address.toString('hex')
  tunnels.push({ target: `${name}:${(await take(client, 2)).readUInt16BE()}`, login: given })
  join(client, port, sockets, () => client.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0])))
}

async function readLogin(client: Socket): Promise<string> {
  const [, nameLength = 0] = await take(client, 2)
  const name = await take(client, nameLength)
  const [passwordLength = 0] = await take(client, 1)
  return `${name.toString()}:${(await take(client, passwordLength)).toString()}`
}

/** The next bytes, not one more. */
async function take(client: Socket, bytes: number): Promise<Buffer> {
  for (;;) {
    const piece = bytes === 0 ? Buffer.alloc(0) : (client.read(bytes) as Buffer | null)
    if (piece) return piece
    if (client.readableEnded || client.destroyed) throw new Error('the client has gone')
    await new Promise<void>((resolve) => {
      client.once('readable', resolve)
      client.once('close', resolve)
    })
  }
}

function join(client: Socket, port: number, sockets: Set<Socket>, ready: () => void): void {
  const upstream = net.connect(port, '127.0.0.1', () => {
    ready()
    upstream.pipe(client).pipe(upstream)
  })
  sockets.add(upstream)
  upstream.on('error', () => client.destroy())
}

async function listening(server: net.Server, tunnels: ProxyServer['tunnels'], sockets: Set<Socket>): Promise<ProxyServer> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    tunnels,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
