/** What passes between kernels.ts and the child that measures one kernel. */
import { z } from 'zod'

export const ProbeJobSchema = z.strictObject({
  variant: z.string(),
  /** File of the probe model. */
  model: z.string(),
  threads: z.number().int().positive(),
})
export type ProbeJob = z.infer<typeof ProbeJobSchema>

/** The best of a few tries, ms: a prompt of `PREFILL_TOKENS`, and one token. */
export const ProbeResultSchema = z.strictObject({ prefillMs: z.number().positive(), decodeMs: z.number().positive() })
export type ProbeResult = z.infer<typeof ProbeResultSchema>

export const PREFILL_TOKENS = 64
