/** Valid requests with some of their parts replaced by anything, on every POST of the OpenAI surface: no 5xx, no hang, nothing left running. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answer } from '../../test/fakes/scripted-engine.ts'
import { createScriptedServer } from '../../test/fakes/scripted-server.ts'

/** A long run: `BENDI_FUZZ_RUNS=100000 npx vitest run src/server/fuzz.test.ts`. */
const RUNS = Number(process.env['BENDI_FUZZ_RUNS'] ?? 500)

type Json = Record<string, unknown>

const tool = {
  type: 'function',
  function: { name: 'f', description: 'd', parameters: { type: 'object', properties: { a: { $ref: '#' } } }, strict: true },
}
const chat: Json = {
  model: 'scripted',
  messages: [
    { role: 'system', content: 'S' },
    { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
    { role: 'assistant', content: null, tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] },
    { role: 'tool', content: 'done', tool_call_id: 'a' },
  ],
  tools: [tool],
  tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [tool] } },
  response_format: { type: 'json_schema', json_schema: { name: 'n', schema: { type: 'object', anyOf: [{ type: 'string' }] } } },
  thinking: { type: 'enabled', budget_tokens: 5 },
  logprobs: true,
  top_logprobs: 2,
  logit_bias: { 5: 1 },
  n: 2,
  stop: ['a'],
  stream: true,
  stream_options: { include_usage: true, include_obfuscation: true },
  metadata: { a: 'b' },
  reasoning_format: 'think',
  chat_template_kwargs: { a: { b: [1] } },
}
const legacy: Json = {
  model: 'scripted',
  messages: [{ role: 'user', content: 'Hi' }],
  functions: [{ name: 'f' }],
  function_call: { name: 'f' },
}
const text: Json = {
  model: 'scripted',
  prompt: ['a', 'b'],
  echo: true,
  logprobs: 2,
  n: 2,
  best_of: 3,
  suffix: 'x',
  stream: false,
  max_tokens: 5,
}

const SEEDS: readonly [path: string, body: Json][] = [
  ['/v1/chat/completions', chat],
  ['/v1/chat/completions', { ...chat, stream: false, stream_options: null }],
  ['/v1/chat/completions', legacy],
  ['/v1/completions', text],
  ['/v1/completions', { ...text, stream: true, best_of: null, suffix: null }],
  ['/v1/embeddings', { model: 'scripted', input: [[1, 2], [3]], encoding_format: 'base64', dimensions: 8 }],
  ['/v1/rerank', { model: 'scripted', query: 'q', documents: ['a', { text: 'b' }], top_n: 1, return_documents: true }],
  ['/tokenize', { content: 'Hi', with_pieces: true }],
  ['/detokenize', { tokens: [72, 105] }],
  ['/apply-template', { messages: chat['messages'], tools: [tool] }],
  ['/infill', { input_prefix: 'a', input_suffix: 'b', input_extra: [{ filename: 'f', text: 't' }], stream: true }],
  ['/generate', { prompt: 'Hi', max_length: 5, temperature: 1 }],
  [
    '/api/chat',
    { model: 'scripted', messages: chat['messages'], tools: [tool], think: true, options: { top_k: 3, stop: ['x'] }, keep_alive: '5m' },
  ],
  ['/api/generate', { model: 'scripted', prompt: 'a', system: 'b', context: [1, 2], format: 'json', stream: false }],
  ['/api/embed', { model: 'scripted', input: ['a', 'b'], truncate: true, keep_alive: 1 }],
  ['/api/create', { model: 'made', from: 'scripted', license: ['a'] }],
  ['/api/show', { model: 'scripted', verbose: true }],
]

const awkward = fc.oneof(
  fc.constantFrom(
    1e308,
    -1e308,
    2 ** 53,
    -(2 ** 63),
    -1,
    0.5,
    '',
    '\u0000',
    '\ud800',
    '__proto__',
    'constructor',
    null,
    true,
    [],
    {},
    [[]],
    [null],
  ),
  fc.constantFrom({ __proto__: null, type: 'function' }, { type: 'object', $ref: '#/__proto__' }, { toString: 1 }, 'x'.repeat(5000)),
  fc.jsonValue({ maxDepth: 3 }),
)

/** Replaces, removes or adds at some places of a body; a place is found by numbers, whatever the body looks like there. */
function mutate(value: unknown, steps: readonly number[], replacement: unknown): unknown {
  const [step, ...rest] = steps
  if (step === undefined || typeof value !== 'object' || value === null) return replacement
  const keys = Object.keys(value)
  if (keys.length === 0) return replacement
  const key = keys[step % keys.length] ?? ''
  if (Array.isArray(value)) return value.map((item: unknown, index) => (String(index) === key ? mutate(item, rest, replacement) : item))
  return { ...value, [key]: mutate((value as Json)[key], rest, replacement) }
}

const mutation = fc.record({ steps: fc.array(fc.nat(30), { minLength: 1, maxLength: 6 }), replacement: awkward })
const request = fc.record({
  seed: fc.constantFrom(...SEEDS),
  mutations: fc.array(mutation, { maxLength: 3 }),
  headers: fc.constantFrom<Record<string, string>>(
    {},
    { 'accept-encoding': 'br' },
    { 'x-bendi-reasoning': 'x' },
    { 'accept-language': 'zh' },
  ),
  /** Leaves the stream after its first piece. */
  leaves: fc.boolean(),
})

test(`${RUNS} mutated requests`, { timeout: 60_000 + RUNS * 20 }, async () => {
  const { post, engine } = createScriptedServer({
    script: ({ choices, logprobs }) =>
      answer('a b', { choices, logprobs, reasoning: 'r', calls: [{ id: 'c', name: 'f', arguments: '{}' }] }),
  })
  const statuses = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(request, async ({ seed: [path, body], mutations, headers, leaves }) => {
      const changed = mutations.reduce<unknown>((value, { steps, replacement }) => mutate(value, steps, replacement), body)
      const response = await post(path, JSON.stringify(changed), headers)
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
      expect(response.status).toBeLessThan(500)
      if (leaves) await response.body?.cancel()
      else await response.arrayBuffer()
    }),
    { numRuns: RUNS },
  )
  await expect.poll(() => engine.live).toBe(0)
  // Both kinds must have come up, or nothing was tested.
  expect(statuses.get(200)).toBeGreaterThan(RUNS / 50)
  expect(statuses.get(400)).toBeGreaterThan(RUNS / 50)
})
