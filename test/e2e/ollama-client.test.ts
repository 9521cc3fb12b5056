/** Ollama's library of models, and Ollama's own client. */
import { createHash } from 'node:crypto'
import { Ollama, type ChatResponse, type GenerateResponse, type ProgressResponse } from 'ollama'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger } from '../../src/base/logger.ts'
import { listen, type Listening } from '../../src/server/listen.ts'
import {
  OllamaEmbeddingsReplySchema,
  OllamaEmbedReplySchema,
  OllamaErrorSchema,
  OllamaProgressLineSchema,
  OllamaProgressSchema,
  OllamaPsSchema,
  OllamaShowReplySchema,
  OllamaTagsSchema,
  OllamaVersionSchema,
} from '../../src/shared/ollama/replies.ts'
import { createScriptedServer, type ScriptedServer } from '../fakes/scripted-server.ts'
import { HELLO, json, linesOf, script, TOOL } from './ollama-harness.ts'

let server: ScriptedServer
let listening: Listening
let client: Ollama

beforeAll(async () => {
  server = createScriptedServer({ script })
  listening = await listen(server.app, { host: '127.0.0.1', port: 0, logger: silentLogger })
  client = new Ollama({ host: listening.address })
})

afterAll(() => listening.close(0))

const post = (path: string, body: unknown): Promise<Response> => server.post(path, body)

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

describe('models', () => {
  test('are listed and shown', async () => {
    const { models } = await json(OllamaTagsSchema, server.get('/api/tags'))
    expect(models[0]).toMatchObject({ name: 'scripted', details: { parameter_size: '1.5B', quantization_level: 'Q4_K_M', format: 'gguf' } })
    const running = await json(OllamaPsSchema, server.get('/api/ps'))
    expect(running.models.map(({ name }) => name)).toEqual(['scripted'])
    const shown = await json(OllamaShowReplySchema, post('/api/show', { name: 'scripted:latest' }))
    expect(shown).toMatchObject({
      capabilities: ['completion', 'tools', 'thinking'],
      model_info: {
        'general.architecture': 'scripted',
        'general.version': '2.5',
        'scripted.block_count': 2,
        'scripted.context_length': 8192,
      },
      license: 'Apache-2.0',
    })
    expect(shown).not.toHaveProperty('tensors')
    expect((await json(OllamaShowReplySchema, post('/api/show', { model: 'scripted', verbose: true }))).tensors).toHaveLength(1)
    await json(OllamaVersionSchema, server.get('/api/version'))
  })

  test('are made of uploaded files', async () => {
    const content = 'GGUF and so on'
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
    const blob = (method: string, name: string, body?: string): Promise<Response> =>
      Promise.resolve(server.app.request(`/api/blobs/${name}`, { method, ...(body === undefined ? {} : { body }) }))
    expect((await blob('HEAD', digest)).status).toBe(404)
    expect((await blob('POST', 'sha256:abc', content)).status).toBe(400)
    expect((await blob('POST', digest, 'something else')).status).toBe(400)
    expect((await blob('POST', digest, content)).status).toBe(201)
    expect((await blob('POST', digest, content)).status).toBe(200)
    expect((await blob('HEAD', digest)).status).toBe(200)
    const lines = await linesOf(OllamaProgressLineSchema, await post('/api/create', { model: 'made:latest', files: { 'a.gguf': digest } }))
    expect(lines.at(-1)).toEqual({ status: 'success' })
    expect(await server.platform.modelNames()).toContain('made')
  })

  test('are pulled, with a line a change', async () => {
    const lines = await linesOf(OllamaProgressLineSchema, await post('/api/pull', { model: 'hf.co/org/name:Q4_K_M' }))
    expect(lines).toEqual([
      { status: 'pulling manifest' },
      { status: 'pulling hf:org/name:Q4_K_M', digest: 'hf:org/name:Q4_K_M', total: 1000, completed: 500 },
      { status: 'writing manifest' },
      { status: 'success' },
    ])
    expect(await json(OllamaProgressSchema, post('/api/pull', { name: 'x', stream: false }))).toEqual({ status: 'success' })
  })

  test('that cannot be pulled end with an error', async () => {
    const failing = createScriptedServer({
      scripted: { pullStates: [{ state: 'failed', error: { code: 'offline', data: { what: 'x' }, message: '' } }] },
    })
    const lines = await linesOf(OllamaProgressLineSchema, await failing.post('/api/pull', { model: 'x' }))
    expect(lines.at(-1)).toHaveProperty('error')
    const response = await failing.post('/api/pull', { model: 'x', stream: false })
    expect(response.status).toBe(503)
    await json(OllamaErrorSchema, response)
  })

  test('HEAD of the root says that a server runs', async () => {
    expect((await server.app.request('/', { method: 'HEAD' })).status).toBe(200)
    expect((await server.app.request('/', { method: 'GET' })).status).toBe(503)
  })
})

describe("Ollama's client", () => {
  test('chats, streamed and not', async () => {
    const reply: ChatResponse = await client.chat({ ...HELLO, think: true })
    expect(reply.message).toMatchObject({ content: 'Hello there you', thinking: 'let me think' })
    const chunks: ChatResponse[] = await collect(await client.chat({ ...HELLO, stream: true, tools: [TOOL] }))
    expect(chunks.flatMap(({ message }) => message.tool_calls ?? []).map((call) => call.function.arguments)).toEqual([
      { city: 'Oslo' },
      { city: '上海' },
    ])
    expect(chunks.at(-1)).toMatchObject({ done: true, done_reason: 'stop' })
  })

  test('generates', async () => {
    const reply: GenerateResponse = await client.generate({ model: 'scripted', prompt: 'Hi', format: 'json' })
    expect(reply.response).toBe('Hello there you')
    const chunks = await collect(await client.generate({ model: 'scripted', prompt: 'Hi', stream: true, context: reply.context }))
    expect(chunks.map(({ response }) => response ?? '').join('')).toBe('Hello there you')
  })

  test('embeds', async () => {
    const { embeddings } = await client.embed({ model: 'scripted', input: ['a', 'b'] })
    expect(embeddings.map((vector) => vector.length)).toEqual([8, 8])
    const { embedding } = await client.embeddings({ model: 'scripted', prompt: 'a' })
    expect(embedding).toHaveLength(8)
    const none = await json(OllamaEmbedReplySchema, post('/api/embed', { model: 'scripted', input: [] }))
    expect(none.embeddings).toEqual([])
    const loaded = await json(OllamaEmbeddingsReplySchema, post('/api/embeddings', { model: 'scripted', keep_alive: '5m' }))
    expect(loaded.embedding).toEqual([])
  })

  test('lists, shows, pulls, copies, creates, deletes', async () => {
    expect((await client.list()).models.map(({ name }) => name)).toContain('scripted')
    expect((await client.ps()).models.map(({ name }) => name)).toContain('scripted')
    expect((await client.show({ model: 'scripted' })).capabilities).toContain('completion')
    expect((await client.version()).version).toMatch(/^\d+\.\d+\.\d+$/)
    const progress: ProgressResponse[] = await collect(await client.pull({ model: 'hf.co/org/x', stream: true }))
    expect(progress.at(-1)?.status).toBe('success')
    await client.copy({ source: 'scripted', destination: 'copied:latest' })
    expect((await client.create({ model: 'again', from: 'copied' })).status).toBe('success')
    for (const model of ['copied', 'again:latest']) await client.delete({ model })
    expect(await server.platform.modelNames()).not.toContain('copied')
    await expect(client.delete({ model: 'copied' })).rejects.toThrow('not found')
  })

  test('has our errors as its own', async () => {
    await expect(client.chat({ ...HELLO, model: 'nobody' })).rejects.toMatchObject({ status_code: 404 })
    const broken = await client.chat({ ...HELLO, messages: [{ role: 'user', content: 'break' }], stream: true })
    await expect(collect(broken)).rejects.toThrow('killed')
    await expect(client.push({ model: 'scripted' })).rejects.toThrow('push')
  })

  test('aborts, and the engine stops', async () => {
    const stream = await client.chat({ ...HELLO, messages: [{ role: 'user', content: 'wait' }], stream: true })
    const reading = collect(stream)
    await expect.poll(() => server.engine.live).toBe(1)
    stream.abort()
    await expect(reading).rejects.toThrow(/abort/i)
    await expect.poll(() => server.engine.live).toBe(0)
  })
})
