/**
 * Continuous batching, in plain TypeScript: `batch = schedule()`, `commit(batch, await runner.run(batch))`, for ever.
 * A step holds one token (or a speculated run) of every running sequence, then chunks of prompts as far as the step's budget goes.
 */
import { stepShape, tokensOf } from './batch.ts'
import type { Batch, Run, RunResult, Sampled, Slot } from './batch.ts'
import type { KvPool, PrefixLookup } from './kv-pool.ts'
import { chunkLimit, isBeingComputed, isPrefilling, lengthOf } from './in-flight.ts'
import { byTurn, createSequence, generatedCount, keepTokens, mostUrgent, windowNeededBy } from './sequence.ts'
import type { Emission, Sequence, SequenceRequest } from './sequence.ts'
import { firstPart, sharePrompts, sumOf } from './share-prompts.ts'
import { mostGuessing, StepGuesses } from './step-guesses.ts'
import type { StepCost } from './step-cost.ts'
import type { Snapshot } from './snapshot-store.ts'

export interface SchedulerOptions {
  pool: KvPool
  cost: StepCost
  /** Tokens in one batch at most. */
  maxBatchTokens: number
  speculation: boolean
  /** A fixed prefill chunk, for the deterministic lane; absent = by cost. */
  fixedChunk?: number
  isEnd(token: number): boolean
  now(): number
}

/** A sequence that cannot be admitted yet may be passed this often by later, smaller ones. */
const MAX_BYPASSES = 16
/** Waiting sequences that are looked at in one step. */
const MAX_CONSIDERED = 64

export class Scheduler {
  readonly #options: SchedulerOptions
  #pool: KvPool
  #waiting: Sequence[] = []
  /** Like those that wait in the order of their turn: whoever gives way is the last of them. */
  #running: Sequence[] = []
  /** Told at the next commit. */
  #pending: Emission[] = []
  #cancelled = new Set<Sequence>()
  /** Snapshots that waiting sequences want from disk. */
  #wanted = new Set<Snapshot>()
  /** Samplers to be made and to be freed with the next batch. */
  #opened: Sequence[] = []
  #closed: Sequence[] = []
  /** Steps since the last one with prompt tokens that readers had for themselves, while a prompt waits. */
  #breaths = 0
  #readersPaceMs = 0

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#pool = options.pool
  }

  get pool(): KvPool {
    return this.#pool
  }

  get waitingCount(): number {
    return this.#waiting.length
  }

  get runningCount(): number {
    return this.#running.length
  }

  /** Tokens of window that a running sequence is about to need: a few more than it has, unless it ends before. */
  get windowNeeded(): number {
    return this.#running.reduce((most, sequence) => Math.max(most, windowNeededBy(sequence)), 0)
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#running.length === 0 && this.#pending.length === 0
  }

  add(request: SequenceRequest): Sequence {
    const sequence = createSequence(request, this.#options.now())
    this.#waiting.push(sequence)
    this.#waiting.sort(byTurn)
    return sequence
  }

  /** 1 = next; 0 = running or gone. */
  positionOf(sequence: Sequence): number {
    return this.#waiting.indexOf(sequence) + 1
  }

  /** Takes effect before the next batch; the `failed` emission comes with the next commit (or `takeEmissions`). */
  cancel(sequence: Sequence): void {
    if (sequence.times.ended === undefined) this.#cancelled.add(sequence)
  }

  /** Ends a sequence for a reason outside (a stop string). Only between `commit` and `schedule`. */
  finish(sequence: Sequence): void {
    if (sequence.times.ended === undefined) this.#end(sequence)
  }

  /** Emissions that came about without a batch. */
  takeEmissions(): Emission[] {
    this.#applyCancellations()
    const taken = this.#pending
    this.#pending = []
    return taken
  }

  /** Snapshots to be read from disk before their sequences can be admitted; each is named once. */
  takeWanted(): Snapshot[] {
    const wanted = [...this.#wanted]
    this.#wanted.clear()
    return wanted
  }

  /** The next batch, or undefined when there is nothing to compute now. */
  schedule(): Batch | undefined {
    this.#applyCancellations()
    this.#admitWaiting()
    for (const { from, to } of this.#pool.compact()) this.#moveSlot(from, to)
    const runs = this.#decodeRuns()
    this.#addPromptRuns(runs)
    const operations = this.#takeOperations()
    if (runs.length === 0 && operations.length === 0) return undefined
    runs.sort((a, b) => a.slot - b.slot)
    return { operations, runs, tokenCount: tokensOf(runs) }
  }

  /** ms from one token of a reader to the next, on average, while steps are uneven because of a prompt; else 0. */
  get readersPaceMs(): number {
    return this.#readersPaceMs
  }

  /** Takes in what the runner sampled and tells what came of it. */
  commit(batch: Batch, result: RunResult): Emission[] {
    if (batch.tokenCount > 0) this.#options.cost.observe(stepShape(batch), result.decodeMs)
    const emissions = this.takeEmissions()
    const sampled = new Map(result.sampled.map((s) => [s.sequence, s]))
    const failed = new Map(result.failures.map((f) => [f.sequence, f]))
    for (const run of batch.runs) {
      const sequence = this.#running.find((s) => s.id === run.sequence)
      if (!sequence) continue
      const failure = failed.get(run.sequence)
      if (failure) {
        this.#end(sequence)
        emissions.push({ type: 'failed', sequence, code: failure.code, reason: failure.reason })
      } else emissions.push(...this.#commitRun(sequence, run, sampled.get(run.sequence)))
    }
    this.#pool.snapshots.unpinAll()
    return emissions
  }

  /** Everybody leaves the KV cache (saved to memory where it fits), so that the context can be made again with another shape. */
  suspendAll(): Batch {
    for (const sequence of [...this.#running].toReversed()) this.#suspend(sequence)
    this.#pool.saveCached(Number.POSITIVE_INFINITY)
    const operations = this.#takeOperations()
    return { operations, runs: [], tokenCount: 0 }
  }

  /** After `suspendAll`: a pool for the new context. */
  replacePool(pool: KvPool): void {
    this.#pool = pool
  }

  /** Throws when something leaks. Call when idle, or between steps. */
  verify(): void {
    this.#pool.verify()
    const { running, cached, free, total } = this.#pool.count()
    if (running + cached + free !== total) throw new Error(`cells: ${running} + ${cached} + ${free} is not ${total}`)
    if (this.#running.length === 0 && running !== 0) throw new Error(`${running} cells belong to nobody`)
    const slots = new Set(this.#running.map((s) => s.slot))
    if (slots.size !== this.#running.length || slots.has(undefined)) throw new Error('two sequences share a slot')
  }

  #applyCancellations(): void {
    for (const sequence of this.#cancelled) {
      if (sequence.times.ended !== undefined) continue
      this.#end(sequence)
      this.#pending.push({ type: 'failed', sequence, code: 'cancelled', reason: 'cancelled' })
    }
    this.#cancelled.clear()
  }

  // ── admission ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #admitWaiting(): void {
    const blocked: Sequence[] = []
    for (const sequence of this.#waiting.slice(0, MAX_CONSIDERED)) {
      if (blocked.some((s) => s.bypassed >= MAX_BYPASSES || s.background < sequence.background)) return
      // It was suspended with its window full.
      if (generatedCount(sequence) > 0 && sequence.tokens.length > this.#pool.shape.window) {
        this.#endByLength(sequence)
        continue
      }
      const lookup = this.#placeFor(sequence)
      if (lookup === 'full') return
      if (lookup === undefined) blocked.push(sequence)
      else if (lookup !== 'later') {
        this.#admit(sequence, lookup)
        for (const passed of blocked) passed.bypassed++
      }
    }
  }

  /** As `admissible`, or `full`; work in the background is suspended for it, the last first. */
  #placeFor(sequence: Sequence): PrefixLookup | 'later' | 'full' | undefined {
    for (;;) {
      const isFull = this.#running.length >= this.#pool.shape.parallel
      const lookup = isFull ? 'full' : this.#admissible(sequence)
      const last = this.#running.at(-1)
      if ((lookup !== 'full' && lookup !== undefined) || !last || last.background <= sequence.background) return lookup
      this.#suspend(last)
    }
  }

  /** How to admit it now; `later` when waiting for a prefix pays (that holds nobody up); undefined when there is no room. */
  #admissible(sequence: Sequence): PrefixLookup | 'later' | undefined {
    if (sequence.suspended?.snapshot.inMemory) {
      const { snapshot, length } = sequence.suspended
      const saved: PrefixLookup = { length, source: { type: 'snapshot', snapshot } }
      return this.#pool.canAdmit(sequence.tokens, saved) ? saved : undefined
    }
    const best = this.#pool.lookup(sequence.tokens)
    if (best.source.type === 'snapshot' && !best.source.snapshot.inMemory) {
      if (!best.source.snapshot.loading) this.#wanted.add(best.source.snapshot)
      return 'later'
    }
    if (isBeingComputed(sequence, best.length, this.#running, this.#pool)) return 'later'
    if (this.#pool.canAdmit(sequence.tokens, best)) return best
    const alone: PrefixLookup = { length: 0, source: { type: 'none' } }
    return best.length > 0 && this.#running.length === 0 && this.#pool.canAdmit(sequence.tokens, alone) ? alone : undefined
  }

  #admit(sequence: Sequence, lookup: PrefixLookup): void {
    const { slot, length } = this.#pool.admit(sequence.tokens, lookup)
    sequence.slot = slot
    sequence.suspended = undefined
    this.#waiting.splice(this.#waiting.indexOf(sequence), 1)
    this.#running.push(sequence)
    this.#running.sort(byTurn)
    if (sequence.admitted) return
    sequence.admitted = true
    sequence.cachedTokens = length
    sequence.times.admitted = this.#options.now()
    this.#opened.push(sequence)
    this.#pending.push({ type: 'admitted', sequence })
  }

  #takeOperations(): Batch['operations'] {
    const operations = this.#pool.takeOperations()
    for (const sequence of this.#opened) {
      operations.push({ type: 'open', sequence: sequence.id, sampling: sequence.sampling, tokens: sequence.tokens })
    }
    for (const sequence of this.#closed) operations.push({ type: 'close', sequence: sequence.id })
    this.#opened = []
    this.#closed = []
    return operations
  }

  #moveSlot(from: Slot, to: Slot): void {
    const sequence = this.#running.find((s) => s.slot === from)
    if (sequence) sequence.slot = to
  }

  // ── the batch ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Oldest first, so that it is always the youngest that gives way when the cache is full: the oldest ends, and all do. */
  #decodeRuns(): Run[] {
    const runs: Run[] = []
    const decoding = this.#running.filter((s) => !isPrefilling(s, this.#pool))
    // While a prompt is computed its tokens are the better use of the step's time.
    const guesses = decoding.length === this.#running.length ? this.#stepGuesses(decoding.length) : undefined
    for (const sequence of decoding) {
      if (sequence.slot === undefined) continue
      if (!this.#makeRoom(sequence)) continue
      const draft = guesses?.of(sequence, this.#pool) ?? []
      const tokens = [...sequence.tokens.slice(lengthOf(sequence, this.#pool)), ...draft]
      runs.push({
        sequence: sequence.id,
        slot: sequence.slot,
        start: lengthOf(sequence, this.#pool),
        tokens,
        sample: true,
        draft: draft.length,
      })
      this.#pool.extend(sequence.slot, tokens)
    }
    return runs
  }

  /** Room for one more token; younger sequences are suspended for it, and at last the sequence itself. */
  #makeRoom(sequence: Sequence): boolean {
    while (sequence.slot !== undefined && !this.#pool.canExtend(sequence.slot, 1)) {
      const youngest = this.#running.at(-1)
      if (!youngest || this.#running.length === 1 || this.#pool.lengthOf(sequence.slot) >= this.#pool.shape.window) {
        this.#endByLength(sequence)
        return false
      }
      this.#suspend(youngest)
    }
    return sequence.slot !== undefined
  }

  #stepGuesses(decoding: number): StepGuesses | undefined {
    const { speculation, cost, maxBatchTokens } = this.#options
    if (!speculation || decoding > mostGuessing(this.#pool.shape.layout)) return undefined
    return new StepGuesses(cost, decoding, maxBatchTokens)
  }

  #addPromptRuns(runs: Run[]): void {
    const rows = tokensOf(runs)
    const prefilling = mostUrgent(
      this.#running.filter((s) => isPrefilling(s, this.#pool) && s.slot !== undefined && !runs.some((r) => r.sequence === s.id)),
    )
    const limits = prefilling.map((s) => chunkLimit(s, this.#waiting.slice(0, MAX_CONSIDERED), this.#pool))
    const depth = prefilling[0] ? lengthOf(prefilling[0], this.#pool) : 0
    const { fixedChunk, cost, maxBatchTokens } = this.#options
    const most = Math.min(maxBatchTokens - rows, fixedChunk ?? cost.promptBudget(rows, depth, limits.length === 1 ? limits[0] : 0))
    const budget = rows === 0 && fixedChunk === undefined ? firstPart(limits, most) : Math.min(most, sumOf(limits))
    const { breaths, paceMs } = cost.breathing(rows, depth, budget)
    this.#readersPaceMs = paceMs
    this.#breaths = this.#breaths < breaths ? this.#breaths + 1 : 0
    if (budget === 0 || this.#breaths > 0) return
    const shares = sharePrompts(limits, budget)
    prefilling.forEach((sequence, i) => {
      const count = shares[i] ?? 0
      if (count > 0 && sequence.slot !== undefined && this.#pool.canExtend(sequence.slot, count))
        runs.push(this.#promptRun(sequence, sequence.slot, count))
    })
    // At once, not at the next step: whoever gave way would be the first to be admitted again.
    if (runs.length === 0 && this.#breakDeadlock()) this.#addPromptRuns(runs)
  }

  #promptRun(sequence: Sequence, slot: Slot, count: number): Run {
    const start = this.#pool.lengthOf(slot)
    const tokens = sequence.tokens.slice(start, start + count)
    this.#pool.extend(slot, tokens)
    return { sequence: sequence.id, slot, start, tokens, sample: start + count === sequence.tokens.length, draft: 0 }
  }

  /** Only prompts run and none fits any more: the youngest gives its cells up. False when there is none that could. */
  #breakDeadlock(): boolean {
    const youngest = this.#running.at(-1)
    if (!youngest || this.#running.length === 1) return false
    this.#suspend(youngest)
    return true
  }

  #suspend(sequence: Sequence): void {
    if (sequence.slot === undefined) return
    const length = this.#pool.lengthOf(sequence.slot)
    const snapshot = this.#pool.suspend(sequence.slot)
    sequence.suspended = snapshot && { snapshot, length }
    sequence.slot = undefined
    this.#running.splice(this.#running.indexOf(sequence), 1)
    this.#waiting.push(sequence)
    this.#waiting.sort(byTurn)
  }

  // ── after the batch ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #commitRun(sequence: Sequence, run: Run, sampled: Sampled | undefined): Emission[] {
    if (!run.sample || !sampled)
      return [{ type: 'prefill', sequence, done: Math.min(sequence.promptLength, run.start + run.tokens.length) }]
    sequence.times.firstToken ??= this.#options.now()
    sequence.lookup.observe(sampled.tokens.map((s) => s.token))
    this.#settleDraft(sequence, run, sampled.tokens.length - 1)
    const { kept, reason } = keepTokens(sequence, sampled.tokens, this.#options.isEnd)
    const emissions: Emission[] = kept.length > 0 ? [{ type: 'tokens', sequence, tokens: kept }] : []
    if (!reason) return emissions
    this.#end(sequence)
    return [...emissions, { type: 'ended', sequence, reason }]
  }

  #settleDraft(sequence: Sequence, run: Run, accepted: number): void {
    if (run.draft === 0 || sequence.slot === undefined) return
    sequence.draftedTokens += run.draft
    sequence.acceptedTokens += accepted
    this.#pool.rewind(sequence.slot, run.start + run.tokens.length - run.draft + accepted)
  }

  #endByLength(sequence: Sequence): void {
    this.#end(sequence)
    this.#pending.push({ type: 'ended', sequence, reason: 'length' })
  }

  #end(sequence: Sequence): void {
    sequence.times.ended = this.#options.now()
    if (sequence.slot !== undefined) this.#pool.release(sequence.slot)
    sequence.slot = undefined
    const list = this.#running.includes(sequence) ? this.#running : this.#waiting
    const index = list.indexOf(sequence)
    if (index >= 0) list.splice(index, 1)
    const opened = this.#opened.indexOf(sequence)
    if (opened >= 0) this.#opened.splice(opened, 1)
    else if (sequence.admitted) this.#closed.push(sequence)
  }
}
