import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createScriptedServer } from '../../test/fakes/scripted-server.ts'

const CHAT = { model: 'scripted', messages: [{ role: 'user', content: 'Hi' }] }

async function send(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}, path = '/v1/chat/completions') {
  const { app, log } = createScriptedServer({ bodyLimit: 1_000_000 })
  const response = await app.request(path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })
  return { status: response.status, text: await response.text(), log }
}

describe('a body that is nested without end', () => {
  const nested = '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000)
  const call = { type: 'tool_use', id: 'a', name: 'f', input: 'HERE' }

  test.each([
    ['/v1/messages', { ...CHAT, max_tokens: 1, messages: [...CHAT.messages, { role: 'assistant', content: [call] }] }],
    ['/api/chat', { ...CHAT, messages: [{ role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: 'HERE' } }] }] }],
    ['/v1/chat/completions', { ...CHAT, unknown: 'HERE' }],
  ])('is refused, not a fault of ours: %s', async (path, body) => {
    const { status, text } = await send(JSON.stringify(body).replace('"HERE"', nested), {}, path)
    expect(status).toBe(400)
    expect(text).toContain('nested more than 1000 deep')
  })

  test('is told from brackets that stand in a text', async () => {
    const { status } = await send(JSON.stringify({ ...CHAT, messages: [{ role: 'user', content: '[{\\"'.repeat(5000) }] }))
    expect(status).toBe(200)
  })
})

describe('a body that was compressed', () => {
  const json = JSON.stringify(CHAT)

  test.each([
    ['gzip', gzipSync(json)],
    ['deflate', deflateSync(json)],
    ['BR', brotliCompressSync(json)],
    ['identity', Buffer.from(json)],
  ])('is read: %s', async (encoding, body) => {
    expect((await send(new Uint8Array(body), { 'content-encoding': encoding })).status).toBe(200)
  })

  test('counts with the size that it grows to', async () => {
    const bomb = gzipSync(JSON.stringify({ ...CHAT, user: 'x'.repeat(2_000_000) }))
    expect(bomb.length).toBeLessThan(10_000)
    expect((await send(new Uint8Array(bomb), { 'content-encoding': 'gzip' })).status).toBe(413)
  })

  test('is refused by name when it is not what it says, or nothing that we know', async () => {
    const broken = await send(json, { 'content-encoding': 'gzip' })
    expect(broken.status).toBe(400)
    expect(broken.text).toContain('the body is not gzip')
    const unknown = await send(json, { 'content-encoding': 'zstd' })
    expect(unknown.status).toBe(415)
    expect(unknown.text).toContain('zstd')
  })
})

test('a client that leaves while it sends its body is no fault of ours', async () => {
  const { app, log } = createScriptedServer()
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(Buffer.from('{"model"')),
    pull: (controller) => controller.error(new Error('aborted')),
  })
  const init = { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/json' } } as RequestInit
  expect((await app.request('/v1/chat/completions', init)).status).toBe(499)
  expect(log.filter(({ level }) => level === 'error')).toEqual([])
})
