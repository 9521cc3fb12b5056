/** What Ollama's clients get. Strict: every field that may be there is named. Durations are nanoseconds, times RFC 3339. */
import { z } from 'zod'

const count = z.int().min(0)
const time = z.iso.datetime()

export const OllamaErrorSchema = z.strictObject({ error: z.string().min(1) })
export type OllamaError = z.infer<typeof OllamaErrorSchema>

const token = { token: z.string(), logprob: z.number(), bytes: z.array(z.int().min(0).max(255)) }
const logprobSchema = z.strictObject({ ...token, top_logprobs: z.array(z.strictObject(token)).optional() })
export type OllamaLogprob = z.infer<typeof logprobSchema>

const toolCallSchema = z.strictObject({
  id: z.string().min(1),
  function: z.strictObject({ index: count, name: z.string().min(1), arguments: z.record(z.string(), z.unknown()) }),
})
export type OllamaToolCall = z.infer<typeof toolCallSchema>

const metricsSchema = {
  total_duration: count,
  load_duration: count,
  prompt_eval_count: count,
  prompt_eval_duration: count,
  eval_count: count,
  eval_duration: count,
}
export type OllamaMetrics = z.infer<z.ZodObject<typeof metricsSchema>>

const messageSchema = z.strictObject({
  role: z.literal('assistant'),
  content: z.string(),
  thinking: z.string().optional(),
  tool_calls: z.array(toolCallSchema).min(1).optional(),
})

const reason = z.enum(['stop', 'length'])
const head = { model: z.string(), created_at: time }
const chatHead = { ...head, message: messageSchema, logprobs: z.array(logprobSchema).optional() }

/** A model that was loaded or unloaded, since there was nothing to answer. */
const chatLoadSchema = z.strictObject({ ...chatHead, done: z.literal(true), done_reason: z.enum(['load', 'unload']) })
export const OllamaChatReplySchema = z.union([
  z.strictObject({ ...chatHead, done: z.literal(true), done_reason: reason, ...metricsSchema }),
  chatLoadSchema,
])
export type OllamaChatReply = z.infer<typeof OllamaChatReplySchema>
/** A line of the stream; the last one is a whole reply without what was told before. */
export const OllamaChatChunkSchema = z.union([
  z.strictObject({ ...chatHead, done: z.literal(false) }),
  OllamaChatReplySchema,
  OllamaErrorSchema,
])
export type OllamaChatChunk = z.infer<typeof OllamaChatChunkSchema>

const generateHead = { ...head, response: z.string(), thinking: z.string().optional(), logprobs: z.array(logprobSchema).optional() }
const generateLoadSchema = z.strictObject({ ...generateHead, done: z.literal(true), done_reason: z.enum(['load', 'unload']) })
export const OllamaGenerateReplySchema = z.union([
  z.strictObject({ ...generateHead, done: z.literal(true), done_reason: reason, context: z.array(count).optional(), ...metricsSchema }),
  generateLoadSchema,
])
export type OllamaGenerateReply = z.infer<typeof OllamaGenerateReplySchema>
export const OllamaGenerateChunkSchema = z.union([
  z.strictObject({ ...generateHead, done: z.literal(false) }),
  OllamaGenerateReplySchema,
  OllamaErrorSchema,
])
export type OllamaGenerateChunk = z.infer<typeof OllamaGenerateChunkSchema>

export const OllamaEmbedReplySchema = z.strictObject({
  model: z.string(),
  embeddings: z.array(z.array(z.number())),
  total_duration: count,
  load_duration: count,
  prompt_eval_count: count,
})
export type OllamaEmbedReply = z.infer<typeof OllamaEmbedReplySchema>
export const OllamaEmbeddingsReplySchema = z.strictObject({ embedding: z.array(z.number()) })

const detailsSchema = z.strictObject({
  parent_model: z.string(),
  format: z.string(),
  family: z.string(),
  families: z.array(z.string()),
  parameter_size: z.string(),
  quantization_level: z.string(),
})
export type OllamaDetails = z.infer<typeof detailsSchema>

const digest = z.string().regex(/^[0-9a-f]{64}$/)
const listed = { name: z.string(), model: z.string(), size: count, digest, details: detailsSchema }

export const OllamaTagSchema = z.strictObject({ ...listed, modified_at: time })
export type OllamaTag = z.infer<typeof OllamaTagSchema>
export const OllamaTagsSchema = z.strictObject({ models: z.array(OllamaTagSchema) })

export const OllamaRunningSchema = z.strictObject({ ...listed, expires_at: time, size_vram: count, context_length: count })
export type OllamaRunning = z.infer<typeof OllamaRunningSchema>
export const OllamaPsSchema = z.strictObject({ models: z.array(OllamaRunningSchema) })

export const OLLAMA_CAPABILITIES = ['completion', 'tools', 'insert', 'thinking', 'embedding'] as const
export type OllamaCapability = (typeof OLLAMA_CAPABILITIES)[number]

export const OllamaShowReplySchema = z.strictObject({
  license: z.string().optional(),
  modelfile: z.string(),
  parameters: z.string(),
  template: z.string(),
  details: detailsSchema,
  model_info: z.record(z.string(), z.unknown()),
  tensors: z.array(z.strictObject({ name: z.string(), type: z.string(), shape: z.array(count) })).optional(),
  capabilities: z.array(z.enum(OLLAMA_CAPABILITIES)),
  modified_at: time,
})
export type OllamaShowReply = z.infer<typeof OllamaShowReplySchema>

export const OllamaVersionSchema = z.strictObject({ version: z.string() })

/** Of pulling and creating. */
export const OllamaProgressSchema = z.strictObject({
  status: z.string(),
  digest: z.string().optional(),
  total: count.optional(),
  completed: count.optional(),
})
export type OllamaProgress = z.infer<typeof OllamaProgressSchema>
export const OllamaProgressLineSchema = z.union([OllamaProgressSchema, OllamaErrorSchema])
