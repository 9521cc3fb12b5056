/** Answers held to a form, thoughts with a budget and what else issue 5 asks of the engine, through the real engine. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import type { GenerateEvent, GenerateRequest, Message } from '../../src/shared/generate.ts'
import { realModel } from '../fixtures/real-model.ts'
import { TINY_TEMPLATE, writeTinyModel } from '../fixtures/tiny-gguf.ts'
import { collect, engineBench, request } from './engine-harness.ts'
import type { Answer } from './engine-harness.ts'

const model = await realModel()
const bench = await engineBench()
afterAll(() => bench.close())

const SCHEMA = {
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 20 },
    age: { type: 'integer', maximum: 150, minimum: 0 },
    kind: { enum: ['学生', '🧑‍🏫'] },
  },
  required: ['name', 'age', 'kind'],
  additionalProperties: false,
}
const OUTPUT: GenerateRequest['output'] = { type: 'json-schema', schema: SCHEMA }

function conversation(
  content: string,
  rest: Partial<Extract<GenerateRequest['prompt'], { type: 'messages' }>> = {},
): GenerateRequest['prompt'] {
  return { type: 'messages', messages: [{ role: 'user', content }], ...rest }
}

async function run(engine: Engine, wish: GenerateRequest): Promise<Answer & { events: GenerateEvent[] }> {
  const events: GenerateEvent[] = []
  const answer = await collect(engine.generate(wish), (event) => events.push(event))
  return { ...answer, events }
}

function notices(events: readonly GenerateEvent[]): unknown[] {
  return events.flatMap((event) => (event.type === 'notice' ? [event.notice] : []))
}

describe.skipIf(typeof model !== 'string')('the small real model', () => {
  let engine: Engine
  beforeAll(async () => {
    // Room for 700 tokens in all.
    engine = await bench.open(String(model), { parallel: 3, context: 512, kvBytes: 700 * 23040 })
  }, 60_000)

  const person = conversation('Describe a person as JSON.')

  test('every choice keeps to the schema, Chinese and emoji included, and logprobs spell the text', async () => {
    const wish = request(person, { output: OUTPUT, choices: 3, logprobs: 2, sampling: { temperature: 1.2, seed: 7 }, maxTokens: 120 })
    const answer = await run(engine, wish)
    expect(answer.reasons).toEqual(['stop', 'stop', 'stop'])
    for (const text of answer.texts) {
      expect(JSON.parse(text)).toEqual({ name: expect.any(String), age: expect.any(Number), kind: expect.stringMatching(/^(学生|🧑‍🏫)$/u) })
    }
    for (const choice of [0, 1, 2]) {
      const deltas = answer.events.filter((event) => event.type === 'text-delta' && event.choice === choice)
      const bytes = deltas.flatMap((event) => (event.type === 'text-delta' ? (event.logprobs ?? []) : [])).flatMap((each) => each.bytes)
      expect(Buffer.from(bytes).toString()).toBe(answer.texts[choice])
    }
  }, 60_000)

  test('the same request in deterministic mode gives the same bytes, and still JSON', async () => {
    const wish = { output: OUTPUT, deterministic: true, sampling: { temperature: 0.9, seed: 3 }, maxTokens: 120 }
    const first = await run(engine, request(person, wish))
    const second = await run(engine, request(person, wish))
    expect(first.error).toBeUndefined()
    expect(JSON.parse(first.texts[0] ?? '')).toMatchObject({ age: expect.any(Number) })
    expect(second.texts).toEqual(first.texts)
  }, 60_000)

  test('guesses that are right are taken under a grammar too', async () => {
    const line = 'The quick brown fox jumps over the lazy dog.\n'
    const wish = { output: { type: 'grammar' as const, grammar: `root ::= (${JSON.stringify(line)}){4}` }, maxTokens: 120 }
    const answer = await run(engine, request(line.repeat(4), wish))
    expect(answer.texts).toEqual([line.repeat(4)])
    expect(answer.reasons).toEqual(['stop'])
    expect(answer.timings?.acceptedTokens).toBeGreaterThan(0)
  }, 60_000)

  test('a tool that must be called is called, with arguments that its schema allows', async () => {
    const parameters = {
      type: 'object',
      properties: { city: { type: 'string', maxLength: 12 } },
      required: ['city'],
      additionalProperties: false,
    }
    const prompt = conversation('What is the weather in Paris?', { tools: [{ name: 'get_weather', parameters }] })
    const answer = await run(engine, request(prompt, { toolChoice: { type: 'named', name: 'get_weather' }, maxTokens: 120 }))
    const calls = answer.events.filter((event) => event.type === 'tool-call-delta')
    expect(calls[0]).toMatchObject({ name: 'get_weather', id: expect.stringMatching(/^call_/) })
    const text = calls.map((event) => (event.type === 'tool-call-delta' ? event.arguments : '')).join('')
    expect(JSON.parse(text)).toEqual({ city: expect.any(String) })
    expect(answer.reasons).toEqual(['tool-calls'])
    expect(answer.texts.join('').trim()).toBe('')
  }, 60_000)

  test('hostile grammars and patterns end with an error or an answer in their form, and nobody waits for them', async () => {
    const gaps: number[] = []
    let last = performance.now()
    const long = collect(engine.generate(request('Once upon a time', { maxTokens: 200, ignoreEos: true })), () => {
      gaps.push(performance.now() - last)
      last = performance.now()
    })
    const hostile: Partial<GenerateRequest>[] = [
      { output: { type: 'grammar', grammar: 'root ::= (x | x){100}\nx ::= [a-z]* x?' } },
      { sampling: { temperature: 0, grammar: 'root ::= (x | x){100}\nx ::= [a-z]* x?' } },
      { output: { type: 'regex', pattern: '((a{1,1000}){1,1000}){1,1000}' } },
    ]
    for (const wish of hostile) {
      const { error, ends, texts } = await run(engine, request('x', { ...wish, maxTokens: 4 }))
      // A fast machine may do what another one refuses.
      if (error) expect(error.code).toMatch(/^invalid-(grammar|pattern)$|^constraint-too-slow$/)
      else expect(texts[0]).toMatch(/^[a-z]+$/)
      expect(ends).toBe(1)
    }
    expect((await long).error).toBeUndefined()
    // Half of what a compilation may take; steps of a busy machine take far less.
    expect(Math.max(...gaps.slice(1))).toBeLessThan(2_500)
  }, 90_000)

  test('a lock on English does not change an English answer with code and names', async () => {
    const prompt = conversation('Write a Python function add(a, b) that adds two numbers, with a docstring by José Núñez.')
    const free = await run(engine, request(prompt, { deterministic: true, maxTokens: 60 }))
    const locked = await run(engine, request(prompt, { deterministic: true, language: 'en', maxTokens: 60 }))
    expect(locked.texts).toEqual(free.texts)
    const chinese = conversation('请用中文写一首关于春天的诗。')
    const answer = await run(engine, request(chinese, { language: 'en', sampling: { temperature: 1, seed: 1 }, maxTokens: 60 }))
    expect(answer.texts[0]).not.toMatch(/\p{Script=Han}/u)
  }, 60_000)

  test('the prompt is scored as the model itself scored it when it wrote it', async () => {
    const first = await run(engine, request('The capital of France is', { logprobs: 0, maxTokens: 12 }))
    const prompt = await engine.tokenize({ type: 'text', text: 'The capital of France is' })
    const written = await engine.tokenize({ type: 'text', text: `The capital of France is${first.texts[0] ?? ''}` })
    const second = await run(engine, request(written, { logprobs: 1, promptLogprobs: true, maxTokens: 1 }))
    const scores = second.events.flatMap((event) => (event.type === 'prompt-logprobs' ? event.tokens : []))
    expect(scores.map(({ token }) => token).join('')).toBe(`The capital of France is${first.texts[0] ?? ''}`)
    expect(scores[0]).toMatchObject({ logprob: 0, top: [] })
    const again = scores.slice(prompt.length)
    again.forEach(({ logprob }, index) => expect(Math.abs(logprob - (first.logprobs[index]?.logprob ?? 1))).toBeLessThan(0.1))
  }, 60_000)

  test('what cannot be done is refused by name, and the worker goes on', async () => {
    const codes = async (wish: GenerateRequest): Promise<unknown> => (await run(engine, wish)).error
    const plain = request('x')
    expect(await codes(request('x', { sampling: { logitBias: { '999999': 1 } } }))).toMatchObject({
      code: 'invalid-field',
      data: { field: 'logit_bias' },
    })
    expect(await codes({ ...plain, sampling: { temperature: -1 } })).toMatchObject({
      code: 'invalid-field',
      data: { field: 'sampling.temperature' },
    })
    expect(await codes(request({ type: 'infill', prefix: 'a', suffix: 'b' }))).toMatchObject({ code: 'infill-unsupported' })
    await expect(engine.rerank({ id: 'r', model: 'test', query: 'a', documents: ['b'] })).rejects.toMatchObject({ code: 'cannot-rerank' })
    expect(await codes(plain)).toBeUndefined()
  }, 60_000)

  test('the oldest turns are dropped whole when the conversation is too long, and a notice tells how much', async () => {
    const turn = (index: number): Message[] => [
      { role: 'user', content: `Question ${index}: ${'word '.repeat(40)}` },
      { role: 'assistant', content: `Answer ${index}` },
    ]
    const window = engine.info?.largestContext ?? 0
    const turns = Array.from({ length: Math.ceil(window / 40) }, (_, index) => turn(index)).flat()
    const messages: Message[] = [{ role: 'system', content: 'Be short.' }, ...turns, { role: 'user', content: 'The last one?' }]
    const prompt = { type: 'messages' as const, messages }
    expect((await run(engine, request(prompt, { maxTokens: 4 }))).error).toMatchObject({ code: 'prompt-too-long' })
    const { error, usage, events } = await run(engine, request(prompt, { maxTokens: 4, truncation: 'auto' }))
    expect(error).toBeUndefined()
    const [notice] = notices(events)
    expect(notice).toMatchObject({ code: 'truncated', droppedMessages: expect.any(Number) })
    expect((notice as { droppedMessages: number }).droppedMessages % 2).toBe(0)
    expect(usage?.promptTokens).toBeLessThanOrEqual(window - 4)
    expect(usage?.promptTokens).toBeGreaterThan(window - 4 - 2 * 70)
  }, 120_000)
})

describe('a model that thinks aloud', () => {
  let engine: Engine
  beforeAll(async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'bendi-think-'))
    const template = TINY_TEMPLATE.replace("assistant\\n' }}", "assistant\\n<think>\\n' }}")
    const file = await writeTinyModel(folder, { architecture: 'qwen2', template })
    engine = await bench.open(file, { parallel: 4, kvBytesPerToken: 1024 })
  }, 60_000)

  const question = conversation('the and the')
  const DIGITS: GenerateRequest['output'] = { type: 'regex', pattern: '[0-9]{4} 学' }

  test('a budget closes the thought, the answer follows, and a notice says so', async () => {
    const wish = request(question, { thinkingTokens: 10, maxTokens: 40, ignoreEos: true })
    const { usage, texts, thoughts, events } = await run(engine, wish)
    expect(notices(events)).toEqual([{ code: 'thought-closed', choice: 0, why: 'budget' }])
    // The thought, and the tokens that close it.
    expect(usage?.reasoningTokens).toBeGreaterThanOrEqual(10)
    expect(usage?.reasoningTokens).toBeLessThanOrEqual(16)
    expect(thoughts[0]).not.toBe('')
    expect(texts[0]).not.toBe('')
    expect(texts[0]).not.toContain('think>')
  }, 30_000)

  test('a budget beyond the limit of the answer leaves room for one', async () => {
    const { texts, usage } = await run(engine, request(question, { thinkingTokens: 1000, maxTokens: 40, ignoreEos: true }))
    expect(texts[0]).not.toBe('')
    expect(usage?.completionTokens).toBe(40)
  }, 30_000)

  test('the form begins after the thought, for every choice', async () => {
    const wish = request(question, {
      output: DIGITS,
      thinkingTokens: 8,
      maxTokens: 60,
      choices: 2,
      logprobs: 1,
      sampling: { temperature: 1, seed: 5 },
    })
    const { texts, thoughts, reasons, events } = await run(engine, wish)
    expect(reasons).toEqual(['stop', 'stop'])
    for (const text of texts) expect(text).toMatch(/^[0-9]{4} 学$/)
    expect(thoughts).toHaveLength(2)
    const spelled = events.flatMap((event) => (event.type === 'text-delta' && event.choice === 1 ? (event.logprobs ?? []) : []))
    expect(
      Buffer.from(spelled.flatMap(({ bytes }) => bytes))
        .toString()
        .trim(),
    ).toBe(texts[1])
  }, 30_000)

  test('a running thought is closed on demand', async () => {
    const wish = request(question, { maxTokens: 400, ignoreEos: true })
    let asked: Promise<boolean> | undefined
    const events: GenerateEvent[] = []
    const { texts, usage } = await collect(engine.generate(wish), (event) => {
      events.push(event)
      if (event.type === 'reasoning-delta') asked ??= engine.closeThought(wish.id)
    })
    expect(await asked).toBe(true)
    expect(notices(events)).toEqual([{ code: 'thought-closed', choice: 0, why: 'asked' }])
    expect(usage?.reasoningTokens).toBeLessThan(400)
    expect(texts[0]).not.toBe('')
    expect(await engine.closeThought(wish.id)).toBe(false)
  }, 30_000)
})
