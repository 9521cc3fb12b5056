import { describe, expect, test } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { parseChat } from './openai-chat.ts'

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }

/** The code and the field of the error that a body gets. */
function refusal(more: Record<string, unknown>): string {
  try {
    parseChat({ ...CHAT, ...more }, 'id')
  } catch (error) {
    if (error instanceof AppError) return `${error.code} ${error.data['field'] ?? ''}`
    throw error
  }
  return 'accepted'
}

test('every setting reaches the request', () => {
  const { request, stream, includeUsage, ignored } = parseChat(
    {
      model: 'm',
      messages: [
        { role: 'system', content: 'S' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        { role: 'assistant', content: 'c', reasoning_content: 'thought' },
        { role: 'user', content: 'd', name: 'me' },
      ],
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.1,
      top_p: 0.2,
      top_k: 3,
      min_p: 0.4,
      typical_p: 0.5,
      xtc_probability: 0.6,
      xtc_threshold: 0.7,
      dry_multiplier: 0.8,
      dry_base: 1.75,
      dry_allowed_length: 2,
      dry_penalty_last_n: -1,
      dry_sequence_breakers: ['\n'],
      repetition_penalty: 1.1,
      repeat_last_n: 64,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      logit_bias: { '7': -100 },
      seed: 42,
      grammar: 'root ::= "a"',
      stop: 'END',
      max_tokens: 9,
      n: 2,
      logprobs: true,
      top_logprobs: 4,
      ignore_eos: true,
      deterministic: true,
      keep_alive: '5m',
      reasoning_format: 'none',
      chat_template_kwargs: { enable_thinking: false },
      reasoning_effort: 'low',
      max_thinking_tokens: 100,
      language: 'zh',
      truncation: 'auto',
      tools: [{ type: 'function', function: { name: 'f', description: 'F', parameters: { type: 'object' }, strict: true } }],
      tool_choice: 'required',
      parallel_tool_calls: false,
    },
    'id',
  )
  expect({ stream, includeUsage, ignored }).toEqual({ stream: true, includeUsage: true, ignored: [] })
  expect(request).toEqual({
    id: 'id',
    model: 'm',
    prompt: {
      type: 'messages',
      messages: [
        { role: 'system', content: 'S' },
        { role: 'user', content: 'a\nb' },
        { role: 'assistant', content: 'c', reasoning: 'thought' },
        { role: 'user', content: 'd', name: 'me' },
      ],
      tools: [{ name: 'f', description: 'F', parameters: { type: 'object' }, strict: true }],
      thinking: { enabled: false, effort: 'low' },
      templateVariables: { enable_thinking: false },
    },
    sampling: {
      temperature: 0.1,
      topP: 0.2,
      topK: 3,
      minP: 0.4,
      typicalP: 0.5,
      xtcProbability: 0.6,
      xtcThreshold: 0.7,
      dryMultiplier: 0.8,
      dryBase: 1.75,
      dryAllowedLength: 2,
      dryPenaltyLastN: -1,
      drySequenceBreakers: ['\n'],
      repetitionPenalty: 1.1,
      penaltyLastN: 64,
      frequencyPenalty: 0.1,
      presencePenalty: 0.2,
      logitBias: { '7': -100 },
      seed: 42,
    },
    stop: ['END'],
    ignoreEos: true,
    choices: 2,
    deterministic: true,
    reasoning: 'text',
    output: { type: 'grammar', grammar: 'root ::= "a"' },
    toolChoice: { type: 'required' },
    parallelToolCalls: false,
    thinkingTokens: 100,
    language: 'zh',
    truncation: 'auto',
    maxTokens: 9,
    logprobs: 4,
    keepAlive: 300,
  })
})

describe('what cannot be honoured is refused by name', () => {
  test.each([
    [{ tool_choice: 'required' }, 'invalid-field tool_choice'],
    [{ function_call: { name: 'f' } }, 'invalid-field function_call'],
    [{ modalities: ['text', 'audio'] }, 'unsupported-field modalities'],
    [{ audio: { voice: 'alloy', format: 'wav' } }, 'unsupported-field audio'],
    [{ response_format: { type: 'json_schema', json_schema: { name: 'x' } } }, 'accepted'],
    [{ response_format: { type: 'json_schema' } }, 'invalid-field response_format.json_schema'],
    [{ response_format: { type: 'xml' } }, 'invalid-field response_format.type'],
    [{ response_format: { type: 'json_object' }, grammar: 'root ::= "a"' }, 'invalid-field grammar'],
    [{ web_search_options: {} }, 'unsupported-field web_search_options'],
    [{ store: true }, 'unsupported-field store'],
    [{ verbosity: 'low' }, 'unsupported-field verbosity'],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:' } }] }] },
      'unsupported-field messages[0].content[0]',
    ],
    [{ messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] }, 'unsupported-field messages[0].content[0]'],
    [{ messages: [{ role: 'user', content: [{ type: 'dance' }] }] }, 'invalid-field messages[0].content[0].type'],
    [{ messages: [{ role: 'function', name: 'f', content: 'x' }] }, 'invalid-field messages[0].name'],
    [{ messages: [{ role: 'user' }] }, 'invalid-field messages[0].content'],
    [{ messages: [{ role: 'king', content: 'x' }] }, 'invalid-field messages[0].role'],
    [{ messages: [] }, 'invalid-field messages'],
    [{ model: undefined }, 'invalid-field model'],
    [{ temperature: -1 }, 'invalid-field temperature'],
    [{ temperature: 'hot' }, 'invalid-field temperature'],
    [{ top_p: 1.5 }, 'invalid-field top_p'],
    [{ n: 0 }, 'invalid-field n'],
    [{ n: 33 }, 'invalid-field n'],
    [{ seed: 0.5 }, 'invalid-field seed'],
    [{ top_logprobs: 2 }, 'invalid-field top_logprobs'],
    [{ logit_bias: { hello: 1 } }, 'invalid-field logit_bias.hello'],
    [{ stop: ['1', '2', '3', '4', '5'] }, 'invalid-field stop'],
    [{ temperature: 2.1 }, 'invalid-field temperature'],
    [{ max_completion_tokens: 0 }, 'invalid-field max_completion_tokens'],
    [{ max_tokens: 0 }, 'invalid-field max_tokens'],
    [{ stream_options: { include_usage: true } }, 'invalid-field stream_options'],
    [{ metadata: { a: 1 } }, 'invalid-field metadata.a'],
    [{ service_tier: 'gold' }, 'invalid-field service_tier'],
    [{ user: 5 }, 'invalid-field user'],
    [{ reasoning_format: 'loud' }, 'invalid-field reasoning_format'],
    [{ language: 'fr' }, 'invalid-field language'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'invalid-field messages[0].tool_call_id'],
    [{ messages: [{ role: 'tool', content: 'x', tool_call_id: 'y' }] }, 'invalid-field messages[0].tool_call_id'],
    [{ messages: [{ role: 'assistant', audio: { id: 'a' } }] }, 'unsupported-field messages[0].audio'],
    [{ keep_alive: 'soon' }, 'invalid-field keep_alive'],
    [{ continue_final_message: true }, 'invalid-field continue_final_message'],
  ])('%j', (more, expected) => {
    expect(refusal(more)).toBe(expected)
  })

  test.each([
    [{ tools: [], tool_choice: 'auto', functions: null, modalities: ['text'], audio: null, store: false, verbosity: 'medium' }],
    [{ response_format: { type: 'text' }, temperature: null, stop: null, n: null, logit_bias: null, stream_options: null }],
    [{ seed: 2 ** 60 }],
  ])('values that change nothing are accepted: %j', (more) => {
    expect(refusal(more)).toBe('accepted')
  })

  test('a template variable that is nested a thousand deep', () => {
    const deep: unknown = JSON.parse('['.repeat(1000) + ']'.repeat(1000))
    expect(refusal({ chat_template_kwargs: { deep } })).toBe('invalid-field chat_template_kwargs')
  })
})

test('fields without effect are listed; known ones, null ones and those that come back in the reply are not', () => {
  const { ignored, shape } = parseChat(
    {
      ...CHAT,
      user: 'me',
      metadata: { a: 'b' },
      mirostat: 2,
      service_tier: 'auto',
      top_p: 1,
      prompt_cache_key: null,
      prediction: { type: 'content', content: '' },
    },
    'id',
  )
  expect(ignored).toEqual(['user', 'prediction', 'mirostat'])
  expect(shape).toMatchObject({ metadata: { a: 'b' }, serviceTier: 'default' })
})

test('headers say what a body cannot, and the body wins', () => {
  const call = (more: object): unknown => {
    const { request, shape } = parseChat({ ...CHAT, ...more }, 'id', { reasoning: 'both', truncation: 'auto' })
    return [shape.reasoning, request.truncation]
  }
  expect(call({})).toEqual(['both', 'auto'])
  expect(call({ reasoning_format: 'hidden', truncation: 'disabled' })).toEqual(['hidden', 'disabled'])
  expect(() => parseChat(CHAT, 'id', { reasoning: 'loud' })).toThrow(/x-bendi-reasoning/)
})

test('seeds outside the sampler’s range are folded into it, and −1 is random', () => {
  const seed = (value: number): number | undefined => parseChat({ ...CHAT, seed: value }, 'id').request.sampling.seed
  expect([seed(0), seed(2 ** 32), seed(-2), seed(-1)]).toEqual([0, 0, 2 ** 32 - 2, undefined])
})

test('the last message of the assistant is continued on request', () => {
  const messages = [...CHAT.messages, { role: 'assistant', content: 'Once', prefix: true }]
  expect(parseChat({ model: 'm', messages }, 'id').request.prompt).toMatchObject({ continueLast: true })
})
