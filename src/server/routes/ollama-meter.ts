/** What Ollama's replies tell of an answer beside the engine's own times. */
import type { GenerateEvent } from '../../shared/generate.ts'

export interface Meter {
  /** Milliseconds since the request came. */
  elapsed(): number
  /** Milliseconds that the model's start took; 0 when it was there. */
  loading(): number
  context(): number[] | undefined
  keepContext(tokens: number[]): void
  observe(event: GenerateEvent): void
}

export function createMeter(now: () => number): Meter {
  const startedAt = now()
  let loadingSince: number | undefined
  let loaded = 0
  let context: number[] | undefined
  return {
    elapsed: () => now() - startedAt,
    loading: () => loaded,
    context: () => context,
    keepContext: (tokens) => {
      context = tokens
    },
    observe: (event) => {
      if (event.type === 'loading') {
        loadingSince ??= now()
        return
      }
      if (loadingSince === undefined) return
      loaded = now() - loadingSince
      loadingSince = undefined
    },
  }
}

export async function* measured(events: AsyncIterable<GenerateEvent>, meter: Meter): AsyncGenerator<GenerateEvent> {
  for await (const event of events) {
    meter.observe(event)
    yield event
  }
}
