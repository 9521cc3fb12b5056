/** Watches real loads and answers, and tells the plan history what came of what was planned. It changes nothing that it watches. */
import type { Engine, EngineInfo } from '../engine/engine.ts'
import { planReference } from '../planner/plan-reference.ts'
import type { Hardware, Model } from '../shared/api.ts'
import type { GenerateEvent, GenerateRequest, Timings } from '../shared/generate.ts'
import type { CreateEngine } from './deployment-lives.ts'
import type { ReadHeader } from './plan-header.ts'
import type { PlanHistory } from './plan-history.ts'

export interface ObserverOptions {
  history: PlanHistory
  probe(): Promise<Hardware>
  readHeader: ReadHeader
  now?: () => number
}

/** Engines whose loads are remembered once they are ready. */
export function observedEngines(createEngine: CreateEngine, options: ObserverOptions): CreateEngine {
  return async (model, settings) => {
    const engine = await createEngine(model, settings)
    engine.onStateChange((state) => {
      if (state === 'ready' && engine.info) options.history.track(remember(model, engine, engine.info, options))
    })
    return engine
  }
}

/** What the plan would have said of this very load, without corrections; and what came. */
async function remember(
  model: Model,
  engine: Engine,
  { context, parallel, kvType, kvLayout, memory }: EngineInfo,
  { history, probe, readHeader, now = Date.now }: ObserverOptions,
): Promise<void> {
  const [header, hardware] = await Promise.all([readHeader(model.name, undefined), probe()])
  const wishes = {
    engine: 'llama' as const,
    context,
    users: parallel,
    ...(kvType ? { kv: kvType } : {}),
    ...(kvLayout ? { kvLayout } : {}),
  }
  const report = planReference(header, hardware, { model: model.name, ...wishes })
  const middle = (range: { low: number; high: number } | undefined): number => (range ? Math.sqrt(range.low * range.high) : 0)
  await history.add({
    model: model.name,
    engine: engine.kind,
    at: now(),
    predicted: {
      kv: report.memory.kv,
      compute: report.memory.compute,
      decode: middle(report.speed?.decode),
      prefill: middle(report.speed?.prefill),
    },
    actual: { kv: memory.kv, compute: memory.compute, decode: 0, prefill: 0 },
  })
}

/** Too short to measure by. */
const LEAST_PROMPT = 64
const LEAST_ANSWER = 32

/** Passes every event on; from the last one the speeds are taken. */
export async function* observedGenerate(
  events: AsyncIterable<GenerateEvent>,
  { model, count = 1 }: Pick<GenerateRequest, 'model'> & { count?: number },
  history: PlanHistory | undefined,
): AsyncIterable<GenerateEvent> {
  for await (const event of events) {
    if (event.type === 'finish' && history && count === 1) history.track(history.measured(model, speedsOf(event.timings)))
    yield event
  }
}

function speedsOf({ promptMs, promptTokens, decodeMs, decodeTokens }: Timings): { decode?: number; prefill?: number } {
  return {
    ...(decodeTokens >= LEAST_ANSWER && decodeMs > 0 ? { decode: (decodeTokens * 1000) / decodeMs } : {}),
    ...(promptTokens >= LEAST_PROMPT && promptMs > 0 ? { prefill: (promptTokens * 1000) / promptMs } : {}),
  }
}
