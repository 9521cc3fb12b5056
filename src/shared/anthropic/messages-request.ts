/** What callers of the Messages API send. Lenient: unknown fields are kept, so that they can be named. Source: Anthropic's API reference and SDK types. */
import { z } from 'zod'

const probability = z.number().min(0).max(1)
const texts = z.array(z.string()).max(64)

/** One block of content; which fields it must have depends on `type`, and is checked where it is read. */
const contentBlock = z.looseObject({ type: z.string(), text: z.string().optional() })
export type AnthropicBlock = z.infer<typeof contentBlock>

export const AnthropicMessageSchema = z.looseObject({
  role: z.enum(['user', 'assistant', 'system']),
  content: z.union([z.string(), z.array(contentBlock)], 'expected a text or a list of content blocks'),
})
export type AnthropicMessageParam = z.infer<typeof AnthropicMessageSchema>

const tool = z.looseObject({
  /** Absent and `custom` are the caller's own tools; anything else would run at Anthropic. */
  type: z.string().nullish(),
  name: z.string().min(1).max(128),
  description: z.string().nullish(),
  input_schema: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
})

const toolChoice = z.looseObject({
  type: z.enum(['auto', 'any', 'tool', 'none']),
  name: z.string().optional(),
  disable_parallel_tool_use: z.boolean().nullish(),
})

const jsonFormat = z.looseObject({ type: z.literal('json_schema'), schema: z.record(z.string(), z.unknown()) })

/** What a message and the counting of its tokens share. */
const conversationFields = {
  model: z.string().min(1),
  messages: z.array(AnthropicMessageSchema).min(1),
  system: z.union([z.string(), z.array(contentBlock)], 'expected a text or a list of text blocks').nullish(),
  tools: z.array(tool).max(256).nullish(),
  tool_choice: toolChoice.nullish(),
  /** With `adaptive`, some clients send a budget of 0. */
  thinking: z
    .looseObject({
      type: z.enum(['enabled', 'disabled', 'adaptive']),
      budget_tokens: z.int().min(0).optional(),
      display: z.string().nullish(),
    })
    .nullish(),
  output_config: z.looseObject({ effort: z.string().nullish(), format: jsonFormat.nullish() }).nullish(),
  /** The name that `output_config.format` had in the beta. */
  output_format: jsonFormat.nullish(),
  cache_control: z.unknown().optional(),
}

export const AnthropicRequestSchema = z.looseObject({
  ...conversationFields,
  max_tokens: z.int().min(1),
  stream: z.boolean().nullish(),
  stop_sequences: texts.nullish(),
  temperature: probability.nullish(),
  top_p: probability.nullish(),
  top_k: z.int().min(0).nullish(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).nullish(),
  service_tier: z.enum(['auto', 'standard_only']).nullish(),
})
export type AnthropicRequest = z.infer<typeof AnthropicRequestSchema>

export const CountTokensRequestSchema = z.looseObject(conversationFields)
export type CountTokensRequest = z.infer<typeof CountTokensRequestSchema>
