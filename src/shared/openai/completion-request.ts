/** The body of `POST /v1/completions`: lenient, like the chat's. Source: OpenAI's published description. */
import { z } from 'zod'
import { generationFields, outputFields, PROMPT_SHAPES, samplingFields, tokenIds } from './fields.ts'

export const CompletionRequestSchema = z.looseObject({
  ...generationFields,
  ...samplingFields,
  ...outputFields,
  prompt: z.union(
    [z.string(), z.array(z.string()).min(1).max(128), tokenIds.min(1), z.array(tokenIds.min(1)).min(1).max(128)],
    PROMPT_SHAPES,
  ),
  /** More than OpenAI's 4: editors that complete code name all that could follow it. */
  stop: z.union([z.string(), z.array(z.string()).max(64)], 'expected a text or a list of at most 64 texts').nullish(),
  /** −1 (llama-server's "no limit") goes up to the window; absent is 16, as with OpenAI. */
  max_tokens: z.int().min(-1).nullish(),
  logprobs: z.int().min(0).max(5).nullish(),
  echo: z.boolean().nullish(),
  best_of: z.int().min(0).max(20).nullish(),
  /** What comes after the text that is to be written: fill in the middle. */
  suffix: z.string().nullish(),
})
export type CompletionRequest = z.infer<typeof CompletionRequestSchema>
