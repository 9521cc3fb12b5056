/** What the Messages API answers. Strict, with every field that Anthropic's SDK types name, null where nothing is to be said. */
import { z } from 'zod'

const count = z.int().nonnegative()

const usage = z.strictObject({
  cache_creation: z.null(),
  cache_creation_input_tokens: count,
  /** Of the prompt, not computed again. */
  cache_read_input_tokens: count,
  inference_geo: z.null(),
  /** Of the prompt, computed for this answer. */
  input_tokens: count,
  output_tokens: count,
  output_tokens_details: z.strictObject({ thinking_tokens: count }).nullable(),
  server_tool_use: z.null(),
  service_tier: z.literal('standard'),
  speed: z.null(),
})
export type AnthropicUsage = z.infer<typeof usage>

const textBlock = z.strictObject({ type: z.literal('text'), text: z.string(), citations: z.null() })
const thinkingBlock = z.strictObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() })
const toolUseBlock = z.strictObject({
  type: z.literal('tool_use'),
  id: z.string(),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
  caller: z.strictObject({ type: z.literal('direct') }),
})
const contentBlock = z.discriminatedUnion('type', [textBlock, thinkingBlock, toolUseBlock])
export type AnthropicContentBlock = z.infer<typeof contentBlock>

const stopReason = z.enum(['end_turn', 'max_tokens', 'stop_sequence', 'tool_use'])
export type AnthropicStopReason = z.infer<typeof stopReason>

const messageHead = {
  id: z.string(),
  type: z.literal('message'),
  role: z.literal('assistant'),
  model: z.string(),
  container: z.null(),
  diagnostics: z.null(),
  stop_details: z.null(),
}

export const AnthropicMessageReplySchema = z.strictObject({
  ...messageHead,
  content: z.array(contentBlock),
  stop_reason: stopReason,
  stop_sequence: z.string().nullable(),
  usage,
})
export type AnthropicMessageReply = z.infer<typeof AnthropicMessageReplySchema>

export const AnthropicErrorSchema = z.strictObject({
  type: z.literal('error'),
  error: z.strictObject({
    type: z.string(),
    message: z.string(),
    details: z.strictObject({ error_code: z.string(), unsupported: z.array(z.string()) }).optional(),
  }),
  request_id: z.string(),
})
export type AnthropicError = z.infer<typeof AnthropicErrorSchema>

/** The data of the events of a stream, in their order; each event is named after its `type`. */
export const AnthropicEventSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('message_start'),
    message: z.strictObject({
      ...messageHead,
      content: z.array(z.never()),
      stop_reason: z.null(),
      stop_sequence: z.null(),
      usage,
    }),
  }),
  z.strictObject({ type: z.literal('ping') }),
  z.strictObject({ type: z.literal('content_block_start'), index: count, content_block: contentBlock }),
  z.strictObject({
    type: z.literal('content_block_delta'),
    index: count,
    delta: z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text_delta'), text: z.string() }),
      z.strictObject({ type: z.literal('thinking_delta'), thinking: z.string() }),
      z.strictObject({ type: z.literal('signature_delta'), signature: z.string() }),
      z.strictObject({ type: z.literal('input_json_delta'), partial_json: z.string() }),
    ]),
  }),
  z.strictObject({ type: z.literal('content_block_stop'), index: count }),
  z.strictObject({
    type: z.literal('message_delta'),
    delta: z.strictObject({
      container: z.null(),
      stop_details: z.null(),
      stop_reason: stopReason,
      stop_sequence: z.string().nullable(),
    }),
    usage: usage.pick({
      cache_creation_input_tokens: true,
      cache_read_input_tokens: true,
      input_tokens: true,
      output_tokens: true,
      output_tokens_details: true,
      server_tool_use: true,
    }),
  }),
  z.strictObject({ type: z.literal('message_stop') }),
  AnthropicErrorSchema,
])
export type AnthropicEvent = z.infer<typeof AnthropicEventSchema>

export const CountTokensReplySchema = z.strictObject({ input_tokens: count })

export const AnthropicModelSchema = z.strictObject({
  type: z.literal('model'),
  id: z.string(),
  display_name: z.string(),
  /** RFC 3339. */
  created_at: z.string(),
  capabilities: z.null(),
  deprecated_at: z.null(),
  lifecycle: z.literal('active'),
  line: z.null(),
  max_input_tokens: count.nullable(),
  max_tokens: count.nullable(),
  retires_at: z.null(),
})
export type AnthropicModel = z.infer<typeof AnthropicModelSchema>

export const AnthropicModelListSchema = z.strictObject({
  data: z.array(AnthropicModelSchema),
  first_id: z.string().nullable(),
  has_more: z.boolean(),
  last_id: z.string().nullable(),
})
