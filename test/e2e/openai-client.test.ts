/** The official OpenAI client against a listening server with a scripted engine. */
import OpenAI, { type APIError, APIUserAbortError, BadRequestError, InternalServerError, NotFoundError } from 'openai'
import { afterEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../src/base/logger.ts'
import { listen, type Listening } from '../../src/server/listen.ts'
import { AppError } from '../../src/shared/errors.ts'
import type { ChatChunk, ChatCompletion, Completion, EmbeddingList, OpenAiModel } from '../../src/shared/openai.ts'
import { answer, finish, type Script } from '../fakes/scripted-engine.ts'
import { createScriptedServer, type ScriptedServer, type ScriptedServerOptions } from '../fakes/scripted-server.ts'

const open: Listening[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close(0)))
})

async function start(options: ScriptedServerOptions = {}): Promise<ScriptedServer & { client: OpenAI; address: string }> {
  const server = createScriptedServer(options)
  const listening = await listen(server.app, { host: '127.0.0.1', port: 0, logger: silentLogger })
  open.push(listening)
  const client = new OpenAI({ baseURL: `${listening.address}/v1`, apiKey: 'none', maxRetries: 0 })
  return { ...server, client, address: listening.address }
}

const CHAT = { model: 'scripted', messages: [{ role: 'user' as const, content: 'Hi' }] }
const failing = (error: AppError): Script => {
  const { code, data, message } = error
  return () => [{ type: 'error', error: { code, data, message } }]
}

describe('chat.completions', () => {
  test('answers', async () => {
    const { client, engine } = await start({ script: () => answer('Hello there') })
    const completion = await client.chat.completions.create({
      ...CHAT,
      temperature: 0.5,
      seed: -7,
      stop: ['END'],
      max_completion_tokens: 5,
    })
    expect(completion.choices[0]?.message.content).toBe('Hello there')
    expect(completion.usage?.total_tokens).toBe(14)
    expect(engine.requests[0]).toMatchObject({
      model: 'scripted',
      prompt: { type: 'messages', messages: [{ role: 'user', content: 'Hi' }] },
      sampling: { temperature: 0.5, seed: 2 ** 32 - 7 },
      stop: ['END'],
      maxTokens: 5,
    })
  })

  test('streams, with usage', async () => {
    const { client } = await start({ script: () => answer('one two three', { reasoning: 'hm' }) })
    const stream = await client.chat.completions.create({ ...CHAT, stream: true, stream_options: { include_usage: true } })
    let text = ''
    let usage: OpenAI.CompletionUsage | null | undefined
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      usage = chunk.usage
    }
    expect(text).toBe('one two three')
    expect(usage).toMatchObject({ completion_tokens: 4, completion_tokens_details: { reasoning_tokens: 1 } })
  })

  test('works with the stream helper, which checks the order of things', async () => {
    const { client } = await start({ script: () => answer('one two three') })
    const runner = client.chat.completions.stream(CHAT)
    const completion = await runner.finalChatCompletion()
    expect(completion.choices[0]?.message).toMatchObject({ role: 'assistant', content: 'one two three', refusal: null })
    expect(completion.choices[0]?.finish_reason).toBe('stop')
  })

  test('leaving the loop ends the generation', async () => {
    const { client, engine } = await start({ script: () => [{ type: 'text-delta', choice: 0, text: 'a' }, new Promise(() => {})] })
    for await (const chunk of await client.chat.completions.create({ ...CHAT, stream: true })) {
      expect(chunk.choices[0]?.delta).toBeDefined()
      break
    }
    await expect.poll(() => engine.live).toBe(0)
  })

  test('aborting a reply that is not streamed ends the generation', async () => {
    const { client, engine } = await start({ script: () => [new Promise(() => {})] })
    const controller = new AbortController()
    const reply = client.chat.completions.create(CHAT, { signal: controller.signal })
    await expect.poll(() => engine.live).toBe(1)
    controller.abort()
    await expect(reply).rejects.toBeInstanceOf(APIUserAbortError)
    await expect.poll(() => engine.live).toBe(0)
  })

  test('errors are its own exceptions, streamed or not', async () => {
    const tooLong = new AppError('prompt-too-long', { needed: 9000, window: 4096, possible: 8192 })
    const { client } = await start({ script: failing(tooLong) })
    for (const stream of [true, false]) {
      const error = await client.chat.completions.create({ ...CHAT, stream }).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(BadRequestError)
      expect(error).toMatchObject({ status: 400, code: 'context_length_exceeded', type: 'invalid_request_error', param: null })
      expect((error as APIError).requestID).toMatch(/^req_/)
    }
  })

  test('an unknown model is NotFoundError, a crashed engine InternalServerError', async () => {
    const { client, engine } = await start()
    await expect(client.chat.completions.create({ ...CHAT, model: 'gpt-4o' })).rejects.toBeInstanceOf(NotFoundError)
    engine.setScript(failing(new AppError('engine-crashed', { model: 'scripted', reason: 'SIGKILL' })))
    await expect(client.chat.completions.create(CHAT)).rejects.toBeInstanceOf(InternalServerError)
  })

  test('an error in mid-stream is thrown to the reader', async () => {
    const { code, data, message } = new AppError('engine-crashed', { model: 'scripted', reason: 'SIGKILL' })
    const { client } = await start({
      script: () => [
        { type: 'text-delta', choice: 0, text: 'Hel' },
        { type: 'error', error: { code, data, message } },
      ],
    })
    const stream = await client.chat.completions.create({ ...CHAT, stream: true })
    const read = async (): Promise<string> => {
      let text = ''
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
      return text
    }
    await expect(read()).rejects.toThrow(/ended unexpectedly/)
  })

  test('a field that cannot be honoured is refused by name', async () => {
    const { client } = await start()
    const error = await client.chat.completions.create({ ...CHAT, store: true }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ status: 400, code: 'unsupported_field', param: 'store' })
  })
})

describe('completions', () => {
  test('several prompts are several choices, in order, streamed or not', async () => {
    const script: Script = (request) => answer(request.prompt.type === 'text' ? ` after ${request.prompt.text}` : '')
    const { client } = await start({ script })
    const prompt = ['a', 'b', 'c']
    const reply = await client.completions.create({ model: 'scripted', prompt, echo: true })
    expect(reply.choices.map((choice) => choice.text)).toEqual(['a after a', 'b after b', 'c after c'])
    expect(reply.usage?.prompt_tokens).toBe(36)
    const texts = ['', '', '']
    for await (const chunk of await client.completions.create({ model: 'scripted', prompt, echo: true, stream: true })) {
      for (const choice of chunk.choices) texts[choice.index] += choice.text
    }
    expect(texts).toEqual(['a after a', 'b after b', 'c after c'])
  })
})

describe('embeddings', () => {
  test('the default (base64, which the client asks for) and float give the same vectors', async () => {
    const { client } = await start()
    const input = ['first', 'second']
    const encoded = await client.embeddings.create({ model: 'scripted', input })
    const plain = await client.embeddings.create({ model: 'scripted', input, encoding_format: 'float' })
    expect(encoded.data.map(({ index }) => index)).toEqual([0, 1])
    expect(encoded.data[0]?.embedding).toHaveLength(8)
    expect(encoded.data.map(({ embedding }) => Array.from(embedding))).toEqual(plain.data.map(({ embedding }) => embedding))
    expect(encoded.usage).toEqual({ prompt_tokens: 11, total_tokens: 11 })
  })
})

describe('models', () => {
  test('lists them, and finds one whose name holds a slash', async () => {
    const { client } = await start()
    const names: string[] = []
    for await (const model of client.models.list()) names.push(model.id)
    expect(names).toEqual(['scripted', 'hf:org/other'])
    expect(await client.models.retrieve('hf:org/other')).toMatchObject({ id: 'hf:org/other', object: 'model' })
    await expect(client.models.retrieve('nothing')).rejects.toBeInstanceOf(NotFoundError)
  })
})

test('our types of replies are assignable to the ones of the official client', () => {
  // Checked by the compiler: these assignments are the test, and the values only keep them honest at run time.
  const chunk = (value: ChatChunk): OpenAI.ChatCompletionChunk => value
  const completion = (value: ChatCompletion): OpenAI.ChatCompletion => value
  const legacy = (value: Completion): OpenAI.Completion => value
  const model = (value: OpenAiModel): OpenAI.Model => value
  const usage = (value: EmbeddingList['usage']): OpenAI.CreateEmbeddingResponse['usage'] => value
  expect([chunk, completion, legacy, model, usage]).toHaveLength(5)
  expect(finish().type).toBe('finish')
})
