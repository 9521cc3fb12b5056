/** Ollama's answers: strict bodies, streamed and not, and errors. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { GenerateRequest } from '../../src/shared/generate.ts'
import {
  OllamaChatChunkSchema,
  OllamaChatReplySchema,
  OllamaErrorSchema,
  OllamaGenerateChunkSchema,
  OllamaGenerateReplySchema,
} from '../../src/shared/ollama/replies.ts'
import { answer } from '../fakes/scripted-engine.ts'
import { createScriptedServer, type ScriptedServer } from '../fakes/scripted-server.ts'
import { HELLO, json, linesOf, script, TOOL } from './ollama-harness.ts'

let server: ScriptedServer

beforeAll(() => {
  server = createScriptedServer({ script })
})

const post = (path: string, body: unknown): Promise<Response> => server.post(path, body)
const asked = (): GenerateRequest => {
  const request = server.engine.requests.at(-1)
  if (!request) throw new Error('nothing was asked')
  return request
}
describe('chat', () => {
  test('has every field when it is not streamed', async () => {
    const reply = await json(OllamaChatReplySchema, post('/api/chat', { ...HELLO, stream: false }))
    expect(reply).toMatchObject({
      model: 'scripted',
      message: { role: 'assistant', content: 'Hello there you', thinking: 'let me think' },
      done: true,
      done_reason: 'stop',
      prompt_eval_count: 12,
      prompt_eval_duration: 20e6,
      eval_count: 6,
      eval_duration: 60e6,
      total_duration: 81e6,
      load_duration: 0,
    })
  })

  test('is a line of JSON a piece, the thoughts first, the counts last', async () => {
    const lines = await linesOf(OllamaChatChunkSchema, await post('/api/chat', HELLO))
    const chunks = lines.flatMap((line) => ('error' in line ? [] : [line]))
    expect(chunks.map(({ message }) => message.thinking ?? '').join('')).toBe('let me think')
    expect(chunks.map(({ message }) => message.content).join('')).toBe('Hello there you')
    expect(chunks.map(({ done }) => done)).toEqual([...chunks.slice(1).map(() => false), true])
    expect(chunks.at(-1)).toMatchObject({ done_reason: 'stop', eval_count: 6, message: { role: 'assistant', content: '' } })
  })

  test('keeps thoughts to itself when they are declined', async () => {
    const lines = await linesOf(OllamaChatChunkSchema, await post('/api/chat', { ...HELLO, think: false }))
    expect(JSON.stringify(lines)).not.toContain('thinking')
    expect(asked().prompt).toMatchObject({ thinking: { enabled: false } })
    await post('/api/chat', { ...HELLO, think: 'high', stream: false })
    expect(asked().prompt).toMatchObject({ thinking: { enabled: true, effort: 'high' } })
  })

  test('tells calls of tools whole, with their arguments as objects', async () => {
    const body = { ...HELLO, tools: [TOOL] }
    const calls = [
      { id: 'call_a', function: { index: 0, name: 'weather', arguments: { city: 'Oslo' } } },
      { id: 'call_b', function: { index: 1, name: 'weather', arguments: { city: '上海' } } },
    ]
    const lines = await linesOf(OllamaChatChunkSchema, await post('/api/chat', body))
    expect(lines.flatMap((line) => ('message' in line ? (line.message.tool_calls ?? []) : []))).toEqual(calls)
    const reply = await json(OllamaChatReplySchema, post('/api/chat', { ...body, stream: false }))
    expect(reply).toMatchObject({ done_reason: 'stop', message: { content: 'I look.', tool_calls: calls } })
  })

  test('gives each result to its call, also when only the name of the tool tells', async () => {
    const call = (name: string): object => ({ function: { name, arguments: { a: 1 } } })
    await post('/api/chat', {
      ...HELLO,
      messages: [
        ...HELLO.messages,
        { role: 'Assistant', content: '', thinking: 'hm', tool_calls: [call('one'), call('two'), { id: 'x', ...call('one') }] },
        { role: 'tool', tool_name: 'two', content: '2' },
        { role: 'tool', content: '1' },
        { role: 'tool', tool_call_id: 'x', content: '3' },
      ],
    })
    const { prompt } = asked()
    expect(prompt.type === 'messages' && prompt.messages.slice(1)).toEqual([
      {
        role: 'assistant',
        content: '',
        reasoning: 'hm',
        toolCalls: [
          { id: 'call_0', name: 'one', arguments: '{"a":1}' },
          { id: 'call_1', name: 'two', arguments: '{"a":1}' },
          { id: 'x', name: 'one', arguments: '{"a":1}' },
        ],
      },
      { role: 'tool', content: '2', toolCallId: 'call_1', name: 'two' },
      { role: 'tool', content: '1', toolCallId: 'call_0', name: 'one' },
      { role: 'tool', content: '3', toolCallId: 'x', name: 'one' },
    ])
  })

  test('carries options, format and keep_alive; names the options without effect', async () => {
    const schema = { type: 'object', properties: { a: { type: 'number' } } }
    const response = await post('/api/chat', {
      ...HELLO,
      format: schema,
      keep_alive: '1h30m',
      logprobs: true,
      top_logprobs: 2,
      truncate: false,
      options: {
        temperature: 0.5,
        top_k: 3.7,
        top_p: 0.9,
        min_p: 0.1,
        typical_p: 0.8,
        repeat_last_n: -1,
        repeat_penalty: 1.1,
        presence_penalty: 0.5,
        frequency_penalty: -0.5,
        seed: 7,
        num_predict: 33,
        stop: ['END'],
        num_ctx: 8192,
        mirostat: 1,
      },
      whatever: 1,
    })
    expect(response.headers.get('x-bendi-ignored')).toBe('whatever, options.num_ctx, options.mirostat')
    expect(asked()).toMatchObject({
      output: { type: 'json-schema', schema },
      keepAlive: 5400,
      logprobs: 2,
      truncation: 'disabled',
      maxTokens: 33,
      stop: ['END'],
      sampling: {
        temperature: 0.5,
        topK: 3,
        topP: 0.9,
        minP: 0.1,
        typicalP: 0.8,
        penaltyLastN: -1,
        repetitionPenalty: 1.1,
        presencePenalty: 0.5,
        frequencyPenalty: -0.5,
        seed: 7,
      },
    })
    const lines = await linesOf(OllamaChatChunkSchema, response)
    const [first] = lines.flatMap((line) => ('logprobs' in line ? (line.logprobs ?? []) : []))
    expect(first).toMatchObject({ token: 'let', logprob: -0.5, top_logprobs: [{ logprob: -0.5 }, { token: '~1', logprob: -1.5 }] })
    await post('/api/chat', { ...HELLO, format: 'json', options: { num_predict: -1, seed: -1, stop: 'x' } })
    expect(asked()).toMatchObject({ output: { type: 'json-object' }, stop: ['x'], truncation: 'auto' })
    expect(asked()).not.toHaveProperty('maxTokens')
    expect(asked().sampling).toEqual({})
  })

  test.each([
    ['5m', 300],
    ['-1m', -1],
    ['1.5h', 5400],
    ['300ms', 0.3],
    ['10', 10],
    [-1, -1],
    [0, 0],
  ])('reads the keep_alive %j', async (keepAlive, seconds) => {
    await post('/api/chat', { ...HELLO, keep_alive: keepAlive })
    expect(asked().keepAlive).toBeCloseTo(seconds)
  })

  test('refuses thoughts of a model that has none, by its template', async () => {
    const { care } = server.platform
    const plain = createScriptedServer({ script })
    plain.platform.care.report = async (name) => ({ ...(await care.report(name)), chatTemplate: '{{ messages }}' })
    const response = await plain.post('/api/chat', { ...HELLO, think: true })
    expect(response.status).toBe(400)
    expect((await json(OllamaErrorSchema, response)).error).toContain('does not support thinking')
    expect((await plain.post('/api/chat', { ...HELLO, think: false })).status).toBe(200)
  })

  test('continues what the caller begins', async () => {
    await post('/api/chat', { ...HELLO, messages: [...HELLO.messages, { role: 'assistant', content: '{"a":' }] })
    expect(asked().prompt).toMatchObject({ continueLast: true })
  })

  test('loads and unloads a model when there is nothing to answer', async () => {
    const before = server.engine.requests.length
    expect(await json(OllamaChatReplySchema, post('/api/chat', { model: 'hf:org/other' }))).toMatchObject({ done_reason: 'load' })
    expect((await server.platform.deployments.list()).map(({ model }) => model)).toContain('hf:org/other')
    const unload = { model: 'hf:org/other', messages: [], keep_alive: 0 }
    expect(await json(OllamaChatReplySchema, post('/api/chat', unload))).toMatchObject({ done_reason: 'unload', message: { content: '' } })
    expect((await server.platform.deployments.list()).map(({ model }) => model)).not.toContain('hf:org/other')
    expect(server.engine.requests.length).toBe(before)
  })

  test('knows a model by the names that Ollama gives it', async () => {
    for (const model of ['scripted:latest', 'default', 'default:latest', 'hf.co/org/other', 'https://huggingface.co/org/other:latest']) {
      const reply = await json(OllamaChatReplySchema, post('/api/chat', { ...HELLO, model, stream: false }))
      expect(reply.model).toBe(model)
      expect(asked().model).toBe(model.includes('other') ? 'hf:org/other' : 'scripted')
    }
  })
})

test('a streamed reply says too what was dropped', async () => {
  const dropping = createScriptedServer({
    script: () => answer('Hi', { notices: [{ code: 'truncated', droppedMessages: 2, droppedTokens: 30 }] }),
  })
  for (const stream of [true, false]) {
    const response = await dropping.post('/api/chat', { ...HELLO, stream })
    expect(response.headers.get('x-bendi-truncated')).toContain('30')
    await response.text()
  }
})

describe('generate', () => {
  const PROMPT = { model: 'scripted', prompt: 'Hi' }

  test('streams, and tells the tokens of the conversation, which come first in the next one', async () => {
    const lines = await linesOf(OllamaGenerateChunkSchema, await post('/api/generate', { ...PROMPT, system: 'Be kind.' }))
    expect(lines.map((line) => ('response' in line ? line.response : '')).join('')).toBe('Hello there you')
    expect(asked().prompt).toMatchObject({ messages: [{ role: 'system', content: 'Be kind.' }, { role: 'user' }] })
    const last = lines.at(-1)
    const context = last && 'context' in last ? (last.context ?? []) : []
    expect(Buffer.from(context).toString()).toBe('system: Be kind.\nuser: HiHello there you')
    await post('/api/generate', { ...PROMPT, prompt: 'More', context })
    const { prompt } = asked()
    expect(prompt.type === 'tokens' && Buffer.from(prompt.tokens).toString()).toBe('system: Be kind.\nuser: HiHello there youuser: More')
  })

  test('gives a raw prompt to the model as it is, and no context back', async () => {
    const reply = await json(OllamaGenerateReplySchema, post('/api/generate', { ...PROMPT, raw: true, stream: false }))
    expect(reply).not.toHaveProperty('context')
    expect(asked()).toMatchObject({ prompt: { type: 'text', text: 'Hi' }, reasoning: 'text' })
  })

  test('fills in before a suffix', async () => {
    await json(OllamaGenerateReplySchema, post('/api/generate', { ...PROMPT, suffix: 'end', stream: false }))
    expect(asked().prompt).toEqual({ type: 'infill', prefix: 'Hi', suffix: 'end' })
  })

  test('loads and unloads', async () => {
    expect(await json(OllamaGenerateReplySchema, post('/api/generate', { model: 'scripted' }))).toMatchObject({ done_reason: 'load' })
    expect(await json(OllamaGenerateReplySchema, post('/api/generate', { model: 'hf:org/other', keep_alive: '0s' }))).toMatchObject({
      done_reason: 'unload',
      response: '',
    })
  })

  test('says when it was cut off', async () => {
    const reply = await json(OllamaGenerateReplySchema, post('/api/generate', { ...PROMPT, prompt: 'long', stream: false }))
    expect(reply.done_reason).toBe('length')
  })
})

describe('errors', () => {
  test.each<[string, string, object, number, string]>([
    ['an image', '/api/chat', { ...HELLO, messages: [{ role: 'user', content: '', images: ['aGk='] }] }, 400, 'messages[0].images'],
    ['an image', '/api/generate', { model: 'scripted', prompt: 'x', images: ['aGk='] }, 400, 'images'],
    ['a template', '/api/generate', { model: 'scripted', prompt: 'x', template: '{{ .Prompt }}' }, 400, 'template'],
    ['a raw prompt with system', '/api/generate', { model: 'scripted', prompt: 'x', raw: true, system: 'y' }, 400, 'system'],
    ['a format of another name', '/api/chat', { ...HELLO, format: 'xml' }, 400, 'format'],
    ['a schema that is none', '/api/chat', { ...HELLO, format: { type: 'nothing' } }, 400, 'format.type'],
    ['an option of another type', '/api/chat', { ...HELLO, options: { temperature: 'hot' } }, 400, 'options.temperature'],
    ['a level that is none', '/api/chat', { ...HELLO, think: 'very' }, 400, 'think'],
    ['a keep_alive that is none', '/api/chat', { ...HELLO, keep_alive: 'soon' }, 400, 'keep_alive'],
    ['a role that is none', '/api/chat', { ...HELLO, messages: [{ role: 'king', content: 'x' }] }, 400, 'messages[0].role'],
    ['no model', '/api/chat', { messages: HELLO.messages }, 400, 'model'],
    ['an unknown model', '/api/chat', { ...HELLO, model: 'nobody:latest' }, 404, "model 'nobody' not found"],
    ['an unknown model', '/api/show', { model: 'nobody' }, 404, 'not found'],
    ['an unknown model', '/api/copy', { source: 'nobody', destination: 'x' }, 404, 'not found'],
    ['a shorter vector', '/api/embed', { model: 'scripted', input: 'x', dimensions: 4 }, 400, 'dimensions'],
    ['a push', '/api/push', { model: 'scripted' }, 400, 'push'],
    ['a system text of its own', '/api/create', { model: 'new', from: 'scripted', system: 'x' }, 400, 'system'],
    ['parameters', '/api/create', { model: 'new', from: 'scripted', parameters: { temperature: 1 } }, 400, 'parameters'],
    ['nothing to make it of', '/api/create', { model: 'new' }, 400, 'from'],
    ['no GGUF', '/api/create', { model: 'new', files: { 'a.safetensors': `sha256:${'0'.repeat(64)}` } }, 400, 'a.safetensors'],
    ['a path', '/api/create', { model: 'new', files: { '../a.gguf': `sha256:${'0'.repeat(64)}` } }, 400, 'files'],
  ])('name %s (%s)', async (_, path, body, status, words) => {
    const response = await post(path, body)
    expect(response.status).toBe(status)
    expect((await json(OllamaErrorSchema, response)).error).toContain(words)
  })

  test('have the same form whatever is wrong', async () => {
    expect((await post('/api/chat', '{')).status).toBe(400)
    await json(OllamaErrorSchema, post('/api/chat', '{'))
    const wrong = await server.get('/api/chat')
    expect(wrong.status).toBe(405)
    await json(OllamaErrorSchema, wrong)
  })

  test('that come in the middle are the last line', async () => {
    const lines = await linesOf(
      OllamaChatChunkSchema,
      await post('/api/chat', { ...HELLO, messages: [{ role: 'user', content: 'break' }] }),
    )
    expect(lines.at(-1)).toHaveProperty('error')
  })

  test('leave our own paths in our own form', async () => {
    expect(await (await server.get('/api/models/nobody')).json()).toMatchObject({ error: { code: 'model-not-found' } })
  })
})
