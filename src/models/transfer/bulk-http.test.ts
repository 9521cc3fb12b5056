import http from 'node:http'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { createHttp } from '../../base/http.ts'
import type { Http } from '../../base/http.ts'
import { createBulkHttp } from './bulk-http.ts'
import { parseHead } from './response-head.ts'

const content = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7) % 251))

let server: Server
let sockets: Socket[] = []
let answerNext: RequestListener | undefined
let http1: Http
let bulk: Http
let url = ''
beforeEach(async () => {
  sockets = []
  answerNext = undefined
  server = http.createServer((request, response) => {
    if (answerNext) return void answerNext(request, response)
    const [, start = '0', end = '0'] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? []
    const body = content.subarray(Number(start), Number(end) + 1)
    response.writeHead(206, { 'content-length': body.length, 'x-agent': request.headers['user-agent'] ?? '' }).end(body)
  })
  server.on('connection', (socket: Socket) => sockets.push(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`
  http1 = createHttp()
  bulk = createBulkHttp(http1)
})
afterEach(async () => {
  await bulk.close()
  await http1.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

async function get(start: number, end: number, signal?: AbortSignal): Promise<Buffer> {
  const response = await bulk.request(url, { headers: { range: `bytes=${start}-${end - 1}` }, ...(signal ? { signal } : {}) })
  const chunks: Buffer[] = []
  for await (const chunk of response.body) chunks.push(Buffer.from(chunk))
  await response.discard()
  return Buffer.concat(chunks)
}

test('all pieces of an address are right, and from the second on they share one connection', async () => {
  for (const start of [0, 100_000, 300_000, 600_000]) {
    expect((await get(start, start + 400_000)).equals(content.subarray(start, start + 400_000))).toBe(true)
  }
  expect(sockets.length).toBe(2)
})

test('a connection that the server has closed is replaced', async () => {
  await get(0, 10)
  await get(0, 10)
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => setImmediate(resolve))
  expect((await get(5, 10)).equals(content.subarray(5, 10))).toBe(true)
})

test.each([
  ['chunks', (): RequestListener => (_, response) => void response.writeHead(206).end('hello')],
  [
    'another address',
    (): RequestListener => (request, response) =>
      request.url === '/file'
        ? void response.writeHead(302, { location: '/other', 'content-length': 0 }).end()
        : void response.writeHead(206, { 'content-length': 5 }).end('hello'),
  ],
])('an answer with %s is left to the full client', async (_, listener) => {
  await get(0, 10)
  answerNext = listener()
  expect((await get(0, 10)).toString()).toBe('hello')
})

test('a body that ends early throws', async () => {
  await get(0, 10)
  answerNext = (_, response) => {
    response.writeHead(206, { 'content-length': 10_000 })
    response.write(content.subarray(0, 5000), () => response.socket?.destroySoon())
  }
  await expect(get(0, 10_000)).rejects.toThrow('closed the connection')
})

test('an abort in the middle of a body ends it with its reason', async () => {
  await get(0, 10)
  answerNext = (_, response) => void response.writeHead(206, { 'content-length': 10_000 }).write(content.subarray(0, 5000))
  const controller = new AbortController()
  const response = await bulk.request(url, { signal: controller.signal })
  const read = async (): Promise<void> => {
    for await (const chunk of response.body) if (chunk.length > 0) controller.abort(new Error('enough'))
  }
  await expect(read()).rejects.toThrow('enough')
})

test('a head is understood however the network has cut it, and garbage never is', () => {
  const head = Buffer.from(
    'HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 206 Partial Content\r\nContent-Length: 12\r\nConnection: close\r\n\r\nbody',
  )
  for (let cut = 0; cut < head.length - 4; cut += 1) expect(parseHead(head.subarray(0, cut))).toBe('incomplete')
  expect(parseHead(head)).toMatchObject({ status: 206, staysOpen: false, rest: Buffer.from('body') })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      expect(['incomplete', 'invalid']).toContain(parseHead(Buffer.concat([bytes, Buffer.from('x\r\n\r\n')])))
    }),
  )
})
