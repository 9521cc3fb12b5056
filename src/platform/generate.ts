/** One request: find its deployment, start that when it must, admit, generate. Ends exactly once. */
import { AppError, toWireError } from '../shared/errors.ts'
import type { GenerateEvent, GenerateRequest } from '../shared/generate.ts'
import type { Model } from '../shared/api.ts'
import type { Deployments, Lease } from './deployments.ts'
import type { RunningRequests } from './running-requests.ts'

export interface GenerateOptions {
  deployments: Deployments
  running: RunningRequests
  /** Throws `model-not-found`, `cancelled`. */
  resolveModel(name: string, signal?: AbortSignal): Promise<Model>
  /** The name means a model that is still on its way. */
  isComing(name: string): boolean
}

/** Throws `model-not-found` before the first event, unless the model is still on its way; everything else is an event. */
export async function* generate(
  options: GenerateOptions,
  request: GenerateRequest,
  signal?: AbortSignal,
): AsyncGenerator<GenerateEvent, void, undefined> {
  const known = options.isComing(request.model) ? undefined : await options.resolveModel(request.model)
  const gone = new AbortController()
  const either = signal ? AbortSignal.any([signal, gone.signal]) : gone.signal
  try {
    yield* endOnce(run(options, known, request, either), either)
  } finally {
    // Also when the reader stopped reading: then the work must stop too.
    gone.abort()
  }
}

async function* run(
  { deployments, running, resolveModel }: GenerateOptions,
  known: Model | undefined,
  request: GenerateRequest,
  signal: AbortSignal,
): AsyncGenerator<GenerateEvent, void, undefined> {
  if (!known) yield { type: 'loading', model: request.model }
  const model = known ?? (await resolveModel(request.model, signal))
  const isReady = deployments.get(model.name)?.state === 'ready'
  const acquiring = deployments.acquire(model, { signal, keepAlive: request.keepAlive })
  // It may fail while the reader takes its time with an event.
  acquiring.catch(() => {})
  let lease: Lease | undefined
  let forget = (): void => {}
  try {
    // Once: whoever keeps a connection alive meanwhile has comments of their own for that.
    if (!isReady) yield { type: 'loading', model: model.name }
    lease = await acquiring
    forget = running.add(request.id, lease.engine)
    const events = lease.engine.generate({ ...request, model: model.name }, signal)
    for await (const event of events) yield withPossible(event, lease.largestContext)
  } finally {
    forget()
    if (lease) lease.release()
    else void releaseLater(acquiring)
  }
}

/** The engine knows what it could grow to with the settings it has; the plan knows what the machine could give with others. */
function withPossible(event: GenerateEvent, largestContext: number): GenerateEvent {
  if (event.type !== 'error' || event.error.code !== 'prompt-too-long') return event
  const possible = Math.max(Number(event.error.data['possible']), largestContext)
  return { type: 'error', error: toWireError(new AppError('prompt-too-long', { ...event.error.data, possible })) }
}

/** The reader left while the lease was on its way. */
async function releaseLater(acquiring: Promise<Lease>): Promise<void> {
  try {
    const lease = await acquiring
    lease.release()
  } catch {
    // It never came.
  }
}

/** Turns any end of a stream into exactly one `finish` or `error`. */
async function* endOnce(events: AsyncIterable<GenerateEvent>, signal: AbortSignal): AsyncGenerator<GenerateEvent, void, undefined> {
  try {
    for await (const event of events) {
      yield event
      if (event.type === 'finish' || event.type === 'error') return
    }
  } catch (error) {
    yield { type: 'error', error: toWireError(signal.aborted ? new AppError('cancelled') : error) }
    return
  }
  yield { type: 'error', error: toWireError(new AppError('internal', { reason: 'the engine ended a stream without a last event' })) }
}
