/** The official OpenAI client's Responses, against a listening server with a scripted engine. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import OpenAI, { NotFoundError } from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { silentLogger } from '../../src/base/logger.ts'
import { listen, type Listening } from '../../src/server/listen.ts'
import type { ResponseEvent } from '../../src/shared/response-events.ts'
import type { ConversationItem, Response as ModelResponse } from '../../src/shared/responses.ts'
import type { Batch, WireFile } from '../../src/shared/files-batches.ts'
import { answer, finish, type Script } from '../fakes/scripted-engine.ts'
import { createScriptedServer, type ScriptedServer } from '../fakes/scripted-server.ts'

let home: string
const open: { listening: Listening; server: ScriptedServer }[] = []

beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'bendi-e2e-responses-'))
})

afterEach(async () => {
  for (const { listening, server } of open.splice(0)) {
    await listening.close(0)
    await server.platform.close()
  }
  await rm(home, { recursive: true, force: true })
})

async function start(script?: Script): Promise<ScriptedServer & { client: OpenAI }> {
  const server = createScriptedServer({ ...(script ? { script } : {}), scripted: { records: { home } } })
  const listening = await listen(server.app, { host: '127.0.0.1', port: 0, logger: silentLogger })
  open.push({ listening, server })
  return { ...server, client: new OpenAI({ baseURL: `${listening.address}/v1`, apiKey: 'none', maxRetries: 0 }) }
}

async function collected<T>(items: AsyncIterable<T> | Promise<AsyncIterable<T>>): Promise<T[]> {
  const all: T[] = []
  for await (const item of await items) all.push(item)
  return all
}

const HI = { model: 'scripted', input: 'Hi' }

describe('our schemas', () => {
  test('are held against the client’s types', () => {
    type Items = OpenAI.Responses.ResponseItemList['data'][number]
    expectTypeOf<ModelResponse['output'][number]>().toExtend<OpenAI.Responses.ResponseOutputItem>()
    expectTypeOf<Omit<ModelResponse, 'output'>>().toExtend<Omit<OpenAI.Responses.Response, 'output' | 'output_text'>>()
    expectTypeOf<ConversationItem>().toExtend<Items>()
    expectTypeOf<Exclude<ResponseEvent, { response: unknown }>>().toExtend<OpenAI.Responses.ResponseStreamEvent>()
    expectTypeOf<WireFile>().toExtend<Omit<OpenAI.FileObject, 'purpose'>>()
    expectTypeOf<Batch>().toExtend<OpenAI.Batch>()
  })
})

describe('responses', () => {
  test('answer, and go on from the one before', async () => {
    const { client, engine } = await start(() => answer('Hello there'))
    const first = await client.responses.create(HI)
    expect(first.output_text).toBe('Hello there')
    const second = await client.responses.create({ model: 'scripted', input: 'More', previous_response_id: first.id })
    expect(second.previous_response_id).toBe(first.id)
    const { prompt } = engine.requests[1] ?? {}
    expect(prompt?.type === 'messages' && prompt.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
    const items = await collected(client.responses.inputItems.list(second.id, { order: 'asc', limit: 2 }))
    expect(items.map((item) => item.type)).toEqual(['message', 'message', 'message'])
  })

  test('are retrieved, deleted, and then not found', async () => {
    const { client } = await start()
    const { id } = await client.responses.create(HI)
    expect((await client.responses.retrieve(id)).output_text).toBe('Hello from the script.')
    await client.responses.delete(id)
    await expect(client.responses.retrieve(id)).rejects.toBeInstanceOf(NotFoundError)
    await expect(client.responses.create({ ...HI, previous_response_id: id })).rejects.toMatchObject({
      status: 404,
      code: 'previous_response_not_found',
      param: 'previous_response_id',
    })
  })

  test('stream through the helper, which builds the same response', async () => {
    const { client } = await start(() => answer('one two three', { reasoning: 'hm hm' }))
    const stream = client.responses.stream(HI)
    const deltas: string[] = []
    const thoughts: string[] = []
    stream.on('response.output_text.delta', ({ delta }) => deltas.push(delta))
    stream.on('response.reasoning_text.delta', ({ delta }) => thoughts.push(delta))
    const last = await stream.finalResponse()
    expect(deltas.join('')).toBe('one two three')
    expect(thoughts.join('')).toBe('hm hm')
    expect(last.output_text).toBe('one two three')
    expect(last.output.map(({ type }) => type)).toEqual(['reasoning', 'message'])
    expect(await client.responses.retrieve(last.id)).toMatchObject({
      output: [{ type: 'reasoning' }, { content: [{ text: 'one two three' }] }],
    })
  })

  test('parse what has a schema', async () => {
    const { client, engine } = await start(() => answer('{"name":"Ada"}'))
    const schema = z.object({ name: z.string() })
    const parsed = await client.responses.parse({ ...HI, text: { format: zodTextFormat(schema, 'person') } })
    expect(parsed.output_parsed).toEqual({ name: 'Ada' })
    expect(engine.requests[0]?.output).toMatchObject({ type: 'json-schema', name: 'person' })
  })

  test('call functions, and take their outputs', async () => {
    const { client, engine } = await start(() => [
      { type: 'tool-call-delta', choice: 0, call: 0, id: 'call_7', name: 'add', arguments: '{"a":' },
      { type: 'tool-call-delta', choice: 0, call: 0, arguments: '1}' },
      { type: 'choice-end', choice: 0, reason: 'tool-calls' },
      finish(),
    ])
    const tools = [{ type: 'function' as const, name: 'add', parameters: { type: 'object', properties: {} }, strict: false }]
    const stream = await client.responses.create({ ...HI, tools, stream: true })
    let text = ''
    let id = ''
    for await (const event of stream) {
      if (event.type === 'response.function_call_arguments.delta') text += event.delta
      if (event.type === 'response.completed') id = event.response.id
    }
    expect(text).toBe('{"a":1}')
    engine.setScript(() => answer('2'))
    const input = [{ type: 'function_call_output' as const, call_id: 'call_7', output: '2' }]
    expect((await client.responses.create({ model: 'scripted', previous_response_id: id, input, tools })).output_text).toBe('2')
  })

  test('run in the background, are cancelled, and streamed again from any event on', async () => {
    const { client, engine } = await start(() => answer('one two'))
    const stream = await client.responses.create({ ...HI, background: true, stream: true })
    const events = await collected(stream)
    const [opening] = events
    if (opening?.type !== 'response.created') throw new Error('no opening')
    const again = await client.responses.retrieve(opening.response.id, { stream: true, starting_after: 3 })
    expect(await collected(again)).toEqual(events.slice(4))
    engine.setScript(() => [new Promise(() => {})])
    const running = await client.responses.create({ ...HI, background: true })
    expect(running.status).toBe('queued')
    expect((await client.responses.cancel(running.id)).status).toBe('cancelled')
    expect((await client.responses.retrieve(running.id)).status).toBe('cancelled')
  })

  test('count the tokens of an input', async () => {
    const { client } = await start()
    expect((await client.responses.inputTokens.count({ model: 'scripted', input: 'Hi' })).input_tokens).toBeGreaterThan(0)
  })

  test('stop when the reader leaves', async () => {
    const { client, engine } = await start(() => [{ type: 'text-delta', choice: 0, text: 'a' }, new Promise(() => {})])
    for await (const event of await client.responses.create({ ...HI, stream: true })) if (event.type === 'response.output_text.delta') break
    await expect.poll(() => engine.live, { timeout: 20_000 }).toBe(0)
  })
})
