/**
 * The wire of the OpenAI surface: requests lenient (unknown fields are kept, so that they can be named), replies strict.
 * Source: OpenAI's published OpenAPI description; extensions are llama-server's and vLLM's names where those have one.
 */
import { z } from 'zod'

const integer = z.number().refine(Number.isInteger, 'expected a whole number')
const probability = z.number().min(0).max(1)
const stop = z.union([z.string(), z.array(z.string()).max(64)], 'expected a text or a list of at most 64 texts')

/** What chat and completions share. `null` means "not given", as with OpenAI. */
const samplingFields = {
  temperature: z.number().min(0).max(100).nullish(),
  top_p: probability.nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  logit_bias: z.record(z.string().regex(/^\d{1,9}$/, 'keys are token ids'), z.number().min(-100).max(100)).nullish(),
  seed: integer.nullish(),
  top_k: z.int().min(-1).nullish(),
  min_p: probability.nullish(),
  typical_p: probability.nullish(),
  xtc_probability: probability.nullish(),
  xtc_threshold: probability.nullish(),
  dry_multiplier: z.number().min(0).nullish(),
  dry_base: z.number().min(0).nullish(),
  dry_allowed_length: z.int().min(0).nullish(),
  dry_penalty_last_n: z.int().min(-1).nullish(),
  dry_sequence_breakers: z.array(z.string()).max(64).nullish(),
  repetition_penalty: z.number().min(0).nullish(),
  repeat_penalty: z.number().min(0).nullish(),
  repeat_last_n: z.int().min(-1).nullish(),
  grammar: z.string().nullish(),
}

const generationFields = {
  model: z.string().min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  n: z.int().min(1).max(32).nullish(),
  stop: stop.nullish(),
  /** −1 (llama-server's "no limit") is the same as absent. */
  max_tokens: z.int().min(-1).nullish(),
  ignore_eos: z.boolean().nullish(),
  deterministic: z.boolean().nullish(),
  /** Seconds, or a text such as `5m`; negative is for ever. */
  keep_alive: z.union([z.number(), z.string()], 'expected seconds or a text such as 5m').nullish(),
}

const contentPart = z.looseObject({ type: z.string(), text: z.string().optional(), refusal: z.string().optional() })

export const ChatMessageSchema = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: z.union([z.string(), z.array(contentPart)]).nullish(),
  name: z.string().nullish(),
  refusal: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish(),
  tool_call_id: z.string().nullish(),
  tool_calls: z.array(z.looseObject({ id: z.string(), function: z.looseObject({ name: z.string(), arguments: z.string() }) })).nullish(),
  /** DeepSeek's "continue this message". */
  prefix: z.boolean().nullish(),
})
export type ChatMessage = z.infer<typeof ChatMessageSchema>

export const ChatRequestSchema = z.looseObject({
  ...generationFields,
  ...samplingFields,
  messages: z.array(ChatMessageSchema).min(1),
  max_completion_tokens: z.int().min(-1).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  response_format: z.looseObject({ type: z.string() }).nullish(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
  reasoning_format: z.enum(['auto', 'deepseek', 'none']).nullish(),
  chat_template_kwargs: z.record(z.string(), z.unknown()).nullish(),
  continue_final_message: z.boolean().nullish(),
})
export type ChatRequest = z.infer<typeof ChatRequestSchema>
/** What a caller writes; the fields that the schema does not name are allowed as well. */
export type ChatRequestInput = z.input<typeof ChatRequestSchema>

const tokenIds = z.array(z.int().min(0))
const PROMPT_SHAPES = 'expected a text, a list of texts, a list of token ids, or a list of such lists, none of them empty'
export const CompletionRequestSchema = z.looseObject({
  ...generationFields,
  ...samplingFields,
  prompt: z.union(
    [z.string(), z.array(z.string()).min(1).max(128), tokenIds.min(1), z.array(tokenIds.min(1)).min(1).max(128)],
    PROMPT_SHAPES,
  ),
  logprobs: z.int().min(0).max(20).nullish(),
  echo: z.boolean().nullish(),
  best_of: z.int().min(0).max(32).nullish(),
  suffix: z.string().nullish(),
})
export type CompletionRequest = z.infer<typeof CompletionRequestSchema>

export const EmbeddingRequestSchema = z.looseObject({
  model: z.string().min(1),
  input: z.union(
    [z.string(), z.array(z.string()).min(1).max(2048), tokenIds.min(1), z.array(tokenIds.min(1)).min(1).max(2048)],
    PROMPT_SHAPES,
  ),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).nullish(),
  user: z.string().nullish(),
})
export type EmbeddingRequest = z.infer<typeof EmbeddingRequestSchema>

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
const finishReason = z.enum(['stop', 'length', 'tool_calls'])

const toolCall = z.strictObject({
  id: z.string(),
  type: z.literal('function'),
  function: z.strictObject({ name: z.string(), arguments: z.string() }),
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
        tool_calls: z.array(toolCall).min(1).optional(),
      }),
      logprobs: chatLogprobs,
      finish_reason: finishReason,
    }),
  ),
  usage: UsageSchema,
  timings: TimingsSchema,
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
  /** Only with `stream_options.include_usage`: null except in the last chunk. */
  usage: UsageSchema.nullable().optional(),
  /** In the last chunk. */
  timings: TimingsSchema.optional(),
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
})
export type Completion = z.infer<typeof CompletionSchema>

export const CompletionChunkSchema = z.strictObject({
  ...completionHead,
  choices: z.array(completionChoice),
  usage: UsageSchema.nullable().optional(),
  timings: TimingsSchema.optional(),
})
export type CompletionChunk = z.infer<typeof CompletionChunkSchema>

export const EmbeddingListSchema = z.strictObject({
  object: z.literal('list'),
  model: z.string(),
  /** A base64 text holds little-endian float32. */
  data: z.array(z.strictObject({ object: z.literal('embedding'), index: z.int(), embedding: z.union([z.array(z.number()), z.string()]) })),
  usage: z.strictObject({ prompt_tokens: count, total_tokens: count }),
})
export type EmbeddingList = z.infer<typeof EmbeddingListSchema>

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
