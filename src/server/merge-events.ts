/** Which events of an answer may be told together when the reader is slow. Pure. */
import type { GenerateEvent } from '../shared/generate.ts'

/**
 * Adds an event to those that wait. Deltas of the same kind and choice become one, as long as nothing else of that choice came in between;
 * of the events that only say how the waiting goes, the newest is kept, and none once the answer has begun.
 */
export function mergeEvent(pending: GenerateEvent[], event: GenerateEvent): void {
  const last = pending.at(-1)
  if (last && isPassing(last)) pending.pop()
  const index = isDelta(event) ? lastOfChoice(pending, event.choice) : -1
  const earlier = pending[index]
  if (isDelta(event) && earlier && isDelta(earlier) && earlier.type === event.type) pending[index] = joined(earlier, event)
  else pending.push(event)
}

type Delta = Extract<GenerateEvent, { type: 'text-delta' | 'reasoning-delta' }>

function isDelta(event: GenerateEvent): event is Delta {
  return event.type === 'text-delta' || event.type === 'reasoning-delta'
}

function isPassing({ type }: GenerateEvent): boolean {
  return type === 'queued' || type === 'loading' || type === 'prefill'
}

function lastOfChoice(pending: readonly GenerateEvent[], choice: number): number {
  return pending.findLastIndex((event) => 'choice' in event && event.choice === choice)
}

/** A new object, since the earlier one belongs to whoever sent it. */
function joined(earlier: Delta, later: Delta): Delta {
  const logprobs = earlier.logprobs || later.logprobs ? { logprobs: [...(earlier.logprobs ?? []), ...(later.logprobs ?? [])] } : {}
  return { type: earlier.type, choice: earlier.choice, text: earlier.text + later.text, ...logprobs }
}
