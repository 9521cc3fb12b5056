/** `POST /v1/embeddings`. Source: OpenAI's published description. */
import { z } from 'zod'
import { PROMPT_SHAPES, tokenIds } from './fields.ts'

const text = z.string().min(1, 'a text must not be empty')

export const EmbeddingRequestSchema = z.looseObject({
  model: z.string().min(1),
  input: z.union([text, z.array(text).min(1).max(2048), tokenIds.min(1), z.array(tokenIds.min(1)).min(1).max(2048)], PROMPT_SHAPES),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  /** Numbers of each vector; shorter than the model's own only where the model was trained for it (Matryoshka). */
  dimensions: z.int().min(1).nullish(),
  user: z.string().nullish(),
})
export type EmbeddingRequest = z.infer<typeof EmbeddingRequestSchema>

const count = z.int().nonnegative()

export const EmbeddingListSchema = z.strictObject({
  object: z.literal('list'),
  model: z.string(),
  /** A base64 text holds little-endian float32. */
  data: z.array(z.strictObject({ object: z.literal('embedding'), index: z.int(), embedding: z.union([z.array(z.number()), z.string()]) })),
  usage: z.strictObject({ prompt_tokens: count, total_tokens: count }),
})
export type EmbeddingList = z.infer<typeof EmbeddingListSchema>
