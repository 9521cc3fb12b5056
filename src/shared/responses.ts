/**
 * `/v1/responses`: requests are read leniently, what we write is checked to the letter of OpenAI's published OpenAPI description. Fields that are
 * optional there and not nullable (`usage`, `user`) are left out when there is nothing to say.
 */
import { z } from 'zod'
import { generationFields, samplingFields } from './openai/fields.ts'
import { ServiceTierSchema } from './openai/service-tier.ts'

const inputPart = z.looseObject({ type: z.string(), text: z.string().optional(), refusal: z.string().optional() })

/** One item of the input, as clients write it: the type may be missing, and much may be null. */
export const InputItemSchema = z.looseObject({
  type: z.string().nullish(),
  id: z.string().nullish(),
  role: z.enum(['user', 'assistant', 'system', 'developer'], 'expected user, assistant, system or developer').optional(),
  content: z.union([z.string(), z.array(inputPart)], 'expected a text or a list of parts').nullish(),
  summary: z.array(inputPart).nullish(),
  encrypted_content: z.string().nullish(),
  call_id: z.string().nullish(),
  name: z.string().nullish(),
  namespace: z.string().nullish(),
  arguments: z.string().optional(),
  /** Of a call of a tool that takes free text. */
  input: z.string().optional(),
  output: z.union([z.string(), z.array(inputPart)], 'expected a text or a list of parts').optional(),
})
export type InputItem = z.infer<typeof InputItemSchema>

export const METADATA_LIMITS = { pairs: 16, key: 64, value: 512 } as const
export const MetadataSchema = z
  .record(z.string().max(METADATA_LIMITS.key), z.string().max(METADATA_LIMITS.value))
  .refine((metadata) => Object.keys(metadata).length <= METADATA_LIMITS.pairs, 'at most 16 pairs')

const effort = z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])
const jsonSchema = z.record(z.string(), z.unknown())

const requestTool = {
  type: z.string(),
  name: z.string().min(1).max(128).optional(),
  description: z.string().nullish(),
  parameters: jsonSchema.nullish(),
  strict: z.boolean().nullish(),
  /** Of a tool that takes free text. */
  format: z
    .discriminatedUnion(
      'type',
      [
        z.object({ type: z.literal('text') }),
        z.object({ type: z.literal('grammar'), syntax: z.enum(['lark', 'regex']), definition: z.string() }),
      ],
      'expected text or grammar',
    )
    .nullish(),
} as const

export const ResponseRequestSchema = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(InputItemSchema)], 'expected a text or a list of items').nullish(),
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  /** A tool of type `namespace` is a group of tools. */
  tools: z.array(z.looseObject({ ...requestTool, tools: z.array(z.looseObject(requestTool)).optional() })).nullish(),
  tool_choice: z
    .union(
      [
        z.string(),
        z.looseObject({
          type: z.string(),
          name: z.string().optional(),
          mode: z.string().optional(),
          tools: z.array(z.looseObject({ type: z.string(), name: z.string().optional() })).optional(),
        }),
      ],
      'expected auto, none, required or an object with a type',
    )
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  text: z
    .looseObject({
      format: z
        .looseObject({
          type: z.string(),
          name: z.string().optional(),
          description: z.string().nullish(),
          schema: jsonSchema.optional(),
          strict: z.boolean().nullish(),
        })
        .nullish(),
      verbosity: z.string().nullish(),
    })
    .nullish(),
  reasoning: z
    .looseObject({
      effort: effort.nullish(),
      summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
      generate_summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
    })
    .nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  max_tool_calls: z.int().min(0).nullish(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  store: z.boolean().nullish(),
  metadata: MetadataSchema.nullish(),
  include: z.array(z.string()).nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_obfuscation: z.boolean().nullish() }).nullish(),
  background: z.boolean().nullish(),
  service_tier: z.enum(['auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast']).nullish(),
  user: z.string().nullish(),
  safety_identifier: z.string().max(64).nullish(),
  prompt_cache_key: z.string().nullish(),
  prompt_cache_retention: z.enum(['in_memory', 'in-memory', '24h']).nullish(),
  // Ours, by the names that our chat completions use.
  ...samplingFields,
  stop: generationFields.stop,
  ignore_eos: generationFields.ignore_eos,
  deterministic: generationFields.deterministic,
  keep_alive: generationFields.keep_alive,
  language: generationFields.language,
  grammar: z.string().nullish(),
  chat_template_kwargs: z.record(z.string(), z.unknown()).nullish(),
  max_thinking_tokens: z.int().min(0).nullish(),
})
export type ResponseRequest = z.infer<typeof ResponseRequestSchema>

const count = z.int().nonnegative()
const itemStatus = z.enum(['in_progress', 'completed', 'incomplete'])

const topLogprob = z.strictObject({ token: z.string(), logprob: z.number(), bytes: z.array(z.int()) })
const tokenLogprob = topLogprob.extend({ top_logprobs: z.array(topLogprob) })
export type ResponseLogprob = z.infer<typeof tokenLogprob>

const outputText = z.strictObject({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(z.never()),
  logprobs: z.array(tokenLogprob),
})
const refusal = z.strictObject({ type: z.literal('refusal'), refusal: z.string() })
const reasoningText = z.strictObject({ type: z.literal('reasoning_text'), text: z.string() })
const summaryText = z.strictObject({ type: z.literal('summary_text'), text: z.string() })
const inputText = z.strictObject({ type: z.literal('input_text'), text: z.string() })

const outputMessage = z.strictObject({
  id: z.string(),
  type: z.literal('message'),
  role: z.literal('assistant'),
  status: itemStatus,
  content: z.array(z.discriminatedUnion('type', [outputText, refusal])),
})
const reasoningItem = z.strictObject({
  id: z.string(),
  type: z.literal('reasoning'),
  summary: z.array(summaryText),
  content: z.array(reasoningText),
  /** The thoughts, sealed by this server, for callers who keep the conversation themselves. */
  encrypted_content: z.string().optional(),
  status: itemStatus,
})
const functionCall = z.strictObject({
  id: z.string(),
  type: z.literal('function_call'),
  call_id: z.string(),
  name: z.string(),
  /** The group of tools that it stands in, when the request has groups. */
  namespace: z.string().optional(),
  arguments: z.string(),
  status: itemStatus,
})
const customToolCall = z.strictObject({
  id: z.string(),
  type: z.literal('custom_tool_call'),
  call_id: z.string(),
  name: z.string(),
  namespace: z.string().optional(),
  input: z.string(),
  status: itemStatus,
})

export const OutputItemSchema = z.discriminatedUnion('type', [outputMessage, reasoningItem, functionCall, customToolCall])
export type OutputItem = z.infer<typeof OutputItemSchema>

const inputMessage = z.strictObject({
  id: z.string(),
  type: z.literal('message'),
  role: z.enum(['user', 'system', 'developer']),
  status: itemStatus,
  content: z.array(inputText),
})
const callOutput = z.strictObject({
  id: z.string(),
  type: z.enum(['function_call_output', 'custom_tool_call_output']),
  call_id: z.string(),
  output: z.union([z.string(), z.array(inputText)]),
  status: itemStatus,
})

/** An item of a conversation, as it is stored and listed. */
export const ConversationItemSchema = z.union([outputMessage, inputMessage, reasoningItem, functionCall, customToolCall, callOutput])
export type ConversationItem = z.infer<typeof ConversationItemSchema>

export const ResponseItemListSchema = z.strictObject({
  object: z.literal('list'),
  data: z.array(ConversationItemSchema),
  has_more: z.boolean(),
  first_id: z.string(),
  last_id: z.string(),
})
export type ResponseItemList = z.infer<typeof ResponseItemListSchema>

export const ResponseUsageSchema = z.strictObject({
  input_tokens: count,
  input_tokens_details: z.strictObject({ cached_tokens: count, cache_write_tokens: count }),
  output_tokens: count,
  output_tokens_details: z.strictObject({ reasoning_tokens: count }),
  total_tokens: count,
})
export type ResponseUsage = z.infer<typeof ResponseUsageSchema>

const freeTextTool = z.strictObject({
  type: z.literal('custom'),
  name: z.string(),
  description: z.string().optional(),
  format: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text') }),
      z.strictObject({ type: z.literal('grammar'), syntax: z.enum(['lark', 'regex']), definition: z.string() }),
    ])
    .optional(),
})

const wireTool = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('function'),
    name: z.string(),
    description: z.string().nullable(),
    parameters: jsonSchema.nullable(),
    strict: z.boolean(),
  }),
  freeTextTool,
  /** A group of tools. */
  z.strictObject({
    type: z.literal('namespace'),
    name: z.string(),
    description: z.string(),
    tools: z.array(
      z.discriminatedUnion('type', [
        z.strictObject({
          type: z.literal('function'),
          name: z.string(),
          description: z.string().optional(),
          parameters: jsonSchema.optional(),
          strict: z.boolean().optional(),
        }),
        freeTextTool,
      ]),
    ),
  }),
])

const wireToolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.strictObject({ type: z.enum(['function', 'custom']), name: z.string() }),
  z.strictObject({
    type: z.literal('allowed_tools'),
    mode: z.enum(['auto', 'required']),
    tools: z.array(z.strictObject({ type: z.enum(['function', 'custom']), name: z.string() })),
  }),
])

const wireFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    name: z.string(),
    schema: jsonSchema,
    strict: z.boolean(),
    description: z.string().optional(),
  }),
])

export const RESPONSE_STATUSES = ['queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled'] as const
export type ResponseStatus = (typeof RESPONSE_STATUSES)[number]

export const ResponseSchema = z.strictObject({
  id: z.string(),
  object: z.literal('response'),
  /** Seconds since 1970. */
  created_at: z.int(),
  status: z.enum(RESPONSE_STATUSES),
  completed_at: z.int().nullable(),
  background: z.boolean(),
  error: z.strictObject({ code: z.enum(['server_error', 'rate_limit_exceeded', 'invalid_prompt']), message: z.string() }).nullable(),
  incomplete_details: z.strictObject({ reason: z.literal('max_output_tokens') }).nullable(),
  instructions: z.string().nullable(),
  max_output_tokens: z.int().nullable(),
  max_tool_calls: z.int().nullable(),
  model: z.string(),
  output: z.array(OutputItemSchema),
  parallel_tool_calls: z.boolean(),
  previous_response_id: z.string().nullable(),
  prompt_cache_key: z.string().nullable(),
  reasoning: z.strictObject({ effort: effort.nullable(), summary: z.enum(['auto', 'concise', 'detailed']).nullable() }),
  safety_identifier: z.string().nullable(),
  service_tier: ServiceTierSchema,
  /** Not in the description, but in what OpenAI sends: whether it can be asked for again. */
  store: z.boolean(),
  temperature: z.number().nullable(),
  text: z.strictObject({ format: wireFormat, verbosity: z.literal('medium') }),
  tool_choice: wireToolChoice,
  tools: z.array(wireTool),
  top_logprobs: z.int(),
  top_p: z.number().nullable(),
  truncation: z.enum(['auto', 'disabled']),
  usage: ResponseUsageSchema.optional(),
  user: z.string().optional(),
  metadata: MetadataSchema,
})
export type Response = z.infer<typeof ResponseSchema>

export const DeletedResponseSchema = z.strictObject({ id: z.string(), object: z.literal('response'), deleted: z.literal(true) })
export const InputTokensSchema = z.strictObject({ object: z.literal('response.input_tokens'), input_tokens: count })

/** Parts that `content_part.added` and `.done` carry. */
export const ContentPartSchema = z.discriminatedUnion('type', [outputText, refusal, reasoningText])
export type ContentPart = z.infer<typeof ContentPartSchema>
export const LogprobsSchema = z.array(tokenLogprob)
export const SummaryPartSchema = summaryText
