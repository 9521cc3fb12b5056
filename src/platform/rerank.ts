import type { RerankRequest, RerankResult } from '../shared/generate.ts'
import { withEngine } from './embed.ts'
import type { EngineWorkOptions } from './embed.ts'

/** Throws `model-not-found`, `cannot-rerank`, `prompt-too-long`, or why the model does not run. */
export function rerank(options: EngineWorkOptions, request: RerankRequest, signal?: AbortSignal): Promise<RerankResult> {
  return withEngine(options, request.model, signal, (engine, model) => engine.rerank({ ...request, model: model.name }, signal))
}
