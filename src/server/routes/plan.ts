/** `/api/plan`: with a model what it would need, without one which models suit the machine. GET and POST answer the same. */
import type { Platform } from '../../platform/platform.ts'
import type { PlanAnswer, PlanQuery } from '../../shared/plan.ts'

interface PlanHandlers {
  plan(call: { body: PlanQuery; signal: AbortSignal }): Promise<PlanAnswer>
  planQuery(call: { query: PlanQuery; signal: AbortSignal }): Promise<PlanAnswer>
}

export function planHandlers(platform: Pick<Platform, 'plan' | 'recommend'>): PlanHandlers {
  const answer = async ({ model, ...rest }: PlanQuery, signal: AbortSignal): Promise<PlanAnswer> => {
    const { for: purpose, languages, ...request } = rest
    if (model !== undefined) return platform.plan({ ...request, model }, signal)
    const { gpu, ram, users, context } = request
    return platform.recommend({ gpu, ram, users, context, for: purpose, languages })
  }
  return {
    plan: ({ body, signal }) => answer(body, signal),
    planQuery: ({ query, signal }) => answer(query, signal),
  }
}
