/** What both layouts keep of their slots: the tokens in each, who runs, when it was last used, and the operations to come. */
import type { KvOperation, Slot } from './batch.ts'
import { MIN_SHARED_TOKENS } from './kv-pool.ts'
import type { PrefixLookup } from './kv-pool.ts'
import { RadixIndex } from './radix-index.ts'
import type { Snapshot, SnapshotStore } from './snapshot-store.ts'

export interface SharingOptions {
  /** Prefixes are shared at all. */
  sharing: boolean
  /** What was copied or saved through ordinary memory may be cut afterwards. Layers with a sliding window keep only their last cells there. Default true. */
  cutsCopies?: boolean
}

export class SlotTable {
  readonly index: RadixIndex<Slot> = new RadixIndex<Slot>()
  readonly running: Set<Slot> = new Set<Slot>()
  readonly snapshots: SnapshotStore
  readonly #slots: number
  readonly #sharing: boolean
  readonly #cutsCopies: boolean
  /** Tokens that a slot's sequence may not be cut below, because it came as a copy. */
  readonly #floors = new Map<Slot, number>()
  #operations: KvOperation[] = []
  #lastUsed = new Map<Slot, number>()
  #clock = 0

  constructor(slots: number, snapshots: SnapshotStore, { sharing, cutsCopies = true }: SharingOptions) {
    this.#slots = slots
    this.snapshots = snapshots
    this.#sharing = sharing
    this.#cutsCopies = cutsCopies
  }

  get slots(): Slot[] {
    return Array.from({ length: this.#slots }, (_, slot) => slot)
  }

  /** Slots that nobody runs, the ones with the least to lose first: empty, then least recently used. */
  get idle(): Slot[] {
    return this.slots.filter((slot) => !this.running.has(slot)).toSorted((a, b) => this.#value(a) - this.#value(b))
  }

  push(...operations: KvOperation[]): void {
    this.#operations.push(...operations)
  }

  takeOperations(): KvOperation[] {
    const taken = this.#operations
    this.#operations = []
    return taken
  }

  touch(slot: Slot): void {
    this.#lastUsed.set(slot, ++this.#clock)
  }

  /** The best of the tiers. A slot wins over a snapshot of the same length. `isWithin`: whether a slot can be used where it is, without a copy. */
  lookup(tokens: readonly number[], isWithin: (slot: Slot) => boolean): PrefixLookup {
    if (!this.#sharing) return { length: 0, source: { type: 'none' } }
    const limit = tokens.length - 1
    const inCells = this.index.match(tokens, limit)
    const slot = this.#bestHolder([...inCells.holders].filter((holder) => this.#isUsable(holder, inCells.length, isWithin)))
    const saved = this.#cutsCopies ? this.snapshots.match(tokens, limit) : this.snapshots.matchWhole(tokens, limit)
    const inCellsLength = slot === undefined ? 0 : inCells.length
    if (saved && saved.length > inCellsLength && saved.length >= MIN_SHARED_TOKENS) {
      return { length: saved.length, source: { type: 'snapshot', snapshot: saved.snapshot } }
    }
    if (slot === undefined || inCellsLength < MIN_SHARED_TOKENS) return { length: 0, source: { type: 'none' } }
    return { length: inCellsLength, source: { type: 'slot', slot } }
  }

  /** A slot's sequence came through ordinary memory, or shares its cells with one that did. */
  setFloor(slot: Slot, tokens: number): void {
    if (!this.#cutsCopies && tokens > 0) this.#floors.set(slot, tokens)
  }

  floorOf(slot: Slot): number {
    return this.#floors.get(slot) ?? 0
  }

  /** The slot is emptied. */
  clearFloor(slot: Slot): void {
    this.#floors.delete(slot)
  }

  /** Writes the slot's sequence down in memory, unless it is there already. */
  save(slot: Slot): Snapshot | undefined {
    const tokens = this.index.tokensOf(slot)
    if (tokens.length < MIN_SHARED_TOKENS || !this.snapshots.canAdd(tokens.length)) return undefined
    const known = this.snapshots.match(tokens, tokens.length)
    const serves = known?.length === tokens.length && (this.#cutsCopies || known.snapshot.length === tokens.length)
    if (known && serves && known.snapshot.inMemory) {
      this.snapshots.touch(known.snapshot)
      return known.snapshot
    }
    const snapshot = this.snapshots.add(tokens)
    this.push({ type: 'save', slot, key: snapshot.key })
    return snapshot
  }

  /** Whether what this idle slot holds is worth keeping in memory when the slot is needed. */
  isWorthSaving(slot: Slot): boolean {
    const length = this.index.lengthOf(slot)
    if (!this.#sharing || length < MIN_SHARED_TOKENS) return false
    const tokens = this.index.tokensOf(slot)
    const known = this.snapshots.match(tokens, length)
    return length - (known?.length ?? 0) >= MIN_SHARED_TOKENS
  }

  #isUsable(slot: Slot, length: number, isWithin: (slot: Slot) => boolean): boolean {
    if (this.#cutsCopies || length === this.index.lengthOf(slot)) return true
    return isWithin(slot) && length >= this.floorOf(slot)
  }

  #bestHolder(holders: readonly Slot[]): Slot | undefined {
    let best: Slot | undefined
    for (const slot of holders) {
      if (best === undefined || this.#preference(slot) > this.#preference(best)) best = slot
    }
    return best
  }

  /** Idle before running (it can be taken over in place), then the shortest (least to carry). */
  #preference(slot: Slot): number {
    return (this.running.has(slot) ? 0 : 1e9) - this.index.lengthOf(slot)
  }

  #value(slot: Slot): number {
    return this.index.lengthOf(slot) === 0 ? 0 : (this.#lastUsed.get(slot) ?? 0)
  }
}
