/** Requests that an engine works on now, by their ids: for what is said to them while they run. */
import type { Engine } from '../engine/engine.ts'

export class RunningRequests {
  readonly #engines = new Map<string, Engine>()

  /** Until the returned function is called. Of two with one id the later is meant. */
  add(requestId: string, engine: Engine): () => void {
    this.#engines.set(requestId, engine)
    return () => {
      if (this.#engines.get(requestId) === engine) this.#engines.delete(requestId)
    }
  }

  /** False when it does not run, or does not think. */
  async closeThought(requestId: string): Promise<boolean> {
    return (await this.#engines.get(requestId)?.closeThought(requestId)) ?? false
  }
}
