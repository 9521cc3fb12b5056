/** The Messages API: strict bodies, Anthropic's own client, and what comes back of its thoughts. */
import Anthropic from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger } from '../../src/base/logger.ts'
import { listen, type Listening } from '../../src/server/listen.ts'
import {
  AnthropicErrorSchema,
  AnthropicEventSchema,
  AnthropicMessageReplySchema,
  AnthropicModelListSchema,
  AnthropicModelSchema,
  type AnthropicEvent,
  type AnthropicMessageReply,
} from '../../src/shared/anthropic/messages-reply.ts'
import type { GenerateEvent, GenerateRequest } from '../../src/shared/generate.ts'
import { answer } from '../fakes/scripted-engine.ts'
import { createScriptedServer, readMessages, type ScriptedServer } from '../fakes/scripted-server.ts'

// The client's own types accept what we send: a field that it requires and we lack does not compile.
const asClientReads = (reply: AnthropicMessageReply): Anthropic.Message => reply
const asClientStreams = (event: Exclude<AnthropicEvent, { type: 'ping' | 'error' }>): Anthropic.MessageStreamEvent => event

let server: ScriptedServer
let listening: Listening
let client: Anthropic

function* script({ prompt, toolChoice, id }: GenerateRequest): Generator<GenerateEvent> {
  const last = prompt.type === 'messages' ? prompt.messages.at(-1)?.content : ''
  if (last === 'stop') {
    yield { type: 'text-delta', choice: 0, text: 'one ' }
    yield { type: 'choice-end', choice: 0, reason: 'stop', stopSequence: 'two' }
    const [end] = [...answer('')].slice(-1)
    if (end) yield end
    return
  }
  if (last === 'break') {
    yield { type: 'text-delta', choice: 0, text: 'half' }
    yield { type: 'error', error: { code: 'engine-crashed', data: { model: 'm', reason: 'killed' }, message: '' } }
    return
  }
  const calls = [
    { id: `call_${id}_a`, name: 'weather', arguments: '{"city":"Oslo"}' },
    { id: `call_${id}_b`, name: 'weather', arguments: '{"city":"上海"}' },
  ]
  if (toolChoice?.type === 'required') yield* answer('I look.', { calls, reasoning: 'which one' })
  else yield* answer('Hello there you', { reasoning: 'let me think' })
}

beforeAll(async () => {
  server = createScriptedServer({ script })
  listening = await listen(server.app, { host: '127.0.0.1', port: 0, logger: silentLogger })
  client = new Anthropic({ baseURL: listening.address, apiKey: 'none', maxRetries: 0 })
})

afterAll(() => listening.close(0))

const HELLO = { model: 'scripted', max_tokens: 64, messages: [{ role: 'user' as const, content: 'Hi' }] }
const THINKING = { ...HELLO, max_tokens: 4096, thinking: { type: 'enabled' as const, budget_tokens: 2048 } }
const TOOL: Anthropic.Tool = { name: 'weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } }

const post = (body: unknown, path = '/v1/messages'): Promise<Response> => server.post(path, body)
const asked = (): GenerateRequest => {
  const request = server.engine.requests.at(-1)
  if (!request) throw new Error('nothing was asked')
  return request
}

describe('replies', () => {
  test.each([
    ['a plain one', HELLO, ['text']],
    ['one with thoughts', THINKING, ['thinking', 'text']],
    ['one with calls', { ...HELLO, tools: [TOOL], tool_choice: { type: 'any' } }, ['text', 'tool_use', 'tool_use']],
  ])('%s has every field, and nothing else', async (_, body, blocks) => {
    const reply = AnthropicMessageReplySchema.parse(await (await post(body)).json())
    expect(asClientReads(reply).content.map(({ type }) => type)).toEqual(blocks)
  })

  test('says which stop sequence it was', async () => {
    const reply = AnthropicMessageReplySchema.parse(await (await post({ ...HELLO, messages: [{ role: 'user', content: 'stop' }] })).json())
    expect(reply).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: 'two' })
  })

  test('counts cached tokens beside the input, as Anthropic does', async () => {
    const reply = AnthropicMessageReplySchema.parse(await (await post(HELLO)).json())
    const { usage } = reply
    expect(usage.input_tokens + usage.cache_read_input_tokens).toBeGreaterThan(0)
  })
})

describe('streams', () => {
  const events = async (body: object): Promise<AnthropicEvent[]> => {
    const messages = await readMessages(await post({ ...body, stream: true }))
    return messages.flatMap(({ event, data }) => {
      if (data === undefined) return []
      const parsed = AnthropicEventSchema.parse(JSON.parse(data))
      expect(event).toBe(parsed.type)
      return [parsed]
    })
  }

  test.each([
    ['a plain one', HELLO, ['text']],
    ['one with thoughts', THINKING, ['thinking', 'text']],
    ['one with calls', { ...THINKING, tools: [TOOL], tool_choice: { type: 'any' } }, ['thinking', 'text', 'tool_use', 'tool_use']],
  ])('%s opens, fills and closes its blocks one after the other', async (_, body, blocks) => {
    const all = await events(body)
    for (const event of all) if (event.type !== 'ping' && event.type !== 'error') asClientStreams(event)
    expect(all.map(({ type }) => type).filter((type) => type.startsWith('message'))).toEqual([
      'message_start',
      'message_delta',
      'message_stop',
    ])
    const opened = all.flatMap((event) => (event.type === 'content_block_start' ? [event.content_block.type] : []))
    expect(opened).toEqual(blocks)
    let open = -1
    for (const event of all) {
      if (event.type === 'content_block_start') expect(event.index).toBe(open + 1)
      if (event.type === 'content_block_start') open = event.index
      if (event.type === 'content_block_delta' || event.type === 'content_block_stop') expect(event.index).toBe(open)
    }
    expect(all.filter(({ type }) => type === 'content_block_stop')).toHaveLength(blocks.length)
  })

  test('tells an error that comes in the middle', async () => {
    const all = await events({ ...HELLO, messages: [{ role: 'user', content: 'break' }] })
    expect(all.at(-1)).toMatchObject({ type: 'error', error: { type: 'api_error' } })
  })
})

describe("Anthropic's client", () => {
  test('gets a message, counts tokens, lists models', async () => {
    const message = await client.messages.create(HELLO)
    expect(message.content).toEqual([{ type: 'text', text: 'Hello there you', citations: null }])
    expect((await client.messages.countTokens({ model: 'scripted', messages: HELLO.messages })).input_tokens).toBeGreaterThan(0)
    const models = await client.models.list()
    expect(models.data.map(({ id }) => id)).toContain('scripted')
    expect((await client.models.retrieve('scripted')).type).toBe('model')
  })

  test('streams, and puts the same message together', async () => {
    const stream = client.messages.stream({ ...THINKING, tools: [TOOL], tool_choice: { type: 'any' } })
    const texts: string[] = []
    stream.on('text', (text) => texts.push(text))
    const message = await stream.finalMessage()
    expect(texts.join('')).toBe('I look.')
    expect(message.stop_reason).toBe('tool_use')
    expect(message.content.flatMap((block) => (block.type === 'tool_use' ? [block.input] : []))).toEqual([
      { city: 'Oslo' },
      { city: '上海' },
    ])
  })

  test('gives thoughts and results of tools back, and they reach the model', async () => {
    const first = await client.messages.create({ ...THINKING, tools: [TOOL], tool_choice: { type: 'any' } })
    const calls = first.content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []))
    await client.messages.create({
      ...THINKING,
      tools: [TOOL],
      messages: [
        ...HELLO.messages,
        { role: 'assistant', content: first.content as Anthropic.ContentBlockParam[] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Go on.' },
            ...calls.map((id) => ({
              type: 'tool_result' as const,
              tool_use_id: id,
              content: [{ type: 'text' as const, text: `of ${id}` }],
            })),
          ],
        },
      ],
    })
    const { prompt } = asked()
    expect(prompt.type === 'messages' && prompt.messages.map(({ role, reasoning }) => [role, reasoning])).toEqual([
      ['user', undefined],
      ['assistant', 'which one'],
      ['tool', undefined],
      ['tool', undefined],
      ['user', undefined],
    ])
  })

  test('has its errors as the classes that it knows', async () => {
    await expect(client.messages.create({ ...HELLO, model: 'nobody' })).rejects.toBeInstanceOf(Anthropic.NotFoundError)
    await expect(client.messages.create({ ...HELLO, max_tokens: 0 })).rejects.toBeInstanceOf(Anthropic.BadRequestError)
  })

  test('aborts, and the engine stops', async () => {
    const stream = client.messages.stream(HELLO)
    stream.abort()
    await expect(stream.finalMessage()).rejects.toThrow(/abort/i)
    await expect.poll(() => server.engine.live).toBe(0)
  })
})

describe('thoughts of others', () => {
  test.each([
    ['another signature', { type: 'thinking', thinking: 'let me think', signature: 'bm90IG91cnM=' }],
    ['none', { type: 'redacted_thinking', data: 'x' }],
  ])('with %s are left out, and named', async (_, block) => {
    const messages = [...HELLO.messages, { role: 'assistant', content: [block, { type: 'text', text: 'Yes.' }] }, ...HELLO.messages]
    const response = await post({ ...THINKING, messages })
    expect(response.headers.get('x-bendi-ignored')).toContain('messages')
    const { prompt } = asked()
    expect(prompt.type === 'messages' && prompt.messages[1]).toEqual({ role: 'assistant', content: 'Yes.' })
  })
})

describe('requests', () => {
  test('carry what they ask for', async () => {
    await post({
      ...THINKING,
      system: [{ type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } }],
      stop_sequences: ['END'],
      temperature: 0.5,
      top_k: 3,
      top_p: 0.9,
      tools: [TOOL],
      tool_choice: { type: 'tool', name: 'weather', disable_parallel_tool_use: true },
      output_config: { effort: 'high' },
    })
    expect(asked()).toMatchObject({
      maxTokens: 4096,
      thinkingTokens: 2048,
      stop: ['END'],
      sampling: { temperature: 0.5, topK: 3, topP: 0.9 },
      toolChoice: { type: 'named', name: 'weather' },
      parallelToolCalls: false,
      prompt: { messages: [{ role: 'system', content: 'Be kind.' }, { role: 'user' }], thinking: { enabled: true, effort: 'high' } },
    })
  })

  test('may begin the answer themselves', async () => {
    await post({ ...HELLO, messages: [...HELLO.messages, { role: 'assistant', content: '{"a":' }] })
    expect(asked().prompt).toMatchObject({ continueLast: true })
  })

  test.each<[string, object, string]>([
    ['no max_tokens', { model: 'scripted', messages: HELLO.messages }, 'max_tokens'],
    ['an image', { ...HELLO, messages: [{ role: 'user', content: [{ type: 'image', source: {} }] }] }, 'messages[0].content[0]'],
    [
      'a PDF',
      { ...HELLO, messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'base64' } }] }] },
      'messages[0].content[0]',
    ],
    ['a tool of the server', { ...HELLO, tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools[0]'],
    ['a choice without tools', { ...HELLO, tool_choice: { type: 'any' } }, 'tool_choice'],
    ['a choice that is not there', { ...HELLO, tools: [TOOL], tool_choice: { type: 'tool', name: 'x' } }, 'tool_choice.name'],
    [
      'a result of nothing',
      { ...HELLO, messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x' }] }] },
      'messages[0].content[0].tool_use_id',
    ],
    ['a budget above the limit', { ...THINKING, max_tokens: 100 }, 'thinking.budget_tokens'],
    ['a temperature of 2', { ...HELLO, temperature: 2 }, 'temperature'],
    ['no messages', { ...HELLO, messages: [] }, 'messages'],
    ['an MCP server', { ...HELLO, mcp_servers: [{ type: 'url' }] }, 'mcp_servers'],
  ])('with %s are refused by name', async (_, body, field) => {
    const response = await post(body)
    expect(response.status).toBe(400)
    const { error } = AnthropicErrorSchema.parse(await response.json())
    expect(error).toMatchObject({ type: 'invalid_request_error', message: expect.stringContaining(field) as string })
  })

  test('that are not JSON, or not there, are errors in the same form', async () => {
    expect(AnthropicErrorSchema.parse(await (await post('{')).json()).error.type).toBe('invalid_request_error')
    expect(AnthropicErrorSchema.parse(await (await server.get('/v1/messages')).json()).error.type).toBe('invalid_request_error')
    const unknown = await server.get('/v1/models/nobody', { 'anthropic-version': '2023-06-01' })
    expect(AnthropicErrorSchema.parse(await unknown.json()).error.type).toBe('not_found_error')
  })
})

test('models are listed in the form of the caller', async () => {
  const headers = { 'anthropic-version': '2023-06-01' }
  AnthropicModelListSchema.parse(await (await server.get('/v1/models', headers)).json())
  AnthropicModelSchema.parse(await (await server.get('/v1/models/scripted', headers)).json())
  expect(await (await server.get('/v1/models')).json()).toMatchObject({ object: 'list' })
})
