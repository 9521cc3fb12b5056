import http from 'node:http'
import net from 'node:net'
import type { AddressInfo } from 'node:net'

import { afterEach, expect, test } from 'vitest'

import { createHttp } from './http.ts'
import type { Http, HttpOptions } from './http.ts'

const closers: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function serve(handler: http.RequestListener): Promise<string> {
  const server = http.createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A proxy whose every tunnel leads to `target`. */
async function serveProxy(target: string, tunnels: string[]): Promise<string> {
  const server = http.createServer()
  server.on('connect', (request, socket) => {
    tunnels.push(request.url ?? '')
    const upstream = net.connect(Number(new URL(target).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    for (const end of [socket, upstream]) end.on('error', () => {})
    closers.push(() => void upstream.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function client(options: HttpOptions = {}): Http {
  const created = createHttp(options)
  closers.push(() => created.close())
  return created
}

test('a body is read as text or in pieces', async () => {
  const origin = await serve((_, response) => response.end('hello'))
  const answer = await client().request(origin)
  expect(answer.status).toBe(200)
  expect(await answer.text()).toBe('hello')
  const pieces: Uint8Array[] = []
  for await (const piece of (await client().request(origin)).body) pieces.push(piece)
  expect(Buffer.concat(pieces).toString()).toBe('hello')
})

test('redirects are followed and remembered, and a token stays with its own host', async () => {
  const seen: (string | undefined)[] = []
  const other = await serve((request, response) => {
    seen.push(request.headers.authorization)
    response.end('file')
  })
  const first = await serve((request, response) => {
    seen.push(request.headers.authorization)
    if (request.url === '/start') response.writeHead(302, { location: '/here', 'x-linked-etag': '"abc"' }).end()
    else response.writeHead(307, { location: `${other}/there` }).end()
  })
  const answer = await client().request(`${first}/start`, { headers: { Authorization: 'Bearer secret' } })
  expect(await answer.text()).toBe('file')
  expect(answer.url).toBe(`${other}/there`)
  expect(answer.redirects.map((hop) => hop.status)).toEqual([302, 307])
  expect(answer.redirects[0]?.headers.get('x-linked-etag')).toBe('"abc"')
  expect(seen).toEqual(['Bearer secret', 'Bearer secret', undefined])
})

test('a redirect loop ends with an error', async () => {
  const origin = await serve((_, response) => response.writeHead(302, { location: '/' }).end())
  await expect(client().request(origin)).rejects.toMatchObject({ reason: 'redirects' })
})

test('credentials in an address become a header', async () => {
  const origin = await serve((request, response) => response.end(request.headers.authorization))
  const answer = await client().request(origin.replace('http://', 'http://user:p%40ss@'))
  expect(await answer.text()).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`)
})

test('a proxy is used, except for hosts in NO_PROXY and for loopback', async () => {
  const direct = await serve((_, response) => response.end('direct'))
  const tunnels: string[] = []
  const proxy = await serveProxy(direct, tunnels)
  const viaAll = client({ proxies: { all: proxy, no: 'internal.test' } })
  expect(await (await viaAll.request('http://hub.test/')).text()).toBe('direct')
  expect(tunnels).toEqual(['hub.test:80'])
  expect(await (await viaAll.request(direct)).text()).toBe('direct')
  await expect(viaAll.request('http://internal.test/')).rejects.toMatchObject({ reason: 'network' })
  expect(tunnels).toEqual(['hub.test:80'])
})

test('a host that refuses is told with its name and the reason', async () => {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  await expect(client().request(`http://127.0.0.1:${port}/`)).rejects.toThrow(/127\.0\.0\.1:\d+: .*ECONNREFUSED/)
})

test('aborting rejects with the reason', async () => {
  const origin = await serve(() => {})
  const controller = new AbortController()
  const pending = client().request(origin, { signal: controller.signal })
  controller.abort(new Error('stopped'))
  await expect(pending).rejects.toThrow('stopped')
})

test('a text that is longer than its limit is refused', async () => {
  const origin = await serve((_, response) => response.end('x'.repeat(2000)))
  const answer = await client().request(origin)
  await expect(answer.text(1000)).rejects.toMatchObject({ reason: 'too-large' })
})

test('something that is not an address is refused', async () => {
  await expect(client().request('not an address')).rejects.toMatchObject({ reason: 'bad-url' })
})
