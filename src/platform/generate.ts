/** One request: find its deployment, start that when it must, admit, generate. Ends exactly once. */
import { AppError, toWireError } from '../shared/errors.ts'
import type { GenerateEvent, GenerateRequest } from '../shared/generate.ts'
import type { Model } from '../shared/api.ts'
import type { Clock } from './clock.ts'
import type { Deployments, Lease } from './deployments.ts'

export interface GenerateOptions {
  deployments: Deployments
  /** Throws `model-not-found`. */
  resolveModel(name: string): Promise<Model>
  clock: Clock
}

/** How often a client hears that its model is still being loaded, ms. */
const TELL_EVERY_MS = 1000

/** Throws `model-not-found` before the first event; everything else is an event. */
export async function* generate(
  options: GenerateOptions,
  request: GenerateRequest,
  signal?: AbortSignal,
): AsyncGenerator<GenerateEvent, void, undefined> {
  const model = await options.resolveModel(request.model)
  const gone = new AbortController()
  const either = signal ? AbortSignal.any([signal, gone.signal]) : gone.signal
  try {
    yield* endOnce(run(options, model, request, either), either)
  } finally {
    // Also when the reader stopped reading: then the work must stop too.
    gone.abort()
  }
}

async function* run(
  { deployments, clock }: GenerateOptions,
  model: Model,
  request: GenerateRequest,
  signal: AbortSignal,
): AsyncGenerator<GenerateEvent, void, undefined> {
  const isReady = deployments.get(model.name)?.state === 'ready'
  const acquiring = deployments.acquire(model, { signal, keepAlive: request.keepAlive })
  // It may fail while the reader takes its time with an event.
  acquiring.catch(() => {})
  let lease: Lease | undefined
  try {
    lease = isReady ? await acquiring : yield* tellLoading(acquiring, model.name, clock)
    yield* lease.engine.generate({ ...request, model: model.name }, signal)
  } finally {
    if (lease) lease.release()
    else void releaseLater(acquiring)
  }
}

/** `loading` at once and every second, until the engine is there. */
async function* tellLoading(acquiring: Promise<Lease>, model: string, clock: Clock): AsyncGenerator<GenerateEvent, Lease, undefined> {
  for (;;) {
    yield { type: 'loading', model }
    const lease = await firstOf(acquiring, TELL_EVERY_MS, clock)
    if (lease) return lease
  }
}

async function firstOf(acquiring: Promise<Lease>, ms: number, clock: Clock): Promise<Lease | undefined> {
  let cancel = (): void => {}
  const timeout = new Promise<undefined>((resolve) => {
    cancel = clock.timer(ms, () => resolve(undefined))
  })
  return Promise.race([acquiring, timeout]).finally(cancel)
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
