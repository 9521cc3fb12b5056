/** The OpenAI surface to the letter: every reply, chunk and error of a listening server against OpenAI's published description. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { silentLogger } from '../../src/base/logger.ts'
import { listen, type Listening } from '../../src/server/listen.ts'
import { AppError } from '../../src/shared/errors.ts'
import type { GenerateEvent, GenerateRequest } from '../../src/shared/generate.ts'
import { answer, tokenLogprob } from '../fakes/scripted-engine.ts'
import { createScriptedServer, readChunks, readMessages, type ScriptedServer } from '../fakes/scripted-server.ts'
import * as published from './openai-published.ts'

let server: ScriptedServer
let listening: Listening

beforeAll(async () => {
  server = createScriptedServer({ script, bodyLimit: 100_000 })
  listening = await listen(server.app, { host: '127.0.0.1', port: 0, logger: silentLogger })
})

afterAll(() => listening.close(0))

/** Answers by what is asked: calls where a tool must be called, log-probabilities where they are wanted. */
function* script(request: GenerateRequest): Generator<GenerateEvent> {
  const { choices, logprobs, promptLogprobs, toolChoice } = request
  if (promptLogprobs) yield { type: 'prompt-logprobs', tokens: [tokenLogprob('On', 0), tokenLogprob('ce', -1, 1)] }
  const calls = [
    { id: 'call_1', name: 'weather', arguments: '{"city":"Oslo"}' },
    { id: 'call_2', name: 'weather', arguments: '{"city":"Rome"}' },
  ]
  if (toolChoice?.type === 'required') yield* answer('', { choices, calls, reasoning: 'which one' })
  else if (toolChoice?.type === 'named') yield* answer('', { choices, calls: calls.slice(0, 1) })
  else yield* answer('Hello there you', { choices, logprobs, reasoning: request.reasoning === 'split' ? 'let me think' : '' })
}

const MESSAGES = [{ role: 'user', content: 'Hi' }]
const CHAT = { model: 'scripted', messages: MESSAGES }
const TEXT = { model: 'scripted', prompt: 'Once' }
const EMBED = { model: 'scripted', input: 'text' }
const TOOLS = [
  { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } },
]
const SCHEMA = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(listening.address + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

async function checked<Schema extends z.ZodType>(response: Response, schema: Schema): Promise<z.output<Schema>> {
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toMatch(/^application\/json/)
  expect(response.headers.get('x-request-id')).toBeTruthy()
  return schema.parse(await response.json())
}

describe('chat completions', () => {
  test.each<[string, object]>([
    ['plain', {}],
    ['n', { n: 3 }],
    ['log-probabilities', { logprobs: true }],
    ['alternatives', { logprobs: true, top_logprobs: 2 }],
    ['json_object', { response_format: { type: 'json_object' } }],
    ['json_schema', { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: SCHEMA, strict: true } } }],
    ['tools, free', { tools: TOOLS }],
    ['tools, none', { tools: TOOLS, tool_choice: 'none' }],
    ['tools, required', { tools: TOOLS, tool_choice: 'required' }],
    ['tools, named', { tools: TOOLS, tool_choice: { type: 'function', function: { name: 'weather' } }, parallel_tool_calls: false }],
    ['functions', { functions: [{ name: 'weather' }], function_call: { name: 'weather' } }],
    [
      'everything else',
      {
        temperature: 0,
        top_p: 1,
        seed: 1,
        stop: ['a', 'b', 'c', 'd'],
        logit_bias: { 5: -100 },
        presence_penalty: 2,
        frequency_penalty: -2,
        user: 'u',
        max_completion_tokens: 10,
        metadata: { a: 'b' },
        service_tier: 'auto',
        safety_identifier: 's',
        prompt_cache_key: 'k',
        store: false,
        modalities: ['text'],
        verbosity: 'medium',
        reasoning_effort: 'low',
        prediction: { type: 'content', content: 'x' },
        parallel_tool_calls: true,
      },
    ],
    [
      'nulls',
      { temperature: null, top_p: null, n: null, stop: null, logit_bias: null, seed: null, stream: null, logprobs: null, metadata: null },
    ],
    [
      'parts',
      {
        messages: [
          { role: 'developer', content: [{ type: 'text', text: 'a' }] },
          { role: 'user', content: [{ type: 'text', text: 'b' }] },
        ],
      },
    ],
  ])('a reply is what was published: %s', async (_, more) => {
    const body = await checked(await post('/v1/chat/completions', { ...CHAT, ...more }), published.chatCompletion)
    const { n } = more as { n?: number | null }
    expect(body.choices.map(({ index }) => index)).toEqual(Array.from({ length: n ?? 1 }, (_unused, index) => index))
    expect(body.usage.total_tokens).toBe(body.usage.prompt_tokens + body.usage.completion_tokens)
  })

  test.each<[string, object]>([
    ['plain', {}],
    ['n', { n: 2 }],
    ['usage', { stream_options: { include_usage: true } }],
    ['obfuscated', { stream_options: { include_obfuscation: true } }],
    ['log-probabilities', { logprobs: true, top_logprobs: 1 }],
    ['tools', { tools: TOOLS, tool_choice: 'required' }],
    ['functions', { functions: [{ name: 'weather' }], function_call: { name: 'weather' } }],
  ])('a stream is what was published: %s', async (_, more) => {
    const response = await post('/v1/chat/completions', { ...CHAT, ...more, stream: true })
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const messages = await readMessages(response)
    expect(messages.at(-1)).toEqual({ data: '[DONE]' })
    const chunks = messages.flatMap(({ data }) => (data && data !== '[DONE]' ? [published.chatChunk.parse(JSON.parse(data))] : []))
    expect(new Set(chunks.map(({ id, created, model }) => `${id} ${created} ${model}`)).size).toBe(1)
    const { n = 1 } = more as { n?: number }
    for (let index = 0; index < n; index++) {
      const own = chunks.flatMap(({ choices }) => choices.filter((choice) => choice.index === index))
      expect(own.map(({ delta }) => delta.role)).toEqual(['assistant', ...own.slice(1).map(() => undefined)])
      expect(own.map((choice) => choice.finish_reason).filter((reason) => reason !== null)).toHaveLength(1)
      expect(own.at(-1)?.finish_reason).not.toBeNull()
    }
  })

  test('the usage comes last, alone and once; every chunk before says null', async () => {
    const chunks = (
      await readChunks(await post('/v1/chat/completions', { ...CHAT, stream: true, stream_options: { include_usage: true } }))
    ).map((chunk) => published.chatChunk.parse(chunk))
    const last = chunks.pop()
    expect(last?.choices).toEqual([])
    expect(published.usage.parse(last?.usage).completion_tokens).toBeGreaterThan(0)
    expect(chunks.map(({ usage }) => usage)).toEqual(chunks.map(() => null))
  })

  test('the first delta of each call has index, id, type and name; the arguments joined are JSON', async () => {
    const body = { ...CHAT, tools: TOOLS, tool_choice: 'required', stream: true }
    const chunks = (await readChunks(await post('/v1/chat/completions', body))).map((chunk) => published.chatChunk.parse(chunk))
    const deltas = chunks.flatMap(({ choices }) => choices.flatMap(({ delta }) => delta.tool_calls ?? []))
    for (const index of [0, 1]) {
      const own = deltas.filter((delta) => delta.index === index)
      expect(own[0]).toMatchObject({ id: `call_${index + 1}`, type: 'function', function: { name: 'weather' } })
      expect(
        own.slice(1).every(({ id, type, function: called }) => id === undefined && type === undefined && called?.name === undefined),
      ).toBe(true)
      expect(JSON.parse(own.map((delta) => delta.function?.arguments ?? '').join(''))).toHaveProperty('city')
    }
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('tool_calls')
  })

  test('a call has null for content, finish_reason tool_calls; the old way function_call', async () => {
    const required = { ...CHAT, tools: TOOLS, tool_choice: 'required' }
    const body = await checked(await post('/v1/chat/completions', required), published.chatCompletion)
    expect(body.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
    expect(body.choices[0]?.message.tool_calls).toHaveLength(2)
    const old = { ...CHAT, functions: [{ name: 'weather' }], function_call: { name: 'weather' } }
    const legacy = await checked(await post('/v1/chat/completions', old), published.chatCompletion)
    expect(legacy.choices[0]).toMatchObject({ finish_reason: 'function_call', message: { function_call: { name: 'weather' } } })
    expect(legacy.choices[0]?.message.tool_calls).toBeUndefined()
  })

  test('log-probabilities cover every token of the content, with as many alternatives as asked', async () => {
    const body = await checked(await post('/v1/chat/completions', { ...CHAT, logprobs: true, top_logprobs: 3 }), published.chatCompletion)
    const content = body.choices[0]?.logprobs?.content ?? []
    expect(content.map(({ token }) => token).join('')).toBe(body.choices[0]?.message.content)
    expect(content.every(({ top_logprobs: top }) => top.length === 3)).toBe(true)
  })
})

describe('completions', () => {
  test.each<[string, object, number]>([
    ['plain', {}, 1],
    ['several prompts', { prompt: ['a', 'b'] }, 2],
    ['tokens', { prompt: [72, 105] }, 1],
    ['lists of tokens', { prompt: [[72], [105]] }, 2],
    ['n', { n: 2 }, 2],
    ['best_of', { n: 1, best_of: 3 }, 1],
    ['log-probabilities', { logprobs: 2 }, 1],
    ['echo', { echo: true, logprobs: 1 }, 1],
    ['echo of nothing new', { echo: true, max_tokens: 0 }, 1],
    ['suffix', { suffix: 'end' }, 1],
    ['nulls', { suffix: null, logprobs: null, best_of: null, max_tokens: null }, 1],
  ])('a reply is what was published: %s', async (_, more, count) => {
    const body = await checked(await post('/v1/completions', { ...TEXT, ...more }), published.completion)
    expect(body.choices.map(({ index }) => index)).toEqual(Array.from({ length: count }, (_unused, index) => index))
  })

  test('a stream has the same shape, ending with [DONE]', async () => {
    const messages = await readMessages(await post('/v1/completions', { ...TEXT, stream: true, stream_options: { include_usage: true } }))
    expect(messages.at(-1)).toEqual({ data: '[DONE]' })
    const loose = published.completion.partial({ usage: true }).extend({
      usage: published.usage.nullable(),
      choices: published.completion.shape.choices.element
        .extend({ finish_reason: published.completion.shape.choices.element.shape.finish_reason.nullable() })
        .array(),
    })
    const chunks = messages.slice(0, -1).map(({ data }) => loose.parse(JSON.parse(data ?? '')))
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 3 } })
  })
})

describe('embeddings and models', () => {
  test.each<[object, number]>([
    [{}, 1],
    [{ input: ['a', 'b'] }, 2],
    [{ input: [1, 2, 3] }, 1],
    [{ input: [[1], [2, 3]] }, 2],
    [{ encoding_format: 'float', user: 'me' }, 1],
    [{ dimensions: 8 }, 1],
  ])('%j', async (more, count) => {
    const body = await checked(await post('/v1/embeddings', { ...EMBED, ...more }), published.embeddingList)
    expect(body.data.map(({ index, embedding }) => [index, embedding.length])).toEqual(
      Array.from({ length: count }, (_, index) => [index, 8]),
    )
  })

  test('base64 is the same numbers as little-endian float32', async () => {
    const plain = await checked(await post('/v1/embeddings', EMBED), published.embeddingList)
    const response = await post('/v1/embeddings', { ...EMBED, encoding_format: 'base64' })
    const { data } = (await response.json()) as { data: { embedding: string }[] }
    const bytes = Buffer.from(data[0]?.embedding ?? '', 'base64')
    expect(Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))).toEqual(plain.data[0]?.embedding)
  })

  test('models are listed and found', async () => {
    const list = await checked(await fetch(`${listening.address}/v1/models`), published.modelList)
    expect(list.data.length).toBeGreaterThan(0)
    for (const { id } of list.data) {
      expect((await checked(await fetch(`${listening.address}/v1/models/${encodeURIComponent(id)}`), published.model)).id).toBe(id)
    }
  })
})

describe('what is wrong is told in OpenAI’s envelope', () => {
  const cases: [string, unknown, number, string | null][] = [
    ['/v1/chat/completions', '{"model"', 400, null],
    ['/v1/chat/completions', '', 400, null],
    ['/v1/chat/completions', '[]', 400, null],
    ['/v1/chat/completions', 'null', 400, null],
    ['/v1/chat/completions', { messages: MESSAGES }, 400, 'model'],
    ['/v1/chat/completions', { ...CHAT, model: '' }, 400, 'model'],
    ['/v1/chat/completions', { ...CHAT, model: 5 }, 400, 'model'],
    ['/v1/chat/completions', { ...CHAT, model: 'gpt-4o' }, 404, 'model'],
    ['/v1/chat/completions', { model: 'scripted' }, 400, 'messages'],
    ['/v1/chat/completions', { ...CHAT, messages: [] }, 400, 'messages'],
    ['/v1/chat/completions', { ...CHAT, messages: 'Hi' }, 400, 'messages'],
    ['/v1/chat/completions', { ...CHAT, messages: [{ content: 'Hi' }] }, 400, 'messages[0].role'],
    ['/v1/chat/completions', { ...CHAT, messages: [{ role: 'user', content: 5 }] }, 400, 'messages[0].content'],
    ['/v1/chat/completions', { ...CHAT, messages: [{ role: 'user', content: [] }] }, 400, 'messages[0].content'],
    ['/v1/chat/completions', { ...CHAT, messages: [{ role: 'user', content: null }] }, 400, 'messages[0].content'],
    ['/v1/chat/completions', { ...CHAT, messages: [{ role: 'tool', content: 'x' }] }, 400, 'messages[0].tool_call_id'],
    [
      '/v1/chat/completions',
      {
        ...CHAT,
        messages: [...MESSAGES, { role: 'assistant', tool_calls: [{ type: 'function', function: { name: 'f', arguments: '' } }] }],
      },
      400,
      'messages[1].tool_calls[0].id',
    ],
    [
      '/v1/chat/completions',
      { ...CHAT, messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,' } }] }] },
      400,
      'messages[0].content[0]',
    ],
    ['/v1/chat/completions', { ...CHAT, n: 0 }, 400, 'n'],
    ['/v1/chat/completions', { ...CHAT, n: 1.5 }, 400, 'n'],
    ['/v1/chat/completions', { ...CHAT, n: '1' }, 400, 'n'],
    ['/v1/chat/completions', { ...CHAT, temperature: 3 }, 400, 'temperature'],
    ['/v1/chat/completions', { ...CHAT, temperature: '1' }, 400, 'temperature'],
    ['/v1/chat/completions', { ...CHAT, top_p: -0.1 }, 400, 'top_p'],
    ['/v1/chat/completions', { ...CHAT, presence_penalty: 2.5 }, 400, 'presence_penalty'],
    ['/v1/chat/completions', { ...CHAT, frequency_penalty: -3 }, 400, 'frequency_penalty'],
    ['/v1/chat/completions', { ...CHAT, max_tokens: 0 }, 400, 'max_tokens'],
    ['/v1/chat/completions', { ...CHAT, max_completion_tokens: -1 }, 400, 'max_completion_tokens'],
    ['/v1/chat/completions', { ...CHAT, max_tokens: 'many' }, 400, 'max_tokens'],
    ['/v1/chat/completions', { ...CHAT, stop: ['1', '2', '3', '4', '5'] }, 400, 'stop'],
    ['/v1/chat/completions', { ...CHAT, stop: [1] }, 400, 'stop[0]'],
    ['/v1/chat/completions', { ...CHAT, logit_bias: { hello: 1 } }, 400, 'logit_bias.hello'],
    ['/v1/chat/completions', { ...CHAT, logit_bias: { 5: 101 } }, 400, 'logit_bias.5'],
    ['/v1/chat/completions', { ...CHAT, logprobs: 1 }, 400, 'logprobs'],
    ['/v1/chat/completions', { ...CHAT, top_logprobs: 1 }, 400, 'top_logprobs'],
    ['/v1/chat/completions', { ...CHAT, logprobs: true, top_logprobs: 21 }, 400, 'top_logprobs'],
    ['/v1/chat/completions', { ...CHAT, seed: 'x' }, 400, 'seed'],
    ['/v1/chat/completions', { ...CHAT, stream: 'yes' }, 400, 'stream'],
    ['/v1/chat/completions', { ...CHAT, stream_options: { include_usage: true } }, 400, 'stream_options'],
    ['/v1/chat/completions', { ...CHAT, user: 1 }, 400, 'user'],
    ['/v1/chat/completions', { ...CHAT, metadata: { a: 1 } }, 400, 'metadata.a'],
    ['/v1/chat/completions', { ...CHAT, reasoning_effort: 'huge' }, 400, 'reasoning_effort'],
    ['/v1/chat/completions', { ...CHAT, response_format: { type: 'yaml' } }, 400, 'response_format.type'],
    ['/v1/chat/completions', { ...CHAT, response_format: { type: 'json_schema' } }, 400, 'response_format.json_schema'],
    [
      '/v1/chat/completions',
      { ...CHAT, response_format: { type: 'json_schema', json_schema: { schema: SCHEMA } } },
      400,
      'response_format.json_schema.name',
    ],
    [
      '/v1/chat/completions',
      { ...CHAT, response_format: { type: 'json_schema', json_schema: { name: 'a b', schema: SCHEMA } } },
      400,
      'response_format.json_schema.name',
    ],
    [
      '/v1/chat/completions',
      { ...CHAT, response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'thing' } } } },
      400,
      'response_format.json_schema.schema.type',
    ],
    ['/v1/chat/completions', { ...CHAT, tools: 'f' }, 400, 'tools'],
    ['/v1/chat/completions', { ...CHAT, tools: [{ type: 'function', function: {} }] }, 400, 'tools[0].function.name'],
    ['/v1/chat/completions', { ...CHAT, tools: [{ type: 'custom', custom: { name: 'f' } }] }, 400, 'tools[0]'],
    ['/v1/chat/completions', { ...CHAT, tool_choice: 'required' }, 400, 'tool_choice'],
    [
      '/v1/chat/completions',
      { ...CHAT, tools: TOOLS, tool_choice: { type: 'function', function: { name: 'nothing' } } },
      400,
      'tool_choice.function.name',
    ],
    ['/v1/chat/completions', { ...CHAT, modalities: ['audio'] }, 400, 'modalities'],
    ['/v1/chat/completions', { ...CHAT, store: true }, 400, 'store'],
    ['/v1/completions', { model: 'scripted' }, 400, 'prompt'],
    ['/v1/completions', { ...TEXT, prompt: [] }, 400, 'prompt'],
    ['/v1/completions', { ...TEXT, prompt: 5 }, 400, 'prompt'],
    ['/v1/completions', { ...TEXT, max_tokens: -2 }, 400, 'max_tokens'],
    ['/v1/completions', { ...TEXT, logprobs: 6 }, 400, 'logprobs'],
    ['/v1/completions', { ...TEXT, n: 3, best_of: 2 }, 400, 'best_of'],
    ['/v1/completions', { ...TEXT, best_of: 21 }, 400, 'best_of'],
    ['/v1/completions', { ...TEXT, model: 'nothing' }, 404, 'model'],
    ['/v1/embeddings', { model: 'scripted' }, 400, 'input'],
    ['/v1/embeddings', { ...EMBED, input: '' }, 400, 'input'],
    ['/v1/embeddings', { ...EMBED, input: [] }, 400, 'input'],
    ['/v1/embeddings', { ...EMBED, input: ['a', ''] }, 400, 'input[1]'],
    ['/v1/embeddings', { ...EMBED, encoding_format: 'hex' }, 400, 'encoding_format'],
    ['/v1/embeddings', { ...EMBED, dimensions: 0 }, 400, 'dimensions'],
    ['/v1/embeddings', { ...EMBED, dimensions: 4 }, 400, 'dimensions'],
    ['/v1/embeddings', { ...EMBED, model: 'nothing' }, 404, 'model'],
    ['/v1/rerank', { model: 'scripted', query: 'q', documents: [] }, 400, 'documents'],
    ['/v1/nothing', {}, 404, null],
  ]

  test.each(cases)('%s %j', async (path, body, status, param) => {
    const response = await post(path, body)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(response.headers.get('x-request-id')).toMatch(/^req_/)
    const { error } = published.errorReply.parse(await response.json())
    expect(error.param).toBe(param)
    expect(error.type).toBe('invalid_request_error')
  })

  test.each<[string, RequestInit, number]>([
    ['a wrong method', { method: 'GET' }, 405],
    ['another wrong method', { method: 'PUT', body: '{}' }, 405],
    ['a wrong content type', { method: 'POST', body: 'model=a', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415],
    [
      'a body that is too large',
      { method: 'POST', body: JSON.stringify({ ...CHAT, user: 'x'.repeat(200_000) }), headers: { 'content-type': 'application/json' } },
      413,
    ],
  ])('%s', async (_, init, status) => {
    const response = await fetch(`${listening.address}/v1/chat/completions`, init)
    expect(response.status).toBe(status)
    if (status === 405) expect(response.headers.get('allow')).toBe('POST')
    published.errorReply.parse(await response.json())
  })

  test('an unknown model by GET', async () => {
    const response = await fetch(`${listening.address}/v1/models/nothing`)
    expect(response.status).toBe(404)
    expect(published.errorReply.parse(await response.json()).error).toMatchObject({ code: 'model_not_found', param: 'model' })
  })

  test.each([
    [new AppError('queue-full', { waiting: 5 }), 503, 'queue_full'],
    [new AppError('prompt-too-long', { needed: 9, window: 4, possible: 8 }), 400, 'context_length_exceeded'],
    [new AppError('engine-crashed', { model: 'scripted', reason: 'SIGKILL' }), 500, 'engine_crashed'],
  ])('an error of the engine before the first word: %s', async (error, status, code) => {
    const { data, message } = error
    server.engine.setScript(() => [{ type: 'error', error: { code: error.code, data, message } }])
    try {
      for (const stream of [false, true]) {
        const response = await post('/v1/chat/completions', { ...CHAT, stream })
        expect(response.status).toBe(status)
        expect(response.headers.has('retry-after')).toBe(status === 503)
        expect(published.errorReply.parse(await response.json()).error.code).toBe(code)
      }
    } finally {
      server.engine.setScript(script)
    }
  })

  test('an error of the engine in mid-stream is the last event', async () => {
    const { code, data, message } = new AppError('engine-crashed', { model: 'scripted', reason: 'SIGKILL' })
    server.engine.setScript(() => [
      { type: 'text-delta', choice: 0, text: 'a' },
      { type: 'error', error: { code, data, message } },
    ])
    try {
      for (const [path, body] of [
        ['/v1/chat/completions', CHAT],
        ['/v1/completions', TEXT],
      ] as const) {
        const messages = await readMessages(await post(path, { ...body, stream: true }))
        expect(published.errorReply.parse(JSON.parse(messages.at(-1)?.data ?? '')).error.code).toBe('engine_crashed')
      }
    } finally {
      server.engine.setScript(script)
    }
  })
})
