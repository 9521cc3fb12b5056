/** A client that leaves, seen through a reverse proxy: the engine stops within one step, in every dialect. */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger } from '../../src/base/logger.ts'
import { listen, type Listening } from '../../src/server/listen.ts'
import type { Step } from '../fakes/scripted-engine.ts'
import { createScriptedServer, type ScriptedServer } from '../fakes/scripted-server.ts'

/** Like nginx by default: passes both ways, and hangs up on the server when its client has. Kept connections, as nginx keeps them. */
function createProxy(target: string): http.Server {
  const agent = new http.Agent({ keepAlive: true })
  const server = http.createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming
    const { host: _, ...passed } = headers
    const forwarded = http.request(
      new URL(url ?? '/', target),
      { method, headers: { ...passed, 'x-forwarded-for': '203.0.113.7' }, agent },
      (reply) => {
        outgoing.writeHead(reply.statusCode ?? 502, reply.headers)
        reply.pipe(outgoing)
      },
    )
    forwarded.on('error', () => outgoing.destroy())
    outgoing.on('close', () => forwarded.destroy())
    incoming.pipe(forwarded)
  })
  server.on('close', () => agent.destroy())
  return server
}

const CHAT = { model: 'scripted', messages: [{ role: 'user', content: 'Hi' }] }
const SURFACES: [string, string, object][] = [
  ['chat completions', '/v1/chat/completions', CHAT],
  ['completions', '/v1/completions', { model: 'scripted', prompt: 'Hi', max_tokens: 4000 }],
  ['responses', '/v1/responses', { model: 'scripted', input: 'Hi' }],
  ['messages', '/v1/messages', { ...CHAT, max_tokens: 4000 }],
  ['Ollama chat', '/api/chat', CHAT],
  ['Ollama generate', '/api/generate', { model: 'scripted', prompt: 'Hi' }],
  ['infill', '/infill', { model: 'scripted', input_prefix: 'a', input_suffix: 'b' }],
]

let server: ScriptedServer
let listening: Listening
let proxy: http.Server
let address: string
let releases: (() => void)[] = []

/** A word a step, for ever; every step waits until the test lets it go. */
function* endless(): Generator<Step> {
  for (;;) {
    yield { type: 'text-delta', choice: 0, text: 'word ' }
    yield new Promise<void>((resolve) => releases.push(resolve))
  }
}

function letStep(): void {
  const waiting = releases
  releases = []
  for (const release of waiting) release()
}

beforeAll(async () => {
  server = createScriptedServer({ script: endless, timing: { hold: 50, keepAlive: 10_000 } })
  listening = await listen(server.app, { host: '127.0.0.1', port: 0, logger: silentLogger })
  proxy = createProxy(listening.address)
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
})

afterAll(async () => {
  proxy.closeAllConnections()
  await new Promise((resolve) => proxy.close(resolve))
  await listening.close(0)
})

describe.each(SURFACES)('%s', (_, path, body) => {
  const ask = (stream: boolean, signal: AbortSignal): Promise<Response> =>
    fetch(address + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, stream }),
      signal,
    })

  test('a stream whose reader leaves ends in the engine within a step', async () => {
    const leaving = new AbortController()
    const response = await ask(true, leaving.signal)
    const reader = response.body?.getReader()
    await reader?.read()
    expect(server.engine.live).toBe(1)
    letStep()
    await reader?.read()
    leaving.abort()
    // Not a step is let go from here on.
    await expect.poll(() => server.engine.live).toBe(0)
  })

  test('an answer that is not streamed, too', async () => {
    const leaving = new AbortController()
    const asked = ask(false, leaving.signal).catch((error: unknown) => error)
    await expect.poll(() => server.engine.live).toBe(1)
    letStep()
    leaving.abort()
    await expect.poll(() => server.engine.live).toBe(0)
    expect(await asked).toMatchObject({ name: 'AbortError' })
  })
})

test('the proxy and the server serve the next request afterwards', async () => {
  expect((await fetch(`${address}/health`)).status).toBe(200)
})
