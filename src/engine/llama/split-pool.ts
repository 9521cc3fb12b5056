/**
 * The split layout: each slot owns a window of cells. A prefix is shared by copying a sequence. libllama cuts a batch into runs of
 * consecutive ascending sequence ids, and each further run costs a pass over all weights; so the running slots form one interval:
 *
 *   slot     0        1        2        3        4
 *            cached   RUNNING  RUNNING  RUNNING  empty      a new sequence goes to 0 or 4
 *            cached   RUNNING  (ended)  RUNNING  empty      … to 2; when nobody waits, 3 (or 1) moves there
 */
import type { KvOperation, Slot } from './batch.ts'
import type { CellCount, KvPool, KvShape, PrefixLookup } from './kv-pool.ts'
import { SlotTable } from './slot-table.ts'
import type { SharingOptions } from './slot-table.ts'
import type { Snapshot, SnapshotStore } from './snapshot-store.ts'

export class SplitPool implements KvPool {
  readonly shape: KvShape
  readonly snapshots: SnapshotStore
  readonly #table: SlotTable

  constructor(shape: KvShape, snapshots: SnapshotStore, options: SharingOptions) {
    this.shape = shape
    this.snapshots = snapshots
    this.#table = new SlotTable(shape.slots, snapshots, options)
  }

  lookup(tokens: readonly number[]): PrefixLookup {
    const allowed = new Set(this.#allowedSlots())
    return this.#table.lookup(tokens, (slot) => allowed.has(slot))
  }

  canAdmit(tokens: readonly number[], lookup: PrefixLookup): boolean {
    const loaded = lookup.source.type === 'snapshot' ? lookup.source.snapshot.length : 0
    return this.#table.running.size < this.shape.slots && Math.max(tokens.length, loaded) <= this.shape.window
  }

  admit(tokens: readonly number[], lookup: PrefixLookup): { slot: Slot; length: number } {
    const { source, length } = lookup
    const slot = this.#chooseSlot(lookup)
    if (source.type === 'slot' && source.slot === slot) this.rewind(slot, length)
    else {
      this.#evict(slot)
      if (source.type === 'slot') this.#copy(source.slot, slot, length)
      else if (source.type === 'snapshot') this.#load(source.snapshot, slot, tokens.slice(0, length))
    }
    this.#table.running.add(slot)
    this.#table.touch(slot)
    return { slot, length }
  }

  canExtend(slot: Slot, count: number): boolean {
    return this.lengthOf(slot) + count <= this.shape.window
  }

  extend(slot: Slot, tokens: readonly number[]): void {
    this.#table.index.extend(slot, tokens)
  }

  rewind(slot: Slot, length: number): void {
    if (length >= this.lengthOf(slot)) return
    this.#table.push({ type: 'remove', slot, start: length })
    this.#table.index.truncate(slot, length)
    if (length === 0) this.#table.clearFloor(slot)
  }

  release(slot: Slot): void {
    this.#table.running.delete(slot)
    this.#table.touch(slot)
  }

  suspend(slot: Slot): Snapshot | undefined {
    const snapshot = this.#table.save(slot)
    this.#table.running.delete(slot)
    this.rewind(slot, 0)
    return snapshot
  }

  compact(): { from: Slot; to: Slot }[] {
    const moves: { from: Slot; to: Slot }[] = []
    for (let holes = this.#holes(); holes.length > 0; holes = this.#holes()) {
      const to = this.#cheapest(holes)
      const { first, last } = this.#interval()
      const from = this.lengthOf(first) < this.lengthOf(last) ? first : last
      this.#evict(to)
      this.#copy(from, to, this.lengthOf(from))
      this.#table.running.delete(from)
      this.rewind(from, 0)
      this.#table.running.add(to)
      this.#table.touch(to)
      moves.push({ from, to })
    }
    return moves
  }

  saveCached(most: number): number {
    const worth = this.#table.idle.filter((slot) => this.#table.isWorthSaving(slot)).slice(0, most)
    return worth.filter((slot) => this.#table.save(slot)).length
  }

  takeOperations(): KvOperation[] {
    return this.#table.takeOperations()
  }

  lengthOf(slot: Slot): number {
    return this.#table.index.lengthOf(slot)
  }

  count(): CellCount {
    const sum = (slots: Iterable<Slot>): number => [...slots].reduce((total, slot) => total + this.lengthOf(slot), 0)
    const [running, cached] = [sum(this.#table.running), sum(this.#table.idle)]
    return { running, cached, free: this.shape.cells - running - cached, total: this.shape.cells }
  }

  verify(): void {
    this.#table.index.verify()
    for (const slot of this.#table.slots) {
      if (this.lengthOf(slot) > this.shape.window)
        throw new Error(`slot ${slot} holds ${this.lengthOf(slot)} of ${this.shape.window} tokens`)
    }
  }

  #chooseSlot(lookup: PrefixLookup): Slot {
    const allowed = this.#allowedSlots()
    const source = lookup.source.type === 'slot' ? lookup.source.slot : undefined
    if (source !== undefined && allowed.includes(source)) return source
    return this.#cheapest(allowed.filter((slot) => slot !== source))
  }

  /** Idle slots that keep the running ones consecutive: holes first, else the neighbours of the interval. */
  #allowedSlots(): Slot[] {
    if (this.#table.running.size === 0) return this.#table.slots
    const holes = this.#holes()
    if (holes.length > 0) return holes
    const { first, last } = this.#interval()
    return [first - 1, last + 1].filter((slot) => slot >= 0 && slot < this.shape.slots)
  }

  #interval(): { first: Slot; last: Slot } {
    return { first: Math.min(...this.#table.running), last: Math.max(...this.#table.running) }
  }

  #holes(): Slot[] {
    if (this.#table.running.size === 0) return []
    const { first, last } = this.#interval()
    return this.#table.slots.filter((slot) => slot > first && slot < last && !this.#table.running.has(slot))
  }

  #cheapest(slots: readonly Slot[]): Slot {
    const slot = this.#table.idle.find((candidate) => slots.includes(candidate))
    if (slot === undefined) throw new Error('no free slot')
    return slot
  }

  /** Copies a whole sequence into an empty slot and cuts what is too much. */
  #copy(from: Slot, to: Slot, length: number): void {
    const whole = this.lengthOf(from)
    this.#table.touch(from)
    this.#table.push({ type: 'copy', from, to, length: whole })
    if (whole > length) this.#table.push({ type: 'remove', slot: to, start: length })
    this.#table.index.extend(to, this.#table.index.tokensOf(from).slice(0, length))
    this.#table.setFloor(to, length)
  }

  #load(snapshot: Snapshot, slot: Slot, tokens: readonly number[]): void {
    this.snapshots.touch(snapshot)
    this.#table.push({ type: 'load', slot, key: snapshot.key })
    if (snapshot.length > tokens.length) this.#table.push({ type: 'remove', slot, start: tokens.length })
    this.#table.index.extend(slot, tokens)
    this.#table.setFloor(slot, tokens.length)
  }

  #evict(slot: Slot): void {
    if (this.#table.isWorthSaving(slot)) this.#table.save(slot)
    this.rewind(slot, 0)
  }
}
