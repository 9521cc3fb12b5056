import { describe, expect, test } from 'vitest'
import { answer, finish, type Script } from '../../../test/fakes/scripted-engine.ts'
import { createScriptedServer, readChunks, readMessages } from '../../../test/fakes/scripted-server.ts'
import { deferred } from '../../base/async.ts'
import type { TokenLogprob } from '../../shared/generate.ts'
import { ChatChunkSchema, ChatCompletionSchema, OpenAiErrorSchema } from '../../shared/openai.ts'

const CHAT = { model: 'scripted', messages: [{ role: 'user', content: 'Hi' }] }

const logprob = (token: string): TokenLogprob => ({
  token,
  bytes: [...Buffer.from(token)],
  logprob: -0.5,
  top: [{ token: 'x', bytes: [120], logprob: -Infinity }],
})

describe('a reply that is not streamed', () => {
  test('has every field that OpenAI requires, and nothing that we did not declare', async () => {
    const { post } = createScriptedServer({ script: () => answer('Hello there', { reasoning: 'Let me think' }) })
    const response = await post('/v1/chat/completions', CHAT)
    expect(response.status).toBe(200)
    const body: unknown = await response.json()
    expect(ChatCompletionSchema.parse(body)).toEqual(body)
    expect(body).toMatchObject({
      object: 'chat.completion',
      model: 'scripted',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello there', refusal: null, reasoning_content: 'Let me think' },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17, prompt_tokens_details: { cached_tokens: 4 } },
      timings: { prompt_n: 8, cache_n: 4, predicted_n: 5, predicted_per_second: 100 },
    })
  })

  test('says which model "default" was, streamed or not', async () => {
    const { post, engine } = createScriptedServer({ script: () => answer('a') })
    const asked = { ...CHAT, model: 'default' }
    expect(await (await post('/v1/chat/completions', asked)).json()).toMatchObject({ model: 'scripted' })
    const chunks = (await readChunks(await post('/v1/chat/completions', { ...asked, stream: true }))).map((chunk) =>
      ChatChunkSchema.parse(chunk),
    )
    expect(new Set(chunks.map(({ model }) => model))).toEqual(new Set(['scripted']))
    expect(engine.requests.map(({ model }) => model)).toEqual(['scripted', 'scripted'])
  })

  test('has one choice for each of n', async () => {
    const { post } = createScriptedServer({ script: (request) => answer('same', { choices: request.choices, reason: 'length' }) })
    const body = ChatCompletionSchema.parse(await (await post('/v1/chat/completions', { ...CHAT, n: 3 })).json())
    expect(body.choices.map(({ index, message, finish_reason: reason }) => [index, message.content, reason])).toEqual([
      [0, 'same', 'length'],
      [1, 'same', 'length'],
      [2, 'same', 'length'],
    ])
  })

  test('carries logprobs, and says an impossible one with a number', async () => {
    const { post } = createScriptedServer({
      script: () => [
        { type: 'text-delta', choice: 0, text: 'hé', logprobs: [logprob('h'), logprob('é')] },
        { type: 'choice-end', choice: 0, reason: 'stop' },
        finish(),
      ],
    })
    const body = ChatCompletionSchema.parse(await (await post('/v1/chat/completions', { ...CHAT, logprobs: true, top_logprobs: 1 })).json())
    expect(body.choices[0]?.logprobs?.content?.[1]).toEqual({
      token: 'é',
      logprob: -0.5,
      bytes: [195, 169],
      top_logprobs: [{ token: 'x', logprob: -9999, bytes: [120] }],
    })
  })
})

test('what was dropped from a conversation that is too long is told in a header and in the reply', async () => {
  const notices = [{ code: 'truncated', droppedMessages: 4, droppedTokens: 900 } as const]
  const { post, engine } = createScriptedServer({ script: () => answer('Hi', { notices }) })
  const response = await post('/v1/chat/completions', CHAT, { 'x-bendi-truncation': 'auto' })
  expect(engine.requests[0]?.truncation).toBe('auto')
  expect(response.headers.get('x-bendi-truncated')).toBe('messages=4; tokens=900')
  expect(ChatCompletionSchema.parse(await response.json()).bendi).toEqual({
    notices: [{ code: 'truncated', dropped_messages: 4, dropped_tokens: 900 }],
  })
})

test("the flex tier gives way to everybody else, in both of OpenAI's surfaces", async () => {
  const { post, engine } = createScriptedServer()
  const chat = await post('/v1/chat/completions', { ...CHAT, service_tier: 'flex' })
  expect(ChatCompletionSchema.parse(await chat.json()).service_tier).toBe('flex')
  const response = await post('/v1/responses', { model: 'scripted', input: 'Hi', service_tier: 'flex' })
  expect(response.headers.get('x-bendi-ignored')).toBeNull()
  expect(await response.json()).toMatchObject({ service_tier: 'flex' })
  await (await post('/v1/chat/completions', CHAT)).json()
  expect(engine.requests.map(({ background }) => background)).toEqual([true, true, undefined])
})

test('thoughts stand in the text when the request wants them there; metadata and the tier come back', async () => {
  const { post } = createScriptedServer({ script: () => answer('Hi', { reasoning: 'hm', logprobs: 0 }) })
  const asked = { ...CHAT, reasoning_format: 'think', logprobs: true, metadata: { a: 'b' }, service_tier: 'priority' }
  const body = ChatCompletionSchema.parse(await (await post('/v1/chat/completions', asked)).json())
  expect(body).toMatchObject({ metadata: { a: 'b' }, service_tier: 'default' })
  expect(body.choices[0]?.message).toMatchObject({ content: '<think>\nhm\n</think>\n\nHi' })
  expect(body.choices[0]?.logprobs?.content?.map(({ token }) => token)).toEqual(['hm', 'Hi'])
  const hidden = await post('/v1/chat/completions', { ...asked, reasoning_format: 'hidden' })
  const { choices } = ChatCompletionSchema.parse(await hidden.json())
  expect(Object.keys(choices[0]?.message ?? {})).toEqual(['role', 'content', 'refusal', 'annotations'])
  expect(choices[0]?.logprobs?.reasoning_content).toBeUndefined()
})

describe('a streamed reply', () => {
  test('is a role, the deltas, the end of each choice, and [DONE]', async () => {
    const { post } = createScriptedServer({ script: (request) => answer('a b', { choices: request.choices }) })
    const response = await post('/v1/chat/completions', { ...CHAT, stream: true, n: 2 })
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    const messages = await readMessages(response)
    expect(messages.at(-1)).toEqual({ data: '[DONE]' })
    const chunks = messages.slice(0, -1).map(({ data }) => ChatChunkSchema.parse(JSON.parse(data ?? '')))
    for (const choice of [0, 1]) {
      const own = chunks.flatMap(({ choices }) => choices.filter(({ index }) => index === choice))
      expect(own[0]?.delta).toEqual({ role: 'assistant', content: '', refusal: null })
      expect(own.map(({ delta }) => delta.content ?? '').join('')).toBe('a b')
      expect(own.map(({ finish_reason: reason }) => reason).filter(Boolean)).toEqual(['stop'])
      expect(own.at(-1)?.finish_reason).toBe('stop')
    }
    expect(chunks.every((chunk) => !('usage' in chunk))).toBe(true)
    expect(chunks.filter((chunk) => chunk.timings).length).toBe(1)
    expect(chunks.at(-1)?.timings?.predicted_n).toBe(4)
    expect(new Set(chunks.map(({ id, created }) => `${id} ${created}`)).size).toBe(1)
  })

  test('ends with the usage when that is asked for, null before', async () => {
    const { post } = createScriptedServer({ script: () => answer('a b') })
    const response = await post('/v1/chat/completions', { ...CHAT, stream: true, stream_options: { include_usage: true } })
    const chunks = (await readChunks(response)).map((chunk) => ChatChunkSchema.parse(chunk))
    const last = chunks.pop()
    expect(last).toMatchObject({ choices: [], usage: { total_tokens: 14 }, timings: { prompt_n: 8 } })
    expect(chunks.every(({ usage, timings }) => usage === null && timings === undefined)).toBe(true)
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
  })

  test('keeps thoughts, logprobs and tool calls apart from the text', async () => {
    const { post } = createScriptedServer({
      script: () => [
        { type: 'reasoning-delta', choice: 0, text: 'hm', logprobs: [logprob('hm')] },
        { type: 'text-delta', choice: 0, text: 'yes', logprobs: [logprob('yes')] },
        { type: 'tool-call-delta', choice: 0, call: 0, id: 'call_1', name: 'f', arguments: '' },
        { type: 'tool-call-delta', choice: 0, call: 0, arguments: '{"a":1}' },
        { type: 'choice-end', choice: 0, reason: 'tool-calls' },
        finish(),
      ],
    })
    const chunks = (await readChunks(await post('/v1/chat/completions', { ...CHAT, stream: true, logprobs: true }))).map((chunk) =>
      ChatChunkSchema.parse(chunk),
    )
    const choices = chunks.flatMap((chunk) => chunk.choices)
    expect(choices.map(({ delta }) => delta.reasoning_content ?? '').join('')).toBe('hm')
    expect(choices.map(({ delta }) => delta.content ?? '').join('')).toBe('yes')
    expect(choices.flatMap(({ delta }) => delta.tool_calls ?? []).map((call) => call.function.arguments)).toEqual(['', '{"a":1}'])
    expect(choices.flatMap(({ logprobs }) => logprobs?.content ?? []).map(({ token }) => token)).toEqual(['yes'])
    expect(choices.flatMap(({ logprobs }) => logprobs?.reasoning_content ?? []).map(({ token }) => token)).toEqual(['hm'])
    expect(choices.at(-1)?.finish_reason).toBe('tool_calls')
  })

  test('an error before the first word keeps its HTTP status', async () => {
    const error = { code: 'prompt-too-long', data: { needed: 9000, window: 4096, possible: 8192 }, message: '' }
    const script: Script = () => [
      { type: 'queued', position: 1 },
      { type: 'error', error },
    ]
    const { post } = createScriptedServer({ script })
    const response = await post('/v1/chat/completions', { ...CHAT, stream: true })
    expect(response.status).toBe(400)
    const body = OpenAiErrorSchema.parse(await response.json())
    expect(body.error.code).toBe('context_length_exceeded')
    expect(body.error.message).toContain('9000')
    expect(body.error.bendi).toEqual({ code: 'prompt-too-long', data: error.data })
  })

  test('an unknown model is a 404 that names those there are, streamed or not', async () => {
    const { post } = createScriptedServer()
    for (const stream of [true, false]) {
      const response = await post('/v1/chat/completions', { ...CHAT, model: 'gpt-4o', stream })
      expect(response.status).toBe(404)
      const { error } = OpenAiErrorSchema.parse(await response.json())
      expect(error).toMatchObject({ type: 'invalid_request_error', param: 'model', code: 'model_not_found' })
      expect(error.message).toContain('scripted, hf:org/other')
    }
  })

  test('an error after the first word is an event, and the stream ends without [DONE]', async () => {
    const error = { code: 'engine-crashed', data: { model: 'scripted', reason: 'SIGKILL' }, message: '' }
    const { post } = createScriptedServer({
      script: () => [
        { type: 'text-delta', choice: 0, text: 'Hel' },
        { type: 'error', error },
      ],
    })
    const response = await post('/v1/chat/completions', { ...CHAT, stream: true }, { 'accept-language': 'zh-CN,zh;q=0.9' })
    expect(response.status).toBe(200)
    const messages = await readMessages(response)
    const last = OpenAiErrorSchema.parse(JSON.parse(messages.at(-1)?.data ?? ''))
    expect(last.error).toMatchObject({ code: 'engine_crashed', type: 'server_error' })
    expect(last.error.message).toContain('引擎意外退出')
  })

  test('tells in comments why it waits, once the headers cannot wait any longer', async () => {
    const gate = deferred<void>()
    const { post } = createScriptedServer({
      timing: { hold: 1, keepAlive: 10_000 },
      script: () => [
        { type: 'queued', position: 3 },
        { type: 'loading', model: 'deepseek-r1:1.5b', fraction: 0.4 },
        gate.promise,
        ...answer('Hi'),
      ],
    })
    // Resolves with the headers although no word has come yet.
    const response = await post('/v1/chat/completions', { ...CHAT, stream: true })
    expect(response.status).toBe(200)
    const reader = response.body?.getReader()
    const first = await reader?.read()
    expect(Buffer.from(first?.value ?? []).toString()).toBe(': loading deepseek-r1:1.5b 40%\n\n')
    gate.resolve()
    let rest = ''
    for (let part = await reader?.read(); part?.value; part = await reader?.read()) rest += Buffer.from(part.value).toString()
    expect(rest).toContain('"content":"Hi"')
    expect(rest.endsWith('data: [DONE]\n\n')).toBe(true)
  })

  test('sends a comment when it has been silent for long', async () => {
    const gate = deferred<void>()
    const { post } = createScriptedServer({ timing: { hold: 1, keepAlive: 2 }, script: () => [gate.promise, ...answer('Hi')] })
    const response = await post('/v1/chat/completions', { ...CHAT, stream: true })
    const reader = response.body?.getReader()
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe(': keep-alive\n\n')
    gate.resolve()
    await reader?.cancel()
  })
})

describe('a client that goes away', () => {
  test('ends the generation when it stops reading', async () => {
    const { post, engine } = createScriptedServer({ script: () => [{ type: 'text-delta', choice: 0, text: 'a' }, new Promise(() => {})] })
    const response = await post('/v1/chat/completions', { ...CHAT, stream: true })
    expect(engine.live).toBe(1)
    await response.body?.cancel()
    await expect.poll(() => engine.live).toBe(0)
  })

  test('ends the generation when it aborts, also before the first word and when it does not stream', async () => {
    const { app, engine } = createScriptedServer({ script: () => [new Promise(() => {})] })
    for (const stream of [true, false]) {
      const controller = new AbortController()
      const headers = { 'content-type': 'application/json' }
      const init = { method: 'POST', headers, body: JSON.stringify({ ...CHAT, stream }), signal: controller.signal }
      const response = app.request('/v1/chat/completions', init)
      await expect.poll(() => engine.live).toBe(1)
      controller.abort()
      await expect.poll(() => engine.live).toBe(0)
      expect((await response).status).toBe(499)
    }
  })
})
