/** `POST /v1/rerank` (also `/rerank` and `/v2/rerank`): Jina's and Cohere's shape, which llama-server and vLLM share. */
import { z } from 'zod'

const document = z.union([z.string(), z.looseObject({ text: z.string() })], 'expected a text or {"text": …}')

export const RerankRequestSchema = z.looseObject({
  model: z.string().min(1),
  query: z.union([z.string().min(1), z.looseObject({ text: z.string().min(1) })], 'expected a text that is not empty'),
  documents: z.array(document).min(1).max(1024),
  /** Results at most; absent is all. */
  top_n: z.int().min(1).nullish(),
  /** Whether each result repeats its document. */
  return_documents: z.boolean().nullish(),
})
export type RerankRequest = z.infer<typeof RerankRequestSchema>

const count = z.int().nonnegative()

export const RerankReplySchema = z.strictObject({
  id: z.string(),
  object: z.literal('list'),
  model: z.string(),
  /** The best first. */
  results: z.array(
    z.strictObject({ index: count, relevance_score: z.number(), document: z.strictObject({ text: z.string() }).optional() }),
  ),
  usage: z.strictObject({ prompt_tokens: count, total_tokens: count }),
  /** Cohere's way to count. */
  meta: z.strictObject({ billed_units: z.strictObject({ search_units: count }), tokens: z.strictObject({ input_tokens: count }) }),
})
export type RerankReply = z.infer<typeof RerankReplySchema>
