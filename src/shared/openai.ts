/**
 * The wire of the OpenAI surface on the way out; its replies are strict. The requests lie in openai/.
 * Source: OpenAI's published OpenAPI description; extensions are llama-server's and vLLM's names where those have one.
 */
import { z } from 'zod'
import { ServiceTierSchema } from './openai/service-tier.ts'

export { ChatRequestSchema, type ChatMessage, type ChatRequest, type ChatRequestInput } from './openai/chat-request.ts'
export { CompletionRequestSchema, type CompletionRequest } from './openai/completion-request.ts'
export { EmbeddingListSchema, EmbeddingRequestSchema, type EmbeddingList, type EmbeddingRequest } from './openai/embedding.ts'

const count = z.int().nonnegative()
export const UsageSchema = z.strictObject({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
  prompt_tokens_details: z.strictObject({ audio_tokens: count, cached_tokens: count }),
  completion_tokens_details: z.strictObject({
    accepted_prediction_tokens: count,
    audio_tokens: count,
    reasoning_tokens: count,
    rejected_prediction_tokens: count,
  }),
})
export type WireUsage = z.infer<typeof UsageSchema>

/** Our extension, in llama-server's names: `_n` tokens, `_ms` milliseconds. `cache_n` prompt tokens were not computed again. */
export const TimingsSchema = z.strictObject({
  queued_ms: z.number(),
  cache_n: count,
  prompt_n: count,
  prompt_ms: z.number(),
  prompt_per_token_ms: z.number(),
  prompt_per_second: z.number(),
  predicted_n: count,
  predicted_ms: z.number(),
  predicted_per_token_ms: z.number(),
  predicted_per_second: z.number(),
  /** Tokens guessed by speculation, and those that were right. */
  draft_n: count,
  draft_n_accepted: count,
})
export type WireTimings = z.infer<typeof TimingsSchema>

const topLogprob = z.strictObject({ token: z.string(), logprob: z.number(), bytes: z.array(z.int()).nullable() })
const tokenLogprob = topLogprob.extend({ top_logprobs: z.array(topLogprob) })
const chatLogprobs = z
  .strictObject({
    content: z.array(tokenLogprob).nullable(),
    refusal: z.null(),
    /** Our extension: the tokens of the thoughts. */
    reasoning_content: z.array(tokenLogprob).optional(),
  })
  .nullable()
/** `content_filter` is of OpenAI's list too, but nothing is filtered here. */
const finishReason = z.enum(['stop', 'length', 'tool_calls', 'function_call'])

/** What the caller should know although the answer goes on. */
const notice = z.discriminatedUnion('code', [
  z.strictObject({ code: z.literal('truncated'), dropped_messages: count, dropped_tokens: count }),
  z.strictObject({ code: z.literal('repaired_arguments'), choice: count, call: count }),
  z.strictObject({ code: z.literal('thought_closed'), choice: count, why: z.enum(['budget', 'asked']) }),
])
export type WireNotice = z.infer<typeof notice>
const bendi = z.strictObject({ notices: z.array(notice).min(1) }).optional()

const functionCall = z.strictObject({ name: z.string(), arguments: z.string() })

const toolCall = z.strictObject({
  id: z.string(),
  type: z.literal('function'),
  function: functionCall,
})

export const ChatCompletionSchema = z.strictObject({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.int(),
  model: z.string(),
  system_fingerprint: z.string(),
  choices: z.array(
    z.strictObject({
      index: z.int(),
      message: z.strictObject({
        role: z.literal('assistant'),
        content: z.string().nullable(),
        refusal: z.null(),
        annotations: z.array(z.never()),
        reasoning_content: z.string().optional(),
        reasoning: z.string().optional(),
        tool_calls: z.array(toolCall).min(1).optional(),
        /** Only for a request with the old `functions`. */
        function_call: functionCall.optional(),
      }),
      logprobs: chatLogprobs,
      finish_reason: finishReason,
    }),
  ),
  usage: UsageSchema,
  /** Only when it was asked for. */
  service_tier: ServiceTierSchema.optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  timings: TimingsSchema,
  bendi,
})
export type ChatCompletion = z.infer<typeof ChatCompletionSchema>

export const ChatChunkSchema = z.strictObject({
  id: z.string(),
  object: z.literal('chat.completion.chunk'),
  created: z.int(),
  model: z.string(),
  system_fingerprint: z.string(),
  choices: z.array(
    z.strictObject({
      index: z.int(),
      delta: z.strictObject({
        role: z.literal('assistant').optional(),
        content: z.string().nullable().optional(),
        refusal: z.null().optional(),
        reasoning_content: z.string().optional(),
        reasoning: z.string().optional(),
        function_call: z.strictObject({ name: z.string().optional(), arguments: z.string() }).optional(),
        tool_calls: z
          .array(
            z.strictObject({
              index: z.int(),
              id: z.string().optional(),
              type: z.literal('function').optional(),
              function: z.strictObject({ name: z.string().optional(), arguments: z.string() }),
            }),
          )
          .optional(),
      }),
      logprobs: chatLogprobs,
      finish_reason: finishReason.nullable(),
    }),
  ),
  /** Only when it was asked for. */
  service_tier: ServiceTierSchema.optional(),
  /** Only with `stream_options.include_usage`: null except in the last chunk. */
  usage: UsageSchema.nullable().optional(),
  /** Only with `stream_options.include_obfuscation`: noise that hides the length of what was written. */
  obfuscation: z.string().optional(),
  /** In the last chunk. */
  timings: TimingsSchema.optional(),
  bendi,
})
export type ChatChunk = z.infer<typeof ChatChunkSchema>

const completionChoice = z.strictObject({
  index: z.int(),
  text: z.string(),
  logprobs: z
    .strictObject({
      tokens: z.array(z.string()),
      token_logprobs: z.array(z.number()),
      top_logprobs: z.array(z.record(z.string(), z.number())),
      text_offset: z.array(z.int()),
    })
    .nullable(),
  finish_reason: z.enum(['stop', 'length']).nullable(),
})

const completionHead = {
  id: z.string(),
  object: z.literal('text_completion'),
  created: z.int(),
  model: z.string(),
  system_fingerprint: z.string(),
}

export const CompletionSchema = z.strictObject({
  ...completionHead,
  choices: z.array(completionChoice.extend({ finish_reason: z.enum(['stop', 'length']) })),
  usage: UsageSchema,
  timings: TimingsSchema,
  bendi,
})
export type Completion = z.infer<typeof CompletionSchema>

export const CompletionChunkSchema = z.strictObject({
  ...completionHead,
  choices: z.array(completionChoice),
  usage: UsageSchema.nullable().optional(),
  timings: TimingsSchema.optional(),
  bendi,
})
export type CompletionChunk = z.infer<typeof CompletionChunkSchema>

export const OpenAiModelSchema = z.strictObject({
  id: z.string(),
  object: z.literal('model'),
  /** Seconds since 1970. */
  created: z.int(),
  owned_by: z.string(),
})
export type OpenAiModel = z.infer<typeof OpenAiModelSchema>
export const OpenAiModelListSchema = z.strictObject({ object: z.literal('list'), data: z.array(OpenAiModelSchema) })
export type OpenAiModelList = z.infer<typeof OpenAiModelListSchema>

export const OpenAiErrorSchema = z.strictObject({
  error: z.strictObject({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
    /** Our extension: the error as our own API tells it, so that a page can say it in its own language. */
    bendi: z.strictObject({ code: z.string(), data: z.record(z.string(), z.union([z.string(), z.number()])) }),
  }),
})
export type OpenAiError = z.infer<typeof OpenAiErrorSchema>

/** Why nothing has come yet; told in comments of the event stream, which other clients skip. */
export type Waiting =
  | { type: 'queued'; position: number }
  | { type: 'loading'; model: string; fraction?: number }
  | { type: 'prefill'; done: number; total: number }

/** `queued 3`, `loading deepseek-r1:1.5b 40%`, `prefill 512/1500`: the text of the comment. */
export function formatWaiting(waiting: Waiting): string {
  switch (waiting.type) {
    case 'queued':
      return `queued ${waiting.position}`
    case 'loading':
      return `loading ${waiting.model}${waiting.fraction === undefined ? '' : ` ${Math.round(waiting.fraction * 100)}%`}`
    case 'prefill':
      return `prefill ${waiting.done}/${waiting.total}`
  }
}

/** The inverse; undefined for a comment of another kind (a keep-alive). */
export function parseWaiting(comment: string): Waiting | undefined {
  const queued = /^queued (\d+)$/.exec(comment)
  if (queued) return { type: 'queued', position: Number(queued[1]) }
  const prefill = /^prefill (\d+)\/(\d+)$/.exec(comment)
  if (prefill) return { type: 'prefill', done: Number(prefill[1]), total: Number(prefill[2]) }
  const loading = /^loading (.+?)(?: (\d+)%)?$/.exec(comment)
  if (!loading?.[1]) return undefined
  return { type: 'loading', model: loading[1], ...(loading[2] ? { fraction: Number(loading[2]) / 100 } : {}) }
}
