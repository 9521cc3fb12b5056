/** `POST /generate` and `GET /stream-generate`: for small pages that use only a URL. */
import { z } from 'zod'
import { TimingsSchema, UsageSchema } from './openai.ts'

export const SimpleRequestSchema = z.looseObject({
  prompt: z.string().min(1),
  model: z.string().min(1).nullish(),
  /** Tokens of the answer at most. */
  max_length: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(100).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
})

/** The same as parameters of a URL, where everything is text. */
export const SimpleQuerySchema = z.looseObject({
  prompt: z.string().min(1),
  model: z.string().optional(),
  max_length: z.string().optional(),
  temperature: z.string().optional(),
  top_p: z.string().optional(),
})

export const SimpleReplySchema = z.strictObject({
  text: z.string(),
  reasoning: z.string().optional(),
  finish_reason: z.enum(['stop', 'length']),
  usage: UsageSchema,
  timings: TimingsSchema,
})
export type SimpleReply = z.infer<typeof SimpleReplySchema>
