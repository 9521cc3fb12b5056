/** Work on an engine that is no stream: embeddings and tokens. The deployment is started when it must. */
import type { Engine } from '../engine/engine.ts'
import type { EmbedRequest, EmbedResult } from '../shared/generate.ts'
import type { Model } from '../shared/api.ts'
import type { Deployments } from './deployments.ts'

export interface EngineWorkOptions {
  deployments: Deployments
  /** Throws `model-not-found`, `cancelled`. */
  resolveModel(name: string, signal?: AbortSignal): Promise<Model>
}

/** Throws `model-not-found`, `not-an-embedding-model`, or why the model does not run. */
export function embed(options: EngineWorkOptions, request: EmbedRequest, signal?: AbortSignal): Promise<EmbedResult> {
  return withEngine(options, request.model, signal, (engine, model) => engine.embed({ ...request, model: model.name }, signal))
}

/** Runs `work` while the deployment is held busy. */
export async function withEngine<T>(
  { deployments, resolveModel }: EngineWorkOptions,
  name: string,
  signal: AbortSignal | undefined,
  work: (engine: Engine, model: Model) => Promise<T>,
): Promise<T> {
  const model = await resolveModel(name, signal)
  const lease = await deployments.acquire(model, { signal })
  try {
    return await work(lease.engine, model)
  } finally {
    lease.release()
  }
}
