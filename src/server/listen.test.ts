import http from 'node:http'
import net from 'node:net'
import { Readable } from 'node:stream'
import { Hono } from 'hono'
import { afterEach, describe, expect, test } from 'vitest'
import { answer } from '../../test/fakes/scripted-engine.ts'
import { createScriptedServer, type ScriptedServer, type ScriptedServerOptions } from '../../test/fakes/scripted-server.ts'
import { deferred, delay } from '../base/async.ts'
import { silentLogger } from '../base/logger.ts'
import type { GenerateEvent } from '../shared/generate.ts'
import { isLoopbackHost, listen, type Listening, type Timeouts } from './listen.ts'

const open: Listening[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close(0)))
})

async function start(options: ScriptedServerOptions = {}, timeouts: Partial<Timeouts> = {}): Promise<ScriptedServer & Listening> {
  const server = createScriptedServer(options)
  const listening = await listen(server.app, { host: '127.0.0.1', port: 0, logger: silentLogger, timeouts })
  open.push(listening)
  return { ...server, ...listening }
}

const CHAT = JSON.stringify({ model: 'scripted', messages: [{ role: 'user', content: 'Hi' }], stream: true })

/** Writes raw bytes and gives what comes back until the server hangs up. */
async function exchange(port: number, text: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1')
  socket.end(text)
  let reply = ''
  for await (const chunk of socket) reply += String(chunk)
  return reply
}

function chatOn(socket: net.Socket): void {
  const headers = [
    'POST /v1/chat/completions HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${CHAT.length}`,
  ]
  socket.write(`${headers.join('\r\n')}\r\n\r\n${CHAT}`)
}

describe('listening', () => {
  test('refuses addresses that other machines can reach', async () => {
    const { app } = createScriptedServer()
    for (const host of ['0.0.0.0', '::', '192.0.2.1']) {
      await expect(listen(app, { host, port: 0, logger: silentLogger })).rejects.toMatchObject({
        code: 'non-loopback-host',
        data: { host },
      })
    }
    expect(await isLoopbackHost('localhost')).toBe(true)
    expect(await isLoopbackHost('127.0.0.1')).toBe(true)
    expect(await isLoopbackHost('::1')).toBe(true)
  })

  test('on a taken port says who has it, and which one is free', async () => {
    const { app, port } = await start()
    const error = await listen(app, { host: '127.0.0.1', port, logger: silentLogger }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'port-in-use', data: { port } })
    if (process.platform === 'linux') expect(error).toMatchObject({ data: { owner: expect.stringContaining(`pid ${process.pid}`) } })
    const { next } = (error as { data: { next: number } }).data
    expect(next).toBeGreaterThan(port)
    const second = await listen(app, { host: '127.0.0.1', port: next, logger: silentLogger })
    open.push(second)
    expect(second.port).toBe(next)
  })

  test('answers what is not HTTP, has no Host or too many headers with an error that can be read', async () => {
    const { port } = await start()
    for (const [request, status] of [
      ['garbage\r\n\r\n', 400],
      ['GET / HTTP/1.0\r\n\r\n', 400],
      [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
      ['GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 404],
      ['GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 404],
    ] as const) {
      const reply = await exchange(port, request)
      if (status !== 404) expect(reply).toContain(`HTTP/1.1 ${status} `)
      expect(reply).not.toContain('root:')
      expect(reply.toLowerCase()).toContain('x-request-id')
    }
  })

  test('refuses what it cannot serve in the form of the surface that was asked', async () => {
    const { port } = await start()
    for (const [request, status, part] of [
      ['GET /v1/messages HTTP/1.1\r\nConnection: close\r\n\r\n', 400, '"type":"error"'],
      ['GET /api/tags HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', 400, '{"error":"Invalid request: its address cannot be read"}'],
      ['GET /v1/models HTTP/1.1\r\nHost: localhost\r\nExpect: more\r\nConnection: close\r\n\r\n', 417, '"code":"invalid_request"'],
    ] as const) {
      const reply = await exchange(port, request)
      expect(reply).toContain(`HTTP/1.1 ${status} `)
      expect(reply).toMatch(/x-request-id: req_/i)
      expect(reply).toContain(part)
    }
  })

  test('takes a body that comes in pieces of unknown length, up to the limit', async () => {
    const { address } = await start({ bodyLimit: 10_000 })
    const post = (body: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const request = http.request(`${address}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' } })
        request.on('response', (response) => {
          response.resume()
          resolve(response.statusCode)
        })
        request.on('error', reject)
        // Two writes before the end make the transfer chunked.
        request.write(body.slice(0, 10))
        request.end(body.slice(10))
      })
    expect(await post(CHAT)).toBe(200)
    expect(await post(CHAT.replace('Hi', 'x'.repeat(20_000)))).toBe(413)
  })
})

describe('a client that vanishes', () => {
  test('ends its generation: while waiting, and in mid-stream', async () => {
    for (const steps of [[], [{ type: 'text-delta', choice: 0, text: 'a' } satisfies GenerateEvent]]) {
      const { engine, port } = await start({ script: () => [...steps, new Promise(() => {})] })
      const socket = net.connect(port, '127.0.0.1')
      chatOn(socket)
      await expect.poll(() => engine.live).toBe(1)
      socket.destroy()
      await expect.poll(() => engine.live).toBe(0)
    }
  })
})

describe('a client that has sent several requests at once', () => {
  test('ends them all when it vanishes, also those whose replies had to wait', async () => {
    const { engine, port } = await start({ script: () => [{ type: 'text-delta', choice: 0, text: 'a' }, new Promise(() => {})] })
    const socket = net.connect(port, '127.0.0.1')
    for (let count = 0; count < 3; count++) chatOn(socket)
    await expect.poll(() => engine.live).toBe(3)
    socket.destroy()
    await expect.poll(() => engine.live).toBe(0)
  })
})

describe('a client that leaves in mid-stream', () => {
  test.each([
    ['/v1/chat/completions', { model: 'scripted', messages: [{ role: 'user', content: 'Hi' }] }],
    ['/v1/completions', { model: 'scripted', prompt: 'Hi' }],
    ['/v1/completions', { model: 'scripted', prompt: ['Hi', 'Ho'] }],
    ['/infill', { input_prefix: 'a', input_suffix: 'b' }],
  ])('stops the work within one step: %s', async (path, body) => {
    // Every step waits for the test, so that what the engine does after the reader has gone can be counted.
    const gates = Array.from({ length: 20 }, () => deferred<void>())
    function* script(): Generator<GenerateEvent | Promise<void>> {
      for (const gate of gates) {
        yield { type: 'text-delta', choice: 0, text: 'word ' }
        yield gate.promise
      }
    }
    const { engine, address } = await start({ script })
    const controller = new AbortController()
    const response = await fetch(address + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, stream: true }),
      signal: controller.signal,
    })
    await response.body?.getReader().read()
    const { emitted, live } = engine
    controller.abort()
    await expect.poll(() => engine.live).toBe(0)
    for (const gate of gates) gate.resolve()
    // Each generation may still tell that it was cancelled.
    expect(engine.emitted - emitted).toBeLessThanOrEqual(live)
  })
})

describe('a client that does not read', () => {
  test('does not hold up the engine, and gets the whole answer when it reads at last', async () => {
    const words = 200_000
    function* script(): Generator<GenerateEvent> {
      for (let index = 0; index < words; index++) yield { type: 'text-delta', choice: 0, text: `word${index} ` }
      yield* answer('')
    }
    const { engine, port } = await start({ script })
    const socket = net.connect(port, '127.0.0.1')
    socket.pause()
    chatOn(socket)
    await expect.poll(() => engine.requests.length).toBe(1)
    // The generation ends although nobody has read anything: the engine never waits for a reader.
    await expect.poll(() => engine.live, { timeout: 20_000 }).toBe(0)
    let bytes = 0
    let tail = ''
    for await (const chunk of socket) {
      bytes += (chunk as Buffer).length
      tail = (tail + String(chunk)).slice(-200)
      if (tail.includes('data: [DONE]')) break
    }
    // A frame for every word would be 250 bytes each; what waited was merged into a few long frames.
    expect(bytes).toBeGreaterThan(words * 9)
    expect(bytes).toBeLessThan(words * 100)
  })
})

describe('a client that wastes time', () => {
  test('is cut off when it never takes its reply, which ends the generation', async () => {
    const flood = Array.from({ length: 100 }, (): GenerateEvent => ({ type: 'text-delta', choice: 0, text: 'x'.repeat(100_000) }))
    const { engine, port } = await start({ script: () => [...flood, new Promise(() => {})] }, { stalled: 50 })
    const socket = net.connect(port, '127.0.0.1')
    socket.pause()
    chatOn(socket)
    await expect.poll(() => engine.requests.length).toBe(1)
    await expect.poll(() => engine.live, { timeout: 10_000 }).toBe(0)
    socket.destroy()
  })

  test('is not cut off while the engine is what is slow', async () => {
    const gate = deferred<void>()
    const { engine, address } = await start({ script: () => [gate.promise, ...answer('late')] }, { stalled: 5 })
    const body = CHAT.replace('true', 'false')
    const reply = fetch(`${address}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    await expect.poll(() => engine.live).toBe(1)
    const startedAt = performance.now()
    await expect.poll(() => performance.now() - startedAt).toBeGreaterThan(30)
    gate.resolve()
    expect(await (await reply).text()).toContain('late')
  })

  test('is cut off when its headers or its body come drop by drop', async () => {
    const { port, engine } = await start({}, { headers: 40, body: { windowMs: 40, bytes: 1000 }, checkInterval: 10 })
    const slow = async (text: string): Promise<string> => {
      const socket = net.connect(port, '127.0.0.1')
      socket.write(text)
      let reply = ''
      for await (const chunk of socket) reply += String(chunk)
      return reply
    }
    expect(await slow('POST /v1/chat/completions HTTP/1.1\r\nHost: loc')).toContain('HTTP/1.1 408 ')
    const head = 'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{'
    const reply = await slow(head)
    expect(reply).toContain('HTTP/1.1 408 ')
    expect(JSON.parse(reply.slice(reply.indexOf('\r\n\r\n')))).toMatchObject({
      error: { message: expect.stringContaining('too slowly') as string },
    })
    expect(
      await slow(head.replace('Content-Length: 99', 'Accept-Language: zh\r\nTransfer-Encoding: chunked').replace('{', '1\r\n{')),
    ).toContain('传输过慢')
    expect(engine.requests).toEqual([])
  })

  test('drop by drop is cut off however long it goes on, and others are answered meanwhile', async () => {
    const { port, address } = await start({}, { body: { windowMs: 60, bytes: 1000 } })
    const sockets = Array.from({ length: 20 }, () => net.connect(port, '127.0.0.1'))
    const ends = sockets.map(async (socket) => {
      socket.write(
        'POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 9999\r\n\r\n',
      )
      const drops = setInterval(() => socket.write('-'), 5)
      socket.on('error', () => {})
      let reply = ''
      try {
        for await (const chunk of socket) reply += String(chunk)
      } catch {
        // The connection was reset while a drop was under way.
      }
      clearInterval(drops)
      return reply
    })
    expect((await fetch(`${address}/health`)).status).toBe(200)
    for (const reply of await Promise.all(ends)) expect(reply === '' || reply.includes(' 408 ')).toBe(true)
  })

  test('is not cut off while its upload goes on, however long that takes', async () => {
    const { address, platform } = await start({}, { body: { windowMs: 400, bytes: 1 } })
    const lines = 20
    const begin = performance.now()
    async function* body(): AsyncGenerator<Buffer> {
      yield Buffer.from(
        '--x\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--x\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n',
      )
      for (let line = 0; line < lines; line++) {
        await delay(60)
        yield Buffer.alloc(2000, 'a')
      }
      yield Buffer.from('\r\n--x--\r\n')
    }
    const response = await fetch(`${address}/v1/files`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: Readable.toWeb(Readable.from(body())) as ReadableStream,
      duplex: 'half',
    } as RequestInit)
    expect(performance.now() - begin).toBeGreaterThan(2 * 400)
    expect({ status: response.status, body: await response.json() }).toMatchObject({ status: 200, body: { bytes: lines * 2000 } })
    await platform.records.close()
  })

  test('is not blamed while the server is what does not read', async () => {
    const gate = deferred<void>()
    const app = new Hono().post('/slow', async (c) => {
      await gate.promise
      return c.text(String((await c.req.arrayBuffer()).byteLength))
    })
    const listening = await listen(app, {
      host: '127.0.0.1',
      port: 0,
      logger: silentLogger,
      timeouts: { body: { windowMs: 20, bytes: 1000 } },
    })
    open.push(listening)
    const reply = fetch(`${listening.address}/slow`, { method: 'POST', body: Buffer.alloc(3_000_000) })
    await delay(120)
    gate.resolve()
    expect(await (await reply).text()).toBe('3000000')
  })
})

describe('closing', () => {
  test('lets a reply end, then refuses connections', async () => {
    const gate = deferred<void>()
    const { address, close, engine } = await start({
      script: () => [{ type: 'text-delta', choice: 0, text: 'a' }, gate.promise, ...answer('b')],
    })
    const response = await fetch(`${address}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: CHAT,
    })
    expect(engine.live).toBe(1)
    const closed = close(10_000)
    await expect(fetch(`${address}/health`)).rejects.toThrow('fetch failed')
    gate.resolve()
    expect(await response.text()).toContain('[DONE]')
    await closed
  })

  test('turns away, in the caller’s dialect, who asks on a connection that is open already', async () => {
    const gate = deferred<void>()
    const { port, close, engine } = await start({ script: () => [gate.promise, ...answer('b')] })
    const socket = net.connect(port, '127.0.0.1')
    chatOn(socket)
    await expect.poll(() => engine.live).toBe(1)
    const busy = net.connect(port, '127.0.0.1')
    // Half of a request: its connection is not idle, so the closing leaves it open.
    busy.write('GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: mine\r\n')
    await expect.poll(() => busy.bytesWritten > 0 && !busy.connecting).toBe(true)
    await (await fetch(`http://127.0.0.1:${port}/health`)).text()
    const closed = close(10_000)
    busy.write('\r\n')
    let reply = ''
    for await (const chunk of busy) reply += String(chunk)
    expect(reply).toMatch(/^HTTP\/1\.1 503 /)
    expect(reply.toLowerCase()).toContain('connection: close')
    expect(reply.toLowerCase()).toContain('retry-after: 5')
    expect(reply).toContain('x-request-id: mine')
    expect(JSON.parse(reply.slice(reply.indexOf('\r\n\r\n') + 4).replace(/^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, ''))).toMatchObject({
      error: { code: 'shutting_down', type: 'server_error' },
    })
    gate.resolve()
    let rest = ''
    for await (const chunk of socket) rest += String(chunk)
    expect(rest).toContain('[DONE]')
    await closed
  })

  test('cuts what has not ended in time, and can be called twice', async () => {
    const { address, close, engine } = await start({ script: () => [{ type: 'text-delta', choice: 0, text: 'a' }, new Promise(() => {})] })
    const response = await fetch(`${address}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: CHAT,
    })
    await Promise.all([close(10), close(10)])
    await expect(response.text()).rejects.toThrow('terminated')
    await expect.poll(() => engine.live).toBe(0)
  })

  test('does not wait for connections that are idle', async () => {
    const { address, close } = await start()
    await (await fetch(`${address}/health`)).text()
    // Longer than a test may take.
    await expect(close(3_600_000)).resolves.toBeUndefined()
  })
})
