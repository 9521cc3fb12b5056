import { describe, expect, test } from 'vitest'
import { answer, finish, tokenLogprob } from '../../../test/fakes/scripted-engine.ts'
import { createScriptedServer, readChunks } from '../../../test/fakes/scripted-server.ts'
import { CompletionChunkSchema, CompletionSchema, OpenAiErrorSchema } from '../../shared/openai.ts'

const CALL = { model: 'scripted', prompt: 'Once' }

test('a reply has every field that OpenAI requires, and the defaults of OpenAI', async () => {
  const { post, engine } = createScriptedServer({ script: () => answer(' upon a time', { reason: 'length' }) })
  const body: unknown = await (await post('/v1/completions', CALL)).json()
  expect(CompletionSchema.parse(body)).toEqual(body)
  expect(body).toMatchObject({
    object: 'text_completion',
    choices: [{ index: 0, text: ' upon a time', logprobs: null, finish_reason: 'length' }],
  })
  expect(engine.requests[0]).toMatchObject({ prompt: { type: 'text', text: 'Once' }, maxTokens: 16, reasoning: 'text' })
})

test('a stream has chunks, an end with timings, and the usage when asked for', async () => {
  const { post } = createScriptedServer({ script: () => answer(' a b') })
  const plain = (await readChunks(await post('/v1/completions', { ...CALL, stream: true }))).map((chunk) =>
    CompletionChunkSchema.parse(chunk),
  )
  expect(plain.map(({ choices }) => choices[0]?.text).join('')).toBe(' a b')
  expect(plain.at(-1)).toMatchObject({ choices: [{ finish_reason: 'stop' }], timings: { predicted_n: 2 } })
  const options = { ...CALL, stream: true, stream_options: { include_usage: true } }
  const counted = (await readChunks(await post('/v1/completions', options))).map((chunk) => CompletionChunkSchema.parse(chunk))
  expect(counted.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 2 }, timings: { predicted_n: 2 } })
  expect(counted.at(-2)).toMatchObject({ choices: [{ finish_reason: 'stop' }], usage: null })
})

describe('prompts', () => {
  test.each([[null], [[]], [{}], [[[]]]])('%j is refused with the shapes that a prompt may have', async (prompt) => {
    const { post } = createScriptedServer()
    const response = await post('/v1/completions', { ...CALL, prompt })
    expect(response.status).toBe(400)
    const { error } = OpenAiErrorSchema.parse(await response.json())
    expect(error.param).toMatch(/^prompt/)
    expect(error.message).not.toMatch(/Invalid input$/)
  })

  test('may be tokens, and echo tells them as text', async () => {
    const { post } = createScriptedServer({ script: () => answer('!') })
    const tokens = [...Buffer.from('Hey')]
    for (const prompt of [tokens, [tokens]]) {
      const body = CompletionSchema.parse(await (await post('/v1/completions', { ...CALL, prompt, echo: true })).json())
      expect(body.choices[0]?.text).toBe('Hey!')
    }
  })

  test('times n is the number of choices, prompt by prompt', async () => {
    const { post } = createScriptedServer({
      script: ({ prompt, choices }) => answer(prompt.type === 'text' ? prompt.text : '', { choices }),
    })
    const body = CompletionSchema.parse(await (await post('/v1/completions', { ...CALL, prompt: ['a', 'b'], n: 2 })).json())
    expect(body.choices.map(({ index, text }) => `${index}${text}`)).toEqual(['0a', '1a', '2b', '3b'])
  })
})

test('logprobs are lists side by side, with offsets that go on from chunk to chunk', async () => {
  const logprob = (token: string): { token: string; bytes: number[]; logprob: number; top: [] } => ({
    token,
    bytes: [],
    logprob: -1,
    top: [],
  })
  const { post } = createScriptedServer({
    script: () => [
      { type: 'text-delta', choice: 0, text: 'ab', logprobs: [logprob('ab')] },
      { type: 'prefill', done: 1, total: 1 },
      { type: 'text-delta', choice: 0, text: 'c', logprobs: [logprob('c')] },
      { type: 'choice-end', choice: 0, reason: 'stop' },
      finish(),
    ],
  })
  const whole = CompletionSchema.parse(await (await post('/v1/completions', { ...CALL, logprobs: 0 })).json())
  expect(whole.choices[0]?.logprobs).toEqual({
    tokens: ['ab', 'c'],
    token_logprobs: [-1, -1],
    top_logprobs: [{ ab: -1 }, { c: -1 }],
    text_offset: [0, 2],
  })
  const chunks = (await readChunks(await post('/v1/completions', { ...CALL, logprobs: 0, stream: true }))).map((chunk) =>
    CompletionChunkSchema.parse(chunk),
  )
  expect(chunks.flatMap(({ choices }) => choices[0]?.logprobs?.text_offset ?? [])).toEqual([0, 2])
})

test.each([
  [{ suffix: 'the end', prompt: [1, 2] }, 'suffix'],
  [{ best_of: 1, n: 2 }, 'best_of'],
  [{ best_of: 3, stream: true }, 'best_of'],
  [{ logprobs: 6 }, 'logprobs'],
  [{ stream_options: {} }, 'stream_options'],
  [{ prompt: [] }, 'prompt'],
  [{ prompt: ['a', 1] }, 'prompt'],
  [{ prompt: Array.from({ length: 128 }, () => 'a'), n: 2 }, 'n'],
])('%j is refused by name', async (more, field) => {
  const { post } = createScriptedServer()
  const response = await post('/v1/completions', { ...CALL, ...more })
  expect(response.status).toBe(400)
  expect(OpenAiErrorSchema.parse(await response.json()).error.param).toMatch(new RegExp(`^${field}`))
})

test('fields without effect are listed in a header', async () => {
  const { post } = createScriptedServer()
  const response = await post('/v1/completions', { ...CALL, user: 'me', 'x\r\ny': 1 })
  expect(response.headers.get('x-bendi-ignored')).toBe('user, x??y')
})

test('a suffix makes it an infilling, and echo comes before', async () => {
  const { post, engine } = createScriptedServer({ script: () => answer('mid') })
  const body = CompletionSchema.parse(await (await post('/v1/completions', { ...CALL, suffix: 'end', echo: true })).json())
  expect(engine.requests[0]?.prompt).toEqual({ type: 'infill', prefix: 'Once', suffix: 'end' })
  expect(body.choices[0]?.text).toBe('Oncemid')
})

test('best_of runs more and keeps those with the highest mean log-probability, prompt by prompt', async () => {
  const logprobs = [-3, -1, -2]
  const { post, engine } = createScriptedServer({
    script: ({ choices, prompt }) => [
      ...Array.from({ length: choices }, (_, choice) => ({
        type: 'text-delta' as const,
        choice,
        text: `${prompt.type === 'text' ? prompt.text : ''}${choice}`,
        logprobs: [tokenLogprob('x', logprobs[choice] ?? 0)],
      })),
      ...Array.from({ length: choices }, (_, choice) => ({ type: 'choice-end' as const, choice, reason: 'stop' as const })),
      finish(),
    ],
  })
  const body = CompletionSchema.parse(await (await post('/v1/completions', { ...CALL, prompt: ['a', 'b'], n: 2, best_of: 3 })).json())
  expect(body.choices.map(({ index, text, logprobs: told }) => [index, text, told])).toEqual([
    [0, 'a1', null],
    [1, 'a2', null],
    [2, 'b1', null],
    [3, 'b2', null],
  ])
  expect(engine.requests.map(({ choices, logprobs: asked }) => [choices, asked])).toEqual([
    [3, 0],
    [3, 0],
  ])
})

test('echo with logprobs tells the tokens of the prompt too, streamed or not, and offsets count characters', async () => {
  const { post } = createScriptedServer({
    script: () => [
      { type: 'prompt-logprobs', tokens: [tokenLogprob('<s>', 0), tokenLogprob('\u{1f600}é', -2, 1)] },
      { type: 'text-delta', choice: 0, text: '!', logprobs: [tokenLogprob('!', -1)] },
      { type: 'choice-end', choice: 0, reason: 'stop' },
      finish(),
    ],
  })
  const call = { ...CALL, prompt: '\u{1f600}é', echo: true, logprobs: 1 }
  const whole = CompletionSchema.parse(await (await post('/v1/completions', call)).json())
  expect(whole.choices[0]).toMatchObject({
    text: '\u{1f600}é!',
    logprobs: {
      tokens: ['<s>', '\u{1f600}é', '!'],
      token_logprobs: [0, -2, -1],
      top_logprobs: [{}, { '\u{1f600}é': -2 }, { '!': -1 }],
      text_offset: [0, 0, 2],
    },
  })
  const chunks = (await readChunks(await post('/v1/completions', { ...call, stream: true }))).map((chunk) =>
    CompletionChunkSchema.parse(chunk),
  )
  expect(chunks.map(({ choices }) => choices[0]?.text).join('')).toBe('\u{1f600}é!')
  expect(chunks.flatMap(({ choices }) => choices[0]?.logprobs?.text_offset ?? [])).toEqual([0, 0, 2])
})

test('a token that is a part of a character is told by its bytes', async () => {
  const half = { token: '\ufffd', bytes: [0xe4, 0xb8], logprob: -1, top: [{ token: '\ufffd', bytes: [0xe5], logprob: -2 }] }
  const { post } = createScriptedServer({
    script: () => [
      { type: 'text-delta', choice: 0, text: '', logprobs: [half] },
      { type: 'choice-end', choice: 0, reason: 'stop' },
      finish(),
    ],
  })
  const body = CompletionSchema.parse(await (await post('/v1/completions', { ...CALL, logprobs: 1 })).json())
  expect(body.choices[0]?.logprobs).toMatchObject({
    tokens: [String.raw`bytes:\xe4\xb8`],
    top_logprobs: [{ [String.raw`bytes:\xe5`]: -2, [String.raw`bytes:\xe4\xb8`]: -1 }],
  })
})
