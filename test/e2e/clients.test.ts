/** The clients that people use, against a listening server with a scripted engine. */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { HumanMessage } from '@langchain/core/messages'
import { tool as langchainTool } from '@langchain/core/tools'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { embedMany, generateObject, generateText, stepCountIs, streamText, tool } from 'ai'
import OpenAI, { APIUserAbortError } from 'openai'
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { silentLogger } from '../../src/base/logger.ts'
import { listen, type Listening } from '../../src/server/listen.ts'
import { answer, type Script } from '../fakes/scripted-engine.ts'
import { createScriptedServer, type ScriptedServer } from '../fakes/scripted-server.ts'

let server: ScriptedServer
let listening: Listening
let baseURL: string

beforeAll(async () => {
  server = createScriptedServer()
  listening = await listen(server.app, { host: '127.0.0.1', port: 0, logger: silentLogger })
  baseURL = `${listening.address}/v1`
})

afterAll(() => listening.close(0))

beforeEach(() => server.engine.setScript(weatherScript))

const Weather = z.object({ city: z.string(), degrees: z.number() })

/** Calls the tool when there is one, until its result has come; gives JSON where JSON is wanted; otherwise thinks and talks. */
const weatherScript: Script = (request) => {
  const { prompt, output } = request
  const messages = prompt.type === 'messages' ? prompt.messages : []
  const hasResult = messages.some(({ role }) => role === 'tool')
  if (prompt.type === 'messages' && prompt.tools?.length && !hasResult) {
    return answer('', {
      reasoning: 'a tool knows',
      calls: [{ id: 'call_abc', name: prompt.tools[0]?.name ?? '', arguments: '{"city":"Oslo"}' }],
    })
  }
  if (output?.type === 'json-schema' || output?.type === 'json-object') return answer('{"city": "Oslo", "degrees": -3}')
  return answer(hasResult ? `It is ${messages.at(-1)?.content}` : 'Hello there you', { reasoning: 'let me think' })
}

const lastRequest = (): ScriptedServer['engine']['requests'][number] | undefined => server.engine.requests.at(-1)

describe('openai', () => {
  const messages = [{ role: 'user' as const, content: 'How warm is Oslo?' }]
  const client = (): OpenAI => new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 })

  test('streams with its helper, which tells contents, calls and usage', async () => {
    const stream = client().chat.completions.stream({ model: 'scripted', messages, stream_options: { include_usage: true } })
    const pieces: string[] = []
    stream.on('content', (delta) => pieces.push(delta))
    const completion = await stream.finalChatCompletion()
    expect(pieces.join('')).toBe('Hello there you')
    expect(completion.choices[0]?.message.content).toBe('Hello there you')
    expect((await stream.totalUsage()).completion_tokens).toBe(6)
  })

  test('parses what a zod schema asked for', async () => {
    const format = zodResponseFormat(Weather, 'weather')
    const completion = await client().chat.completions.parse({ model: 'scripted', messages, response_format: format })
    expect(completion.choices[0]?.message.parsed).toEqual({ city: 'Oslo', degrees: -3 })
    expect(lastRequest()?.output).toMatchObject({ type: 'json-schema', name: 'weather', schema: { required: ['city', 'degrees'] } })
  })

  test.each([false, true])('runs tools to the end (stream: %s)', async (stream) => {
    const weather = zodFunction({ name: 'weather', parameters: z.object({ city: z.string() }), function: ({ city }) => `cold in ${city}` })
    const body = { model: 'scripted', messages, tools: [weather] }
    const runner = stream ? client().chat.completions.runTools({ ...body, stream: true }) : client().chat.completions.runTools(body)
    expect(await runner.finalContent()).toBe('It is cold in Oslo')
    expect(lastRequest()?.prompt).toMatchObject({ messages: [{}, { toolCalls: [{ id: 'call_abc' }] }, { toolCallId: 'call_abc' }] })
  })

  test('aborting its stream ends the generation', async () => {
    server.engine.setScript(() => [{ type: 'text-delta', choice: 0, text: 'a' }, new Promise(() => {})])
    const stream = client().chat.completions.stream({ model: 'scripted', messages })
    stream.on('content', () => stream.abort())
    await expect(stream.done()).rejects.toBeInstanceOf(APIUserAbortError)
    await expect.poll(() => server.engine.live).toBe(0)
  })

  test('makes vectors', async () => {
    const { data } = await client().embeddings.create({ model: 'scripted', input: ['a', 'b'] })
    expect(data.map(({ embedding }) => embedding.length)).toEqual([8, 8])
  })
})

describe('ai with @ai-sdk/openai-compatible', () => {
  const provider = (): ReturnType<typeof createOpenAICompatible> =>
    createOpenAICompatible({ name: 'bendi', baseURL, supportsStructuredOutputs: true })
  const weather = tool({
    description: 'How warm it is',
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `cold in ${city}`,
  })

  test('generates text, apart from the thoughts', async () => {
    const { text, reasoningText, usage, finishReason } = await generateText({ model: provider()('scripted'), prompt: 'Hi' })
    expect([text, reasoningText, finishReason]).toEqual(['Hello there you', 'let me think', 'stop'])
    expect(usage).toMatchObject({ inputTokens: 12, outputTokens: 6 })
  })

  test('streams text and thoughts', async () => {
    const result = streamText({ model: provider()('scripted'), prompt: 'Hi' })
    let text = ''
    for await (const part of result.textStream) text += part
    expect([text, await result.reasoningText]).toEqual(['Hello there you', 'let me think'])
  })

  test('calls tools, streamed or not', async () => {
    const options = { model: provider()('scripted'), prompt: 'How warm is Oslo?', tools: { weather }, stopWhen: stepCountIs(3) }
    expect((await generateText(options)).text).toBe('It is cold in Oslo')
    expect(await streamText(options).text).toBe('It is cold in Oslo')
  })

  test('generates an object by its schema', async () => {
    const { object } = await generateObject({ model: provider()('scripted'), schema: Weather, prompt: 'How warm is Oslo?' })
    expect(object).toEqual({ city: 'Oslo', degrees: -3 })
    expect(lastRequest()?.output?.type).toBe('json-schema')
  })

  test('makes vectors', async () => {
    const { embeddings } = await embedMany({ model: provider().textEmbeddingModel('scripted'), values: ['a', 'b'] })
    expect(embeddings.map((vector) => vector.length)).toEqual([8, 8])
  })

  test('aborting ends the generation', async () => {
    server.engine.setScript(() => [{ type: 'text-delta', choice: 0, text: 'a' }, new Promise(() => {})])
    const controller = new AbortController()
    const result = streamText({ model: provider()('scripted'), prompt: 'Hi', abortSignal: controller.signal })
    for await (const _ of result.textStream) controller.abort()
    await expect.poll(() => server.engine.live).toBe(0)
  })
})

describe('@langchain/openai', () => {
  const chat = (): ChatOpenAI => new ChatOpenAI({ model: 'scripted', apiKey: 'none', configuration: { baseURL }, maxRetries: 0 })
  const weather = langchainTool(async ({ city }: { city: string }) => `cold in ${city}`, {
    name: 'weather',
    description: 'How warm it is',
    schema: z.object({ city: z.string() }),
  })

  test('answers, with usage', async () => {
    const reply = await chat().invoke('Hi')
    expect(reply.content).toBe('Hello there you')
    expect(reply.usage_metadata).toMatchObject({ input_tokens: 12, output_tokens: 6 })
  })

  test('streams', async () => {
    let text = ''
    for await (const chunk of await chat().stream('Hi')) text += String(chunk.content)
    expect(text).toBe('Hello there you')
  })

  test('calls tools, and takes their results', async () => {
    const model = chat().bindTools([weather])
    const question = new HumanMessage('How warm is Oslo?')
    const reply = await model.invoke([question])
    expect(reply.tool_calls).toMatchObject([{ id: 'call_abc', name: 'weather', args: { city: 'Oslo' } }])
    const [call] = reply.tool_calls ?? []
    if (!call) throw new Error('no call came')
    const result = await weather.invoke({ ...call, type: 'tool_call' })
    expect((await model.invoke([question, reply, result])).content).toBe('It is cold in Oslo')
  })

  test.each(['jsonSchema', 'functionCalling'] as const)('gives structured output by %s', async (method) => {
    if (method === 'functionCalling') {
      server.engine.setScript(() => answer('', { calls: [{ id: 'call_1', name: 'extract', arguments: '{"city":"Oslo","degrees":-3}' }] }))
    }
    expect(await chat().withStructuredOutput(Weather, { method }).invoke('How warm is Oslo?')).toEqual({ city: 'Oslo', degrees: -3 })
  })

  test('makes vectors', async () => {
    const vectors = await new OpenAIEmbeddings({ model: 'scripted', apiKey: 'none', configuration: { baseURL } }).embedDocuments(['a', 'b'])
    expect(vectors.map((vector) => vector.length)).toEqual([8, 8])
  })
})
