/**
 * OpenAI's replies, written down from its published OpenAPI description and independent of our own schemas: what is required there is required
 * here, what may be more may be more. `satisfies` holds each of them against the official client's types.
 */
import type OpenAI from 'openai'
import { z } from 'zod'

const tokenLogprob = z.looseObject({
  token: z.string(),
  logprob: z.number(),
  bytes: z.array(z.int()).nullable(),
  top_logprobs: z.array(z.looseObject({ token: z.string(), logprob: z.number(), bytes: z.array(z.int()).nullable() })),
})
const logprobs = z.looseObject({ content: z.array(tokenLogprob).nullable(), refusal: z.array(tokenLogprob).nullable() }).nullable()
const finishReason = z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'function_call'])
const unixTime = z.int().min(1_000_000_000).max(100_000_000_000)

export const usage = z.looseObject({
  completion_tokens: z.int(),
  prompt_tokens: z.int(),
  total_tokens: z.int(),
  completion_tokens_details: z.looseObject({
    accepted_prediction_tokens: z.int(),
    audio_tokens: z.int(),
    reasoning_tokens: z.int(),
    rejected_prediction_tokens: z.int(),
  }),
  prompt_tokens_details: z.looseObject({ audio_tokens: z.int(), cached_tokens: z.int() }),
}) satisfies z.ZodType<OpenAI.CompletionUsage>

const toolCall = z.looseObject({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.looseObject({ name: z.string().min(1), arguments: z.string() }),
}) satisfies z.ZodType<OpenAI.ChatCompletionMessageFunctionToolCall>

export const chatCompletion = z.looseObject({
  id: z.string().regex(/^chatcmpl-/),
  object: z.literal('chat.completion'),
  created: unixTime,
  model: z.string(),
  choices: z.array(
    z.looseObject({
      index: z.int(),
      finish_reason: finishReason,
      logprobs,
      message: z.looseObject({
        role: z.literal('assistant'),
        content: z.string().nullable(),
        refusal: z.string().nullable(),
        annotations: z.array(z.never()),
        tool_calls: z.array(toolCall).min(1).optional(),
        function_call: z.looseObject({ name: z.string(), arguments: z.string() }).optional(),
      }),
    }),
  ),
  usage,
  system_fingerprint: z.string(),
  service_tier: z.literal('default').optional(),
}) satisfies z.ZodType<OpenAI.ChatCompletion>

export const chatChunk = z.looseObject({
  id: z.string().regex(/^chatcmpl-/),
  object: z.literal('chat.completion.chunk'),
  created: unixTime,
  model: z.string(),
  choices: z.array(
    z.looseObject({
      index: z.int(),
      finish_reason: finishReason.nullable(),
      logprobs,
      delta: z.looseObject({
        role: z.literal('assistant').optional(),
        content: z.string().nullable().optional(),
        refusal: z.string().nullable().optional(),
        function_call: z.looseObject({ name: z.string().optional(), arguments: z.string().optional() }).optional(),
        tool_calls: z
          .array(
            z.looseObject({
              index: z.int(),
              id: z.string().optional(),
              type: z.literal('function').optional(),
              function: z.looseObject({ name: z.string().optional(), arguments: z.string().optional() }).optional(),
            }),
          )
          .optional(),
      }),
    }),
  ),
  usage: usage.nullable().optional(),
  system_fingerprint: z.string(),
  obfuscation: z.string().optional(),
}) satisfies z.ZodType<OpenAI.ChatCompletionChunk>

export const completion = z.looseObject({
  id: z.string().regex(/^cmpl-/),
  object: z.literal('text_completion'),
  created: unixTime,
  model: z.string(),
  choices: z.array(
    z.looseObject({
      index: z.int(),
      text: z.string(),
      finish_reason: z.enum(['stop', 'length', 'content_filter']),
      logprobs: z
        .looseObject({
          tokens: z.array(z.string()),
          token_logprobs: z.array(z.number()),
          top_logprobs: z.array(z.record(z.string(), z.number())),
          text_offset: z.array(z.int()),
        })
        .nullable(),
    }),
  ),
  usage,
  system_fingerprint: z.string(),
}) satisfies z.ZodType<OpenAI.Completion>

export const embeddingList = z.looseObject({
  object: z.literal('list'),
  model: z.string(),
  data: z.array(z.looseObject({ object: z.literal('embedding'), index: z.int(), embedding: z.array(z.number()) })),
  usage: z.looseObject({ prompt_tokens: z.int(), total_tokens: z.int() }),
}) satisfies z.ZodType<OpenAI.CreateEmbeddingResponse>

export const model = z.looseObject({
  id: z.string(),
  object: z.literal('model'),
  created: unixTime,
  owned_by: z.string(),
}) satisfies z.ZodType<OpenAI.Model>

export const modelList = z.looseObject({ object: z.literal('list'), data: z.array(model) })

/** `code` is a text or null, and so is `param`; none may be missing. */
export const errorReply = z.looseObject({
  error: z.looseObject({
    message: z.string().min(1),
    type: z.string().min(1),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
})
