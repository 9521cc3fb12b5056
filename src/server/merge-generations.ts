/** Several generations as one: their events as they come, choices renumbered, one end. */
import { AsyncQueue } from '../base/async.ts'
import { toWireError } from '../shared/errors.ts'
import type { GenerateEvent, Timings, Usage } from '../shared/generate.ts'

type Open = (signal: AbortSignal) => AsyncIterable<GenerateEvent>

/**
 * Runs all at the same time; generation i has the choices from i × `choicesEach` on. Ends with one `finish` (usage and timings are sums, the time
 * in the queue the longest) or with the first error, which aborts the others.
 */
export async function* mergeGenerations(opens: readonly Open[], choicesEach: number, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
  const leaving = new AbortController()
  const all = AbortSignal.any([signal, leaving.signal])
  const queue = new AsyncQueue<{ index: number; event: GenerateEvent }>()
  const pump = async (open: Open, index: number): Promise<void> => {
    for await (const event of open(all)) {
      if (leaving.signal.aborted) return
      queue.push({ index, event })
    }
  }
  let failure: { error: unknown } | undefined
  void Promise.all(opens.map(pump))
    .catch((error: unknown) => {
      failure = { error }
    })
    .finally(() => queue.end())
  const finishes: Extract<GenerateEvent, { type: 'finish' }>[] = []
  try {
    for await (const { index, event } of queue) {
      if (event.type === 'finish') finishes.push(event)
      else yield renumbered(event, index * choicesEach)
      if (event.type === 'error') return
    }
    if (failure) throw failure.error
    yield finishes.length === opens.length ? sumOf(finishes) : unfinished()
  } finally {
    leaving.abort()
  }
}

function renumbered(event: GenerateEvent, by: number): GenerateEvent {
  if (event.type === 'notice' && 'choice' in event.notice)
    return { ...event, notice: { ...event.notice, choice: event.notice.choice + by } }
  return 'choice' in event ? { ...event, choice: event.choice + by } : event
}

function sumOf(finishes: readonly Extract<GenerateEvent, { type: 'finish' }>[]): GenerateEvent {
  const usage: Usage = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 }
  const timings: Timings = { queuedMs: 0, promptMs: 0, promptTokens: 0, decodeMs: 0, decodeTokens: 0, draftedTokens: 0, acceptedTokens: 0 }
  for (const finish of finishes) {
    addTo(usage, finish.usage)
    const longest = Math.max(timings.queuedMs, finish.timings.queuedMs)
    addTo(timings, finish.timings)
    timings.queuedMs = longest
  }
  return { type: 'finish', usage, timings }
}

function addTo<Counts extends Usage | Timings>(sum: Counts, more: Counts): void {
  for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] = ((sum[key] as number) + (more[key] as number)) as Counts[keyof Counts]
}

function unfinished(): GenerateEvent {
  return { type: 'error', error: toWireError(new Error('the answer ended without a finish')) }
}
