/** The official client against the real server with the real small model: what a scripted engine cannot know. */
import OpenAI from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { silentLogger } from '../../src/base/logger.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { createApp } from '../../src/server/app.ts'
import { listen, type Listening } from '../../src/server/listen.ts'
import { createScriptedPlatform } from '../fakes/scripted-platform.ts'
import { realModel } from '../fixtures/real-model.ts'
import { engineBench } from '../model/engine-harness.ts'
import * as published from './openai-published.ts'

const model = await realModel()
if (typeof model !== 'string') console.warn(`skipped: ${model.skip}`)

describe.skipIf(typeof model !== 'string')('the real small model', () => {
  let bench: Awaited<ReturnType<typeof engineBench>>
  let engine: Engine
  let listening: Listening
  let client: OpenAI

  beforeAll(async () => {
    bench = await engineBench()
    engine = await bench.open(String(model), { context: 1024, parallel: 4 })
    const platform = {
      ...createScriptedPlatform(),
      generate: engine.generate.bind(engine),
      embed: engine.embed.bind(engine),
      rerank: engine.rerank.bind(engine),
      closeThought: engine.closeThought.bind(engine),
      tokenize: (_: string, prompt: Parameters<Engine['tokenize']>[0]) => engine.tokenize(prompt),
      detokenize: (_: string, tokens: readonly number[]) => engine.detokenize(tokens),
      render: (_: string, prompt: Parameters<Engine['render']>[0]) => engine.render(prompt),
    }
    const app = createApp({ platform, logger: silentLogger, version: '0.0.0-test', corsOrigins: [], allowedHosts: () => [] })
    listening = await listen(app, { host: '127.0.0.1', port: 0, logger: silentLogger })
    client = new OpenAI({ baseURL: `${listening.address}/v1`, apiKey: 'none', maxRetries: 0, timeout: 100_000 })
  })

  afterAll(async () => {
    await listening.close(0)
    await bench.close()
  })

  const messages = [{ role: 'user' as const, content: 'Say hello.' }]
  const post = async (path: string, body: object): Promise<unknown> => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    return (await fetch(listening.address + path, init)).json()
  }

  test('answers in the published form, the same streamed and not', async () => {
    const body = { model: 'scripted', messages, temperature: 0, max_tokens: 12, logprobs: true, top_logprobs: 2 }
    const whole = published.chatCompletion.parse(await post('/v1/chat/completions', body))
    const stream = client.chat.completions.stream(body)
    const streamed = await stream.finalChatCompletion()
    expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content)
    const tokens = whole.choices[0]?.logprobs?.content ?? []
    expect(tokens.flatMap(({ bytes }) => bytes ?? [])).toEqual([...Buffer.from(whole.choices[0]?.message.content ?? '')])
  })

  test('keeps to a JSON schema, which the helper parses', async () => {
    const Person = z.object({ name: z.string(), age: z.int() })
    const response_format = zodResponseFormat(Person, 'person')
    const body = { model: 'scripted', messages, temperature: 0, max_tokens: 80, response_format }
    const reply = await client.chat.completions.parse(body).catch((error: unknown) => error)
    // A model this small may talk until it is cut off; what it says until then is JSON of that form all the same.
    if (reply instanceof Error) expect(reply.message).toMatch(/length/)
    else
      expect(
        Object.keys((reply as OpenAI.ChatCompletion & { choices: { message: { parsed: object } }[] }).choices[0]?.message.parsed ?? {}),
      ).toEqual(['name', 'age'])
  })

  test('calls the tool that it must call, with arguments that are JSON', async () => {
    const weather = {
      type: 'function' as const,
      function: {
        name: 'weather',
        parameters: { type: 'object', properties: { city: { enum: ['Oslo', 'Rome'] } }, required: ['city'], additionalProperties: false },
      },
    }
    const body = { model: 'scripted', messages, temperature: 0, max_tokens: 80, tools: [weather], tool_choice: 'required' as const }
    const { choices } = published.chatCompletion.parse(await post('/v1/chat/completions', body))
    const [call] = choices[0]?.message.tool_calls ?? []
    expect(call?.function.name).toBe('weather')
    expect(['Oslo', 'Rome']).toContain((JSON.parse(call?.function.arguments ?? '{}') as { city: string }).city)
  })

  test('echoes with the log-probabilities of the prompt', async () => {
    const body = { model: 'scripted', prompt: 'The capital of France is', echo: true, logprobs: 1, max_tokens: 2, temperature: 0 }
    const { choices } = published.completion.parse(await post('/v1/completions', body))
    expect(choices[0]?.text.startsWith('The capital of France is')).toBe(true)
    expect(choices[0]?.logprobs?.tokens.join('')).toBe(choices[0]?.text)
    expect(choices[0]?.logprobs?.token_logprobs.slice(1).every((logprob) => logprob < 0)).toBe(true)
  })

  test('turns a text into tokens and back, and shows what it reads', async () => {
    const { tokens } = (await post('/tokenize', { content: 'Hello 世界' })) as { tokens: number[] }
    expect(await post('/detokenize', { tokens })).toEqual({ content: 'Hello 世界' })
    expect(await post('/apply-template', { messages })).toMatchObject({ prompt: expect.stringContaining('Say hello.') })
  })

  test('says what it cannot do: fill in the middle, rank', async () => {
    expect(published.errorReply.parse(await post('/infill', { input_prefix: 'a', input_suffix: 'b' })).error.code).toBe(
      'infill_unsupported',
    )
    expect(published.errorReply.parse(await post('/v1/rerank', { model: 'scripted', query: 'q', documents: ['d'] })).error.code).toBe(
      'cannot_rerank',
    )
  })
})
