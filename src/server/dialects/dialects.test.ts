/** What holds for every dialect: whatever comes in is refused as the caller's mistake, or is a request that the engine understands. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { GenerateRequestSchema } from '../../shared/generate.ts'
import { parseChat } from './openai-chat.ts'
import { parseCompletion } from './openai-completions.ts'
import { parseEmbedding } from './openai-embeddings.ts'
import { parseInfill } from './infill.ts'
import { parseRerank } from './rerank.ts'
import { parseSimple, parseSimpleQuery } from './simple-generate.ts'

const VALID: Record<string, unknown> = {
  model: 'default',
  messages: [
    { role: 'developer', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
    { role: 'assistant', content: null, tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }] },
    { role: 'tool', content: 'done', tool_call_id: 'a' },
  ],
  prompt: ['a', 'b'],
  input: [[1, 2], [3]],
  query: 'q',
  documents: ['a', { text: 'b' }],
  input_prefix: 'a',
  input_suffix: 'b',
  tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: { a: { type: 'string' } } } } }],
  tool_choice: { type: 'function', function: { name: 'f' } },
  thinking: { type: 'enabled', budget_tokens: 5 },
  metadata: { a: 'b' },
  language: 'en',
  temperature: 1,
  top_p: 0.9,
  top_k: -1,
  min_p: 0.05,
  n: 2,
  stop: ['a', ''],
  seed: -5,
  max_tokens: -1,
  max_completion_tokens: 10,
  max_length: 5,
  logit_bias: { '5': -100 },
  logprobs: true,
  top_logprobs: 2,
  stream: true,
  stream_options: { include_usage: true },
  response_format: { type: 'json_object' },
  reasoning_effort: 'none',
  reasoning_format: 'auto',
  keep_alive: '5m',
  ignore_eos: false,
  deterministic: true,
  chat_template_kwargs: { a: [1, { b: null }] },
  dry_sequence_breakers: ['\n'],
  repeat_penalty: 1.1,
  user: 'me',
}

const PARSERS = {
  chat: (body: unknown) => [parseChat(body, 'id').request],
  completions: (body: unknown) => parseCompletion(body, 'id').requests,
  embeddings: (body: unknown) => (parseEmbedding(body, 'id'), []),
  rerank: (body: unknown) => (parseRerank(body, 'id'), []),
  infill: (body: unknown) => [parseInfill(body, 'id').request],
  generate: (body: unknown) => [parseSimple(body, 'id').request],
}

/** The valid body with some fields replaced by anything, as JSON would bring it. */
const mutated = fc
  .tuple(fc.dictionary(fc.constantFrom(...Object.keys(VALID)), fc.jsonValue({ maxDepth: 3 })), fc.subarray(Object.keys(VALID)))
  .map(([changes, kept]) => Object.assign(Object.fromEntries(kept.map((key) => [key, VALID[key]])), changes))

const extreme = fc.oneof(
  fc.constantFrom(1e308, -1e308, 5e-324, 2 ** 53, -(2 ** 63), 0, -0, -1, 1.5, '', '\u0000', '\ud800', null, true, [], {}, [[]], [null]),
  fc.jsonValue({ maxDepth: 3 }),
)
const oneExtreme = fc
  .tuple(fc.constantFrom(...Object.keys(VALID)), extreme)
  .map(([key, value]) => Object.fromEntries([...Object.entries(VALID), [key, value]]))

describe.each(Object.entries(PARSERS))('%s', (_, parse) => {
  test('garbage is refused as the caller’s mistake, and what passes is a whole request', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, oneExtreme, fc.jsonValue()), (body) => {
        try {
          for (const request of parse(body)) expect(GenerateRequestSchema.parse(request)).toEqual(request)
        } catch (error) {
          if (!(error instanceof AppError)) throw error
          expect(['invalid-request', 'invalid-field', 'unsupported-field']).toContain(error.code)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

test('a query string of anything is refused, or is a whole request', () => {
  const names = fc.constantFrom('prompt', 'max_length', 'temperature', 'top_p', 'model', 'other')
  fc.assert(
    fc.property(fc.dictionary(names, fc.oneof(fc.string(), fc.double().map(String), fc.constant(''))), (query) => {
      try {
        expect(GenerateRequestSchema.parse(parseSimpleQuery(query, 'id').request).prompt.type).toBe('messages')
      } catch (error) {
        if (!(error instanceof AppError)) throw error
      }
    }),
  )
})
