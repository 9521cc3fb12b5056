/** What passes between dry-run.ts and its child. */
import { z } from 'zod'

export const DryRunContextSchema = z.strictObject({
  /** Of all slots together. */
  cells: z.number().int().positive(),
  slots: z.number().int().min(1).max(256),
  layout: z.enum(['unified', 'split']),
  kvType: z.enum(['f16', 'q8_0', 'q4_0']),
  batchTokens: z.number().int().positive(),
  microBatchTokens: z.number().int().positive(),
})
export type DryRunContext = z.infer<typeof DryRunContextSchema>

export const DryRunJobSchema = z.strictObject({
  file: z.string(),
  kernel: z.string().optional(),
  /** −1 is all; 0 also keeps the GPU libraries unloaded. */
  gpuLayers: z.number().int().min(-1),
  contexts: z.array(DryRunContextSchema).max(64),
  /** True: the memory is really taken, as when the model runs. For checking the dry run against the truth. */
  allocate: z.boolean().optional(),
})
export type DryRunJob = z.infer<typeof DryRunJobSchema>

/** Printed as a line of JSON on stdout after each context; the sizes of its buffers stand in libllama's log. */
export const DryRunReportSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('model'), weights: z.number(), parameters: z.number() }),
  z.strictObject({ type: z.literal('context'), made: z.boolean() }),
  z.strictObject({ type: z.literal('failed'), reason: z.string() }),
])
export type DryRunReport = z.infer<typeof DryRunReportSchema>
