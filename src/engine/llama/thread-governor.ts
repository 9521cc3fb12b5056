/**
 * How many threads to compute with. On a machine of its own, all cores are best. Where other programs run, libllama's threads wait
 * for each other at every operation, and each wait can take a scheduling quantum: on 2 cores that 7 programs shared, two threads
 * were tens of times slower than one. So fewer are tried now and then, and kept while they are faster.
 *
 *   steady ──after a pause──▶ trial with half or twice as many ──better──▶ steady there
 *      ▲                                     └── not better: back, and the next trial later ──┘
 */

/** Steps whose median is compared. */
const WINDOW = 6
const TRIAL_STEPS = 3
/** A trial must be this much faster to stay: fewer threads clearly, more threads (the wished state) a little. */
const FEWER_GAIN = 0.75
const MORE_GAIN = 0.95
/** Steps between trials; doubled after each that was in vain. The first is sooner where steps are unsteady, as on a busy machine. */
const FIRST_PAUSE = 128
const UNSTEADY_PAUSE = 12
const LONGEST_PAUSE = 4_000
/** Slowest over fastest of the last steps. */
const UNSTEADY = 1.8
/** A trial that begins so much slower is over at once. */
const HOPELESS = 1.3
/** A step this many times slower than usual ends the pause. */
const SUDDEN = 3
/** What one more row adds to a step, roughly: to compare steps of different sizes. */
const ROW_COST = 0.25

export class ThreadGovernor {
  readonly #most: number
  #threads: number
  #recent: number[] = []
  #usual = Number.POSITIVE_INFINITY
  #trial: { from: number; before: number; costs: number[] } | undefined
  /** Where the next trial goes: on in the direction that paid, else the other. */
  #direction: 'fewer' | 'more' = 'fewer'
  #pause = FIRST_PAUSE
  #untilTrial = FIRST_PAUSE
  #sinceTrial = 0

  constructor(most: number) {
    this.#most = most
    this.#threads = most
  }

  get threads(): number {
    return this.#threads
  }

  /** Takes in a step that only decoded `rows` tokens, none of them guessed; returns the threads for the next one. */
  observe(rows: number, ms: number): number {
    if (this.#most === 1 || rows === 0) return this.#threads
    const cost = ms / (1 + ROW_COST * (rows - 1))
    if (this.#trial) this.#observeTrial(this.#trial, cost)
    else this.#observeSteady(cost)
    return this.#threads
  }

  /** A step with guesses or with a part of a prompt comes, which cannot be compared: a trial would go on for as long as they do. Returns the threads for it. */
  interrupt(): number {
    if (!this.#trial) return this.#threads
    this.#threads = this.#trial.from
    this.#trial = undefined
    this.#recent = []
    this.#untilTrial = this.#pause
    this.#sinceTrial = 0
    return this.#threads
  }

  #observeSteady(cost: number): void {
    this.#recent = [...this.#recent.slice(1 - WINDOW), cost]
    this.#untilTrial--
    this.#sinceTrial++
    const full = this.#recent.length === WINDOW
    const now = median(this.#recent)
    if (full && now > this.#usual * SUDDEN) {
      this.#untilTrial = 0
      this.#usual = now
    } else if (full) this.#usual = Math.min(this.#usual, now)
    if (full && isUnsteady(this.#recent))
      this.#untilTrial = Math.min(this.#untilTrial, this.#pause - FIRST_PAUSE + UNSTEADY_PAUSE - this.#sinceTrial)
    if (!full || this.#untilTrial > 0) return
    if (this.#threads === 1) this.#direction = 'more'
    if (this.#threads === this.#most) this.#direction = 'fewer'
    this.#trial = { from: this.#threads, before: now, costs: [] }
    this.#threads = this.#direction === 'more' ? Math.min(this.#most, this.#threads * 2) : Math.ceil(this.#threads / 2)
  }

  #observeTrial(trial: { from: number; before: number; costs: number[] }, cost: number): void {
    trial.costs.push(cost)
    if (trial.costs.length < TRIAL_STEPS && cost < trial.before * HOPELESS) return
    const isBetter = median(trial.costs) < trial.before * (this.#threads < trial.from ? FEWER_GAIN : MORE_GAIN)
    this.#pause = isBetter ? FIRST_PAUSE : Math.min(LONGEST_PAUSE, this.#pause * 2)
    if (!isBetter) {
      this.#threads = trial.from
      this.#direction = this.#direction === 'more' ? 'fewer' : 'more'
    } else this.#usual = Number.POSITIVE_INFINITY
    this.#untilTrial = this.#pause
    this.#sinceTrial = 0
    this.#recent = []
    this.#trial = undefined
  }
}

function isUnsteady(costs: readonly number[]): boolean {
  return Math.max(...costs) > UNSTEADY * Math.min(...costs)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
