/** What Ollama's clients send. Lenient: unknown fields are kept, so that they can be named. Source: Ollama's docs/api.md and api/types.go. */
import { z } from 'zod'

const name = z.string().min(1).max(512)
const keepAlive = z.union([z.number(), z.string()], 'expected seconds or a text such as 5m')
const images = z.array(z.unknown())
const think = z.union([z.boolean(), z.enum(['low', 'medium', 'high', 'max'])], 'expected true, false, low, medium, high or max')
const format = z.union([z.string(), z.record(z.string(), z.unknown())], 'expected json or a JSON Schema')
const penalty = z.number().min(-2).max(2)

/** Those that change an answer; the others are about loading, which is the planner's. Fractions of whole numbers are cut off, as there. */
export const OllamaOptionsSchema = z.looseObject({
  temperature: z.number().nullish(),
  top_k: z.number().nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  typical_p: z.number().min(0).max(1).nullish(),
  repeat_last_n: z.number().nullish(),
  repeat_penalty: z.number().min(0).nullish(),
  presence_penalty: penalty.nullish(),
  frequency_penalty: penalty.nullish(),
  seed: z.number().nullish(),
  num_predict: z.number().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(64)], 'expected a list of texts').nullish(),
})
export type OllamaOptions = z.infer<typeof OllamaOptionsSchema>

const toolCall = z.looseObject({
  id: z.string().nullish(),
  function: z.looseObject({ name: z.string().min(1), arguments: z.record(z.string(), z.unknown()).nullish() }),
})

export const OllamaMessageSchema = z.looseObject({
  /** Of any case, as there. */
  role: z.string(),
  content: z.string().nullish(),
  thinking: z.string().nullish(),
  images: images.nullish(),
  tool_calls: z.array(toolCall).max(128).nullish(),
  tool_name: z.string().nullish(),
  tool_call_id: z.string().nullish(),
})
export type OllamaMessage = z.infer<typeof OllamaMessageSchema>

const tool = z.looseObject({
  type: z.string().nullish(),
  function: z.looseObject({
    name: z.string().min(1).max(128),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
  }),
})

/** What chat and generate share. */
const generationFields = {
  model: name,
  /** Absent is true. */
  stream: z.boolean().nullish(),
  format: format.nullish(),
  options: OllamaOptionsSchema.nullish(),
  keep_alive: keepAlive.nullish(),
  think: think.nullish(),
  /** Absent is true: the oldest turns are dropped when the prompt is too long. */
  truncate: z.boolean().nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
}

export const OllamaChatRequestSchema = z.looseObject({
  ...generationFields,
  /** None: the model is loaded, or unloaded when `keep_alive` is 0. */
  messages: z.array(OllamaMessageSchema).nullish(),
  tools: z.array(tool).max(256).nullish(),
})
export type OllamaChatRequest = z.infer<typeof OllamaChatRequestSchema>

export const OllamaGenerateRequestSchema = z.looseObject({
  ...generationFields,
  /** Empty: the model is loaded, or unloaded when `keep_alive` is 0. */
  prompt: z.string().nullish(),
  suffix: z.string().nullish(),
  system: z.string().nullish(),
  template: z.string().nullish(),
  context: z.array(z.int().min(0)).nullish(),
  raw: z.boolean().nullish(),
  images: images.nullish(),
})
export type OllamaGenerateRequest = z.infer<typeof OllamaGenerateRequestSchema>

export const OllamaEmbedRequestSchema = z.looseObject({
  model: name,
  input: z.union([z.string(), z.array(z.string()).max(2048)], 'expected a text or a list of texts').nullish(),
  /** Absent is true: what is too long is cut off at its end. */
  truncate: z.boolean().nullish(),
  dimensions: z.int().min(0).nullish(),
  keep_alive: keepAlive.nullish(),
  options: OllamaOptionsSchema.nullish(),
})
export type OllamaEmbedRequest = z.infer<typeof OllamaEmbedRequestSchema>

export const OllamaEmbeddingsRequestSchema = z.looseObject({
  model: name,
  prompt: z.string().nullish(),
  keep_alive: keepAlive.nullish(),
  options: OllamaOptionsSchema.nullish(),
})

/** `name` is the old word for `model`. */
const modelFields = { model: z.string().max(512).nullish(), name: z.string().max(512).nullish() }

export const OllamaShowRequestSchema = z.looseObject({ ...modelFields, verbose: z.boolean().nullish() })
export const OllamaDeleteRequestSchema = z.looseObject(modelFields)
export const OllamaPullRequestSchema = z.looseObject({ ...modelFields, stream: z.boolean().nullish() })
export const OllamaPushRequestSchema = z.looseObject(modelFields)
export const OllamaCopyRequestSchema = z.looseObject({ source: name, destination: name })

export const OllamaCreateRequestSchema = z.looseObject({
  ...modelFields,
  stream: z.boolean().nullish(),
  /** A model of the library, or a GGUF file of this machine. */
  from: z.string().max(4096).nullish(),
  /** File name → `sha256:…` of what was uploaded to `/api/blobs`. */
  files: z.record(z.string(), z.string()).nullish(),
  license: z.union([z.string(), z.array(z.string())]).nullish(),
})
export type OllamaCreateRequest = z.infer<typeof OllamaCreateRequestSchema>
