/**
 * What generations tell, on its way to the parent: one message for many events, written while the next step is computed.
 *
 * A small model writes 80 tokens a second and more. A message for each would take the time of two processes and of the client (1.5 ms together,
 * a tenth of such a step) from the cores that compute, and no eye sees the difference: so text waits for company up to PACE_MS. Everything else
 * goes at once and takes the text of its generation along: so does the first text of an answer, because it comes with the end of the prompt.
 *
 * Beside somebody's prompt steps are uneven: a long one with a part of it, then short ones in which the readers breathe. The text of each
 * such step is sent by itself and at the readers' pace, so that they see even steps instead of three words and a pause:
 *
 *   computed   a b c . . . . . . . . . d e f . . . . . . . . . g
 *   sent       a . . . b . . . c . . . d . . . e . . . f . . . g
 *
 * So that a step which takes longer than the others is not seen either, the text goes out a little late: at first more slowly than it
 * comes, until the text of a step is always in reserve (a jitter buffer, as telephones have it).
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
/** Text never waits longer than this. */
const LONGEST_WAIT_MS = 1_000
/** Of the readers' pace: while no text is in reserve … */
const BUILDING_RESERVE = 1.15
/** … and when what is sent is late by more than so many paces: two breaths and the reserve. */
const CATCHING_UP = 0.9
const LATE_PACES = 3

type Told = [generation: number, event: WorkerEvent]

/** The text of one step. */
interface Frame {
  texts: Told[]
  addedAt: number
}

export class Outbox {
  readonly #options: OutboxOptions
  #urgent: Told[] = []
  #frames: Frame[] = []
  /** Text of the step whose events are being added. */
  #open: Told[] = []
  #sentAt = Number.NEGATIVE_INFINITY
  /** When the next text is sent. */
  #dueAt: number | undefined
  #readersPaceMs = 0
  #stretch = BUILDING_RESERVE

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  add(generation: number, event: WorkerEvent): void {
    if (event.type === 'text' && !this.#urgent.some(([id]) => id === generation)) this.#open.push([generation, event])
    else this.#urgent.push(...this.#takeTextOf(generation), [generation, event])
  }

  /** The step's events were added: sees to it that they are sent soon. */
  post(): void {
    const now = this.#options.now()
    if (this.#urgent.length > 0) this.#options.later(0, () => this.#sendUrgent())
    if (this.#open.length > 0) this.#frames.push({ texts: this.#open, addedAt: now })
    this.#open = []
    this.#plan()
  }

  /** A step begins. `ms`: from one token of a reader to the next while steps are uneven, else 0. */
  keepPace(ms: number): void {
    if (ms === this.#readersPaceMs) return
    this.#readersPaceMs = ms
    this.#plan()
  }

  /** Sends what there is. */
  send(): void {
    this.#sendFrames(this.#frames.length)
  }

  #takeTextOf(generation: number): Told[] {
    const all = [...this.#frames, { texts: this.#open }].flatMap(({ texts }) => texts.filter(([id]) => id === generation))
    const others = (texts: Told[]): Told[] => texts.filter(([id]) => id !== generation)
    this.#frames = this.#frames.map((frame) => ({ ...frame, texts: others(frame.texts) })).filter(({ texts }) => texts.length > 0)
    this.#open = others(this.#open)
    return all
  }

  #plan(): void {
    const [oldest] = this.#frames
    if (!oldest) {
      this.#dueAt = undefined
      return
    }
    const now = this.#options.now()
    const paced = this.#sentAt + Math.max(PACE_MS, this.#readersPaceMs * this.#stretch)
    const dueAt = Math.max(now, Math.min(paced, oldest.addedAt + LONGEST_WAIT_MS))
    if (dueAt === this.#dueAt) return
    this.#dueAt = dueAt
    this.#options.later(dueAt - now, () => {
      // Else it was sent meanwhile, or is due at another time.
      if (this.#dueAt === dueAt) this.#sendFrames(this.#readersPaceMs > PACE_MS ? 1 : this.#frames.length)
    })
  }

  #sendFrames(count: number): void {
    const frames = this.#frames.splice(0, count)
    const texts = frames.flatMap((frame) => frame.texts)
    if (texts.length > 0) this.#sentAt = this.#options.now()
    const late = this.#options.now() - (frames[0]?.addedAt ?? Number.POSITIVE_INFINITY)
    if (this.#frames.length === 0) this.#stretch = BUILDING_RESERVE
    else this.#stretch = late > this.#readersPaceMs * LATE_PACES ? CATCHING_UP : 1
    this.#urgent.push(...texts)
    this.#sendUrgent()
    this.#dueAt = undefined
    this.#plan()
  }

  #sendUrgent(): void {
    if (this.#urgent.length === 0) return
    const events = this.#urgent
    this.#urgent = []
    this.#options.send(events)
  }
}
