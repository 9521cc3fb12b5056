/** A response step by step: what the assembler tells, what waiting is told of meanwhile, and the keeping of the result before its last event. */
import type { GenerateEvent, Notice, WireError } from '../../shared/generate.ts'
import type { Waiting } from '../../shared/openai.ts'
import { isLastEvent, type UnnumberedEvent } from '../../shared/response-events.ts'
import type { Response } from '../../shared/responses.ts'
import { lastEvent, type ResponseAssembler } from './openai-responses-assembler.ts'
import { isWaiting, noticeComment, waitingComment } from './openai-reply.ts'

export type ResponseStep =
  | { type: 'waiting'; event: Waiting }
  | { type: 'notice'; notice: Notice }
  /** `cause` is there when the event tells of an error. */
  | { type: 'event'; event: UnnumberedEvent; cause?: WireError }

/** `keep` stores the finished response and says whether it did; a client that reads the last event can ask for it at once. */
export async function* responseSteps(
  events: AsyncIterable<GenerateEvent>,
  assembler: ResponseAssembler,
  keep: (response: Response) => Promise<boolean>,
): AsyncGenerator<ResponseStep> {
  yield* steps(assembler.begin())
  for await (const event of events) {
    if (isWaiting(event)) yield { type: 'waiting', event }
    else if (event.type === 'notice') yield { type: 'notice', notice: event.notice }
    else if (event.type === 'finish') return yield* finished(assembler.finish(event.usage), keep)
    else if (event.type === 'error') return yield* failed(event.error, assembler, keep)
    else yield* steps(assembler.push(event))
  }
}

async function* finished(
  { events, response }: { events: UnnumberedEvent[]; response: Response },
  keep: (response: Response) => Promise<boolean>,
): AsyncGenerator<ResponseStep> {
  yield* steps(events)
  const store = response.store && (await keep(response))
  yield { type: 'event', event: lastEvent({ ...response, store }) }
}

/** An answer that failed before its first word is an HTTP error, and not worth keeping. */
async function* failed(
  cause: WireError,
  assembler: ResponseAssembler,
  keep: (response: Response) => Promise<boolean>,
): AsyncGenerator<ResponseStep> {
  const { hasBegun } = assembler
  const { events, response } = assembler.fail(cause)
  yield* steps(events)
  const store = response.store && hasBegun && cause.code !== 'cancelled' && (await keep(response))
  yield { type: 'event', event: lastEvent({ ...response, store }), cause }
}

function* steps(events: readonly UnnumberedEvent[]): Generator<ResponseStep> {
  for (const event of events) yield { type: 'event', event }
}

/** Nothing has been generated yet: the HTTP status can still tell of an error. */
export function isPrelude(step: ResponseStep): boolean {
  if (step.type !== 'event') return true
  const { type } = step.event
  return type === 'response.created' || type === 'response.queued' || type === 'response.in_progress'
}

export function isLastStep(step: ResponseStep): boolean {
  return step.type === 'event' && isLastEvent(step.event)
}

type Delta = Extract<UnnumberedEvent, { delta: string }>

/** Adds a step to those that a slow reader has not taken yet: deltas of the same place become one. */
export function mergeStep(pending: ResponseStep[], step: ResponseStep): void {
  const last = pending.at(-1)
  if (last?.type === 'waiting') pending.pop()
  const earlier = pending.at(-1)
  const merged =
    earlier?.type === 'event' && step.type === 'event' && isDelta(earlier.event) && isDelta(step.event)
      ? joined(earlier.event, step.event)
      : undefined
  if (merged) pending[pending.length - 1] = { type: 'event', event: merged }
  else pending.push(step)
}

function isDelta(event: UnnumberedEvent): event is Delta {
  return 'delta' in event
}

function joined(earlier: Delta, later: Delta): Delta | undefined {
  if (earlier.type !== later.type || earlier.output_index !== later.output_index) return undefined
  const delta = earlier.delta + later.delta
  if (earlier.type === 'response.output_text.delta' && later.type === 'response.output_text.delta') {
    return { ...earlier, delta, logprobs: [...earlier.logprobs, ...later.logprobs] }
  }
  return { ...earlier, delta }
}

export interface StepEncoder {
  encode(step: ResponseStep): string
  /** For what broke the stream itself. */
  error(error: WireError): string
}

/** Numbers the events as they are written. `noise` hides the lengths of what is streamed. */
export function createStepEncoder({ noise }: { noise?: (length: number) => string } = {}): StepEncoder {
  let next = 0
  const write = (event: UnnumberedEvent): string => frame({ ...event, sequence_number: next++, ...noiseFor(event, noise) })
  return {
    encode(step) {
      switch (step.type) {
        case 'waiting':
          return waitingComment(step.event)
        case 'notice':
          return noticeComment(step.notice)
        case 'event':
          return write(step.event)
      }
    },
    error: ({ code, message }) => write({ type: 'error', code: code.replaceAll('-', '_'), message, param: null }),
  }
}

/** One Server-Sent Event with its name. */
export function frame(event: UnnumberedEvent & { sequence_number: number }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

/** Deltas are filled up to the next multiple of 16 characters. */
function noiseFor(event: UnnumberedEvent, noise: ((length: number) => string) | undefined): { obfuscation?: string } {
  return noise && isDelta(event) ? { obfuscation: noise(16 - (event.delta.length % 16)) } : {}
}
