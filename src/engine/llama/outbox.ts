/**
 * What generations tell, on its way to the parent: one message for many events, written while the next step is computed.
 *
 * A small model writes 80 tokens a second and more. A message for each would take the time of two processes and of the client (1.5 ms together,
 * a tenth of such a step) from the cores that compute, and no eye sees the difference: so text waits for company up to PACE_MS. Everything else
 * goes at once and takes the text of its generation along: so does the first text of an answer, because it comes with the end of the prompt.
 *
 * Before a long step (a chunk of somebody's prompt) text waits longer, so that readers see even steps instead of two words and a pause:
 *
 *   computed   a b . . . . . . . . . c d . . . . . . . . . e
 *   sent       a . . . . b . . . . . c . . . . d . . . . . e
 */
import type { WorkerEvent } from './messages.ts'

export interface OutboxOptions {
  /** Generation id and event, in the order of `add`. */
  send(events: [number, WorkerEvent][]): void
  /** Milliseconds. */
  now(): number
  /** Calls back after `ms`; 0 = once the work at hand is done. */
  later(ms: number, action: () => void): void
}

/** Twenty-five messages a second, as many as a film has pictures. */
const PACE_MS = 40
const LONGEST_WAIT_MS = 300

export class Outbox {
  readonly #options: OutboxOptions
  #urgent: [number, WorkerEvent][] = []
  #text: [number, WorkerEvent][] = []
  #sentAt = Number.NEGATIVE_INFINITY
  /** When the text that waits is sent. */
  #dueAt: number | undefined

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  add(generation: number, event: WorkerEvent): void {
    const isOwn = ([id]: [number, WorkerEvent]): boolean => id === generation
    if (event.type === 'text' && !this.#urgent.some(isOwn)) {
      this.#text.push([generation, event])
      return
    }
    this.#urgent.push(...this.#text.filter(isOwn), [generation, event])
    this.#text = this.#text.filter((each) => !isOwn(each))
  }

  /** Sees to it that what was added is sent soon. */
  post(): void {
    const now = this.#options.now()
    if (this.#urgent.length > 0) this.#options.later(0, () => this.#sendUrgent())
    if (this.#text.length === 0) return
    const dueAt = Math.max(now, this.#sentAt + PACE_MS)
    if (this.#dueAt === undefined || dueAt < this.#dueAt) this.#callAt(dueAt, now)
  }

  /** A step begins that takes about so long: text that waits is sent half-way between the last that was sent and the next that comes. */
  spread(stepMs: number): void {
    if (this.#dueAt === undefined) return
    const now = this.#options.now()
    const middle = (this.#sentAt + now + stepMs) / 2
    if (middle > this.#dueAt) this.#callAt(Math.min(middle, now + LONGEST_WAIT_MS), now)
  }

  /** Sends what there is. */
  send(): void {
    this.#dueAt = undefined
    if (this.#text.length > 0) this.#sentAt = this.#options.now()
    this.#urgent.push(...this.#text)
    this.#text = []
    this.#sendUrgent()
  }

  #sendUrgent(): void {
    if (this.#urgent.length === 0) return
    const events = this.#urgent
    this.#urgent = []
    this.#options.send(events)
  }

  #callAt(dueAt: number, now: number): void {
    this.#dueAt = dueAt
    this.#options.later(dueAt - now, () => {
      // Else it was sent meanwhile, or is due at another time.
      if (this.#dueAt === dueAt) this.send()
    })
  }
}
