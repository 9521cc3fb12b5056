/** `/tokenize`, `/detokenize`, `/apply-template` and `/infill`, in llama-server's shapes. `model` is ours; absent is `default`. */
import { z } from 'zod'
import { samplingFields, tokenIds } from './fields.ts'
import { ChatMessageSchema, ChatRequestSchema } from './chat-request.ts'

const model = z.string().min(1).nullish()

export const TokenizeRequestSchema = z.looseObject({
  model,
  content: z.string(),
  /** Tell each token's text as well. */
  with_pieces: z.boolean().nullish(),
})

const pieceToken = z.strictObject({ id: z.int(), piece: z.string() })
export const TokenizeReplySchema = z.strictObject({ tokens: z.union([z.array(z.int()), z.array(pieceToken)]) })
export type TokenizeReply = z.infer<typeof TokenizeReplySchema>

export const DetokenizeRequestSchema = z.looseObject({ model, tokens: tokenIds })
export const DetokenizeReplySchema = z.strictObject({ content: z.string() })
export type DetokenizeReply = z.infer<typeof DetokenizeReplySchema>

const { tools, chat_template_kwargs, reasoning_effort, enable_thinking, continue_final_message } = ChatRequestSchema.shape
export const ApplyTemplateRequestSchema = z.looseObject({
  model,
  messages: z.array(ChatMessageSchema).min(1),
  tools,
  chat_template_kwargs,
  reasoning_effort,
  enable_thinking,
  continue_final_message,
})
export const ApplyTemplateReplySchema = z.strictObject({ prompt: z.string() })
export type ApplyTemplateReply = z.infer<typeof ApplyTemplateReplySchema>

export const InfillRequestSchema = z.looseObject({
  ...samplingFields,
  model,
  input_prefix: z.string(),
  input_suffix: z.string(),
  /** Written after the prefix, before the middle. */
  prompt: z.string().nullish(),
  /** Other files, which come before. */
  input_extra: z
    .array(z.looseObject({ filename: z.string().nullish(), text: z.string() }))
    .max(64)
    .nullish(),
  n_predict: z.int().min(-1).nullish(),
  stop: z.array(z.string()).max(64).nullish(),
  stream: z.boolean().nullish(),
})
export type InfillRequest = z.infer<typeof InfillRequestSchema>

/** llama-server's reply of `/completion`, the parts that mean something here. */
export const InfillReplySchema = z.strictObject({
  index: z.int(),
  content: z.string(),
  stop: z.boolean(),
  model: z.string().optional(),
  tokens_predicted: z.int().optional(),
  tokens_evaluated: z.int().optional(),
  stop_type: z.enum(['eos', 'limit', 'word']).optional(),
  stopping_word: z.string().optional(),
})
export type InfillReply = z.infer<typeof InfillReplySchema>

export const CloseThoughtReplySchema = z.strictObject({
  id: z.string(),
  object: z.literal('request.close_thought'),
  /** False when the request is not running, or is not thinking. */
  closed: z.boolean(),
})
export type CloseThoughtReply = z.infer<typeof CloseThoughtReplySchema>
