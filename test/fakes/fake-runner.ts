/** A runner without a model: simulates every cell, checks every rule, and "samples" a hash of all tokens before. */
import type { Batch, KvOperation, Run, RunResult, Runner, SampledToken, Slot } from '../../src/engine/llama/batch.ts'

interface Cell {
  token: number
  position: number
}

export interface FakeRunnerOptions {
  layout: 'unified' | 'split'
  slots: number
  /** Tokens of a slot in the split layout. */
  window: number
  cells: number
  vocabulary: number
  /** As models with a sliding window: what came through ordinary memory has lost what a shorter prefix would need. Default true. */
  cutsCopies?: boolean
}

/** The token that follows a context. */
export function nextToken(context: readonly number[], vocabulary: number): number {
  let hash = 17
  for (const token of context) hash = (Math.imul(hash, 31) + token + 7) >>> 0
  return hash % vocabulary
}

export class FakeRunner implements Runner {
  readonly options: FakeRunnerOptions
  readonly slots: Cell[][]
  readonly open: Set<number> = new Set<number>()
  /** Every token that was computed, in order, with its whole context as a key. */
  readonly computed: string[] = []
  #blobs = new Map<number, number[]>()
  /** Slot → tokens that it may not be cut below. */
  readonly #floors: number[] = []

  constructor(options: FakeRunnerOptions) {
    this.options = options
    this.slots = Array.from({ length: options.slots }, () => [])
  }

  async run(batch: Batch): Promise<RunResult> {
    for (const operation of batch.operations) this.#apply(operation)
    this.#checkOrder(batch.runs)
    const sampled = batch.runs.map((run) => ({ run, tokens: this.#decode(run) })).filter(({ run }) => run.sample)
    return {
      sampled: sampled.map(({ run, tokens }) => ({ sequence: run.sequence, tokens })),
      failures: [],
      decodeMs: 10 + batch.tokenCount,
    }
  }

  savedBytes(key: number): number {
    return (this.#blobs.get(key)?.length ?? 0) * 4
  }

  savedBlob(key: number): Uint8Array | undefined {
    const tokens = this.#blobs.get(key)
    return tokens && new Uint8Array(Int32Array.from(tokens).buffer)
  }

  addBlob(key: number, blob: Uint8Array): void {
    this.#blobs.set(key, [...new Int32Array(blob.slice().buffer)])
  }

  dropBlob(key: number): void {
    this.#blobs.delete(key)
  }

  closeThought(): boolean {
    return false
  }

  sequenceLength(slot: Slot): number {
    return this.#slot(slot).length
  }

  get cellsInUse(): number {
    return new Set(this.slots.flat()).size
  }

  get blobCount(): number {
    return this.#blobs.size
  }

  #slot(slot: Slot): Cell[] {
    const cells = this.slots[slot]
    if (!cells) throw new Error(`no slot ${slot}`)
    return cells
  }

  #apply(operation: KvOperation): void {
    switch (operation.type) {
      case 'copy':
        return this.#copy(operation.from, operation.to, operation.length)
      case 'remove':
        return this.#remove(operation.slot, operation.start)
      case 'save':
        this.#blobs.set(
          operation.key,
          this.#slot(operation.slot).map((cell) => cell.token),
        )
        return
      case 'load':
        return this.#load(operation.slot, operation.key)
      case 'open':
        if (this.open.has(operation.sequence)) throw new Error(`sampler ${operation.sequence} is open`)
        this.open.add(operation.sequence)
        return
      case 'close':
        if (!this.open.delete(operation.sequence)) throw new Error(`sampler ${operation.sequence} is not open`)
    }
  }

  #remove(slot: Slot, start: number): void {
    if (this.options.cutsCopies === false && start > 0 && start < (this.#floors[slot] ?? 0))
      throw new Error(`slot ${slot} is cut at ${start}, its copy has ${this.#floors[slot]} tokens`)
    this.#slot(slot).splice(start)
    if (start === 0) this.#floors[slot] = 0
  }

  #copy(from: Slot, to: Slot, length: number): void {
    if (this.#slot(to).length > 0) throw new Error(`copy into slot ${to}, which is not empty`)
    if (this.options.layout === 'split' && length !== this.#slot(from).length) throw new Error('split layout copies whole sequences')
    if (length > this.#slot(from).length) throw new Error(`copies ${length} of ${this.#slot(from).length} cells`)
    const cells = this.#slot(from).slice(0, length)
    this.#floors[to] = this.options.layout === 'split' ? length : (this.#floors[from] ?? 0)
    if (this.options.cutsCopies === false && this.#floors[to] > length) throw new Error(`${length} tokens of a copy of ${this.#floors[to]}`)
    this.slots[to] = this.options.layout === 'split' ? cells.map((cell) => ({ ...cell })) : cells
  }

  #load(slot: Slot, key: number): void {
    const tokens = this.#blobs.get(key)
    if (!tokens) throw new Error(`no blob ${key}`)
    if (this.#slot(slot).length > 0) throw new Error(`load into slot ${slot}, which is not empty`)
    this.slots[slot] = tokens.map((token, position) => ({ token, position }))
    this.#floors[slot] = tokens.length
    this.#checkRoom()
  }

  /** The scheduler promises ascending slots, one run each, and in the split layout no holes. */
  #checkOrder(runs: readonly Run[]): void {
    runs.forEach((run, i) => {
      const before = runs[i - 1]
      if (before && before.slot >= run.slot) throw new Error('slots are not ascending')
      if (!this.open.has(run.sequence)) throw new Error(`sequence ${run.sequence} has no sampler`)
    })
  }

  #decode(run: Run): SampledToken[] {
    const cells = this.#slot(run.slot)
    if (run.start !== cells.length) throw new Error(`slot ${run.slot} has ${cells.length} tokens, the run begins at ${run.start}`)
    for (const token of run.tokens) {
      cells.push({ token, position: cells.length })
      this.computed.push(cells.map((cell) => cell.token).join())
    }
    this.#checkRoom()
    if (!run.sample) return []
    const context = cells.map((cell) => cell.token)
    const sampled: SampledToken[] = []
    for (let left = run.draft; left >= 0; left--) {
      const token = nextToken(context.slice(0, context.length - left), this.options.vocabulary)
      sampled.push({ token })
      if (left === 0 || token !== context[context.length - left]) break
    }
    return sampled
  }

  #checkRoom(): void {
    if (this.options.layout === 'unified' && this.cellsInUse > this.options.cells)
      throw new Error(`${this.cellsInUse} of ${this.options.cells} cells`)
    if (this.options.layout === 'split' && this.slots.some((cells) => cells.length > this.options.window))
      throw new Error('a slot overflows')
  }
}
