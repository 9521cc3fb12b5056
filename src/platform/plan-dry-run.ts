/** libllama's own word on the compute buffer of a planned context. */
import type { Logger } from '../base/logger.ts'
import type { ModelHeader } from '../models/headers/model-header.ts'
import { AppError } from '../shared/errors.ts'
import type { PlanReport } from '../shared/plan.ts'

/** Bytes; undefined where libllama does not know the model, or cannot make such a context. */
export type MeasureCompute = (header: ModelHeader, wishes: PlanReport['wishes'], signal?: AbortSignal) => Promise<number | undefined>

/** libllama's limit of sequences. */
const MOST_SEQUENCES = 256

export function computeMeasurer(logger: Logger): MeasureCompute {
  return async (header, { engine, kv, kvLayout, context, users }, signal) => {
    if (engine !== 'llama' || users > MOST_SEQUENCES || kv === 'bf16' || kv === 'fp8') return undefined
    const { syntheticGguf } = await import('../models/headers/synthetic-gguf.ts')
    const model = syntheticGguf(header)
    if (!model) return undefined
    const { dryRun } = await import('../engine/llama/engine.ts')
    try {
      const [memory] = await dryRun(model, [{ context, parallel: users, kvType: kv, kvLayout }], signal ? { signal } : {})
      return memory && memory.compute > 0 ? memory.compute + memory.output : undefined
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof AppError)) throw error
      logger.info('libllama could not try the plan', { code: error.code, reason: error.message })
      return undefined
    }
  }
}
