/** The unified layout: one pool of cells. A prefix is shared by marking its cells; each token's attention walks over all cells in use. */
import type { KvOperation, Slot } from './batch.ts'
import { CellLedger } from './cell-ledger.ts'
import type { CellCount, KvPool, KvShape, PrefixLookup } from './kv-pool.ts'
import { SlotTable } from './slot-table.ts'
import type { SharingOptions } from './slot-table.ts'
import type { Snapshot, SnapshotStore } from './snapshot-store.ts'

/** Cells kept free for each running sequence when another is admitted, so that it is not preempted at once. */
const GROWTH_RESERVE = 32

export class UnifiedPool implements KvPool {
  readonly shape: KvShape
  readonly snapshots: SnapshotStore
  readonly #table: SlotTable
  readonly #ledger: CellLedger

  constructor(shape: KvShape, snapshots: SnapshotStore, options: SharingOptions) {
    this.shape = shape
    this.snapshots = snapshots
    this.#table = new SlotTable(shape.slots, snapshots, options)
    this.#ledger = new CellLedger(shape.cells)
  }

  lookup(tokens: readonly number[]): PrefixLookup {
    // A prefix is shared by reference, whoever has it.
    return this.#table.lookup(tokens, () => true)
  }

  canAdmit(tokens: readonly number[], lookup: PrefixLookup): boolean {
    if (this.#table.running.size >= this.shape.parallel || this.#table.idle.length === 0) return false
    const shared = lookup.source.type === 'slot' ? lookup.length : 0
    const reserve = this.#table.running.size === 0 ? 1 : GROWTH_RESERVE * (this.#table.running.size + 1)
    const loaded = lookup.source.type === 'snapshot' ? lookup.source.snapshot.length : 0
    const needed = Math.max(loaded, Math.min(this.shape.cells, tokens.length - shared + reserve))
    return needed <= this.#ledger.free + this.#evictable(lookup.source.type === 'slot' ? lookup.source.slot : undefined)
  }

  admit(tokens: readonly number[], lookup: PrefixLookup): { slot: Slot; length: number } {
    const slot = this.#takeSlot(lookup)
    this.#table.running.add(slot)
    this.#table.touch(slot)
    const source = lookup.source.type === 'slot' ? lookup.source.slot : undefined
    this.#makeRoom(tokens.length - (source === undefined ? 0 : lookup.length), source)
    if (source !== undefined) this.#share(source, slot, lookup.length, tokens)
    else if (lookup.source.type === 'snapshot') this.#load(lookup.source.snapshot, slot, lookup.length, tokens)
    return { slot, length: lookup.length }
  }

  canExtend(slot: Slot, count: number): boolean {
    if (this.lengthOf(slot) + count > this.shape.window) return false
    return count <= this.#ledger.free || count <= this.#ledger.free + this.#evictable(undefined)
  }

  extend(slot: Slot, tokens: readonly number[]): void {
    this.#makeRoom(tokens.length, undefined)
    this.#ledger.append(slot, tokens.length)
    this.#table.index.extend(slot, tokens)
  }

  rewind(slot: Slot, length: number): void {
    if (length >= this.lengthOf(slot)) return
    this.#cut(slot, length)
  }

  release(slot: Slot): void {
    this.#table.running.delete(slot)
    this.#table.touch(slot)
  }

  suspend(slot: Slot): Snapshot | undefined {
    const snapshot = this.#table.save(slot)
    this.#table.running.delete(slot)
    this.#cut(slot, 0)
    return snapshot
  }

  compact(): { from: Slot; to: Slot }[] {
    return []
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
    const { total, used, free } = this.#ledger
    const cached = this.#evictable(undefined)
    return { running: used - cached, cached, free, total }
  }

  verify(): void {
    this.#table.index.verify()
    for (const slot of this.#table.slots) {
      const [indexed, counted] = [this.lengthOf(slot), this.#ledger.lengthOf(slot)]
      if (indexed !== counted) throw new Error(`slot ${slot} has ${indexed} tokens and ${counted} cells`)
    }
    if (this.#ledger.used > this.#ledger.total) throw new Error(`${this.#ledger.used} of ${this.#ledger.total} cells are used`)
  }

  /** An idle slot that is wholly the prefix is taken over as it is; else the idle slot with the least to lose. */
  #takeSlot(lookup: PrefixLookup): Slot {
    const { source } = lookup
    if (source.type === 'slot' && !this.#table.running.has(source.slot) && this.lengthOf(source.slot) === lookup.length) return source.slot
    const idle = this.#table.idle
    const slot = idle.find((candidate) => source.type !== 'slot' || candidate !== source.slot) ?? idle[0]
    if (slot === undefined) throw new Error('admit without a free slot')
    if (source.type !== 'slot' || slot !== source.slot) this.#evict(slot)
    return slot
  }

  #share(from: Slot, to: Slot, length: number, tokens: readonly number[]): void {
    if (from === to) return this.rewind(to, length)
    this.#table.touch(from)
    this.#table.push({ type: 'copy', from, to, length })
    this.#ledger.share(from, to, length)
    this.#table.index.extend(to, tokens.slice(0, length))
    this.#table.setFloor(to, this.#table.floorOf(from))
  }

  #load(snapshot: Snapshot, slot: Slot, length: number, tokens: readonly number[]): void {
    this.snapshots.touch(snapshot)
    this.#makeRoom(snapshot.length, undefined)
    this.#table.push({ type: 'load', slot, key: snapshot.key })
    if (snapshot.length > length) this.#table.push({ type: 'remove', slot, start: length })
    this.#ledger.append(slot, length)
    this.#table.index.extend(slot, tokens.slice(0, length))
    this.#table.setFloor(slot, length)
  }

  /** Cells that only idle slots hold. */
  #evictable(except: Slot | undefined): number {
    const kept = new Set([...this.#table.running, ...(except === undefined ? [] : [except])])
    return this.#ledger.usedOnlyBy((slot) => !kept.has(slot))
  }

  #makeRoom(cells: number, except: Slot | undefined): void {
    for (const slot of this.#table.idle) {
      if (this.#ledger.free >= cells) return
      if (slot !== except) this.#evict(slot)
    }
  }

  #evict(slot: Slot): void {
    if (this.lengthOf(slot) === 0) return
    if (this.#table.isWorthSaving(slot)) this.#table.save(slot)
    this.#cut(slot, 0)
  }

  #cut(slot: Slot, length: number): void {
    this.#table.push({ type: 'remove', slot, start: length })
    this.#ledger.truncate(slot, length)
    if (length === 0) this.#table.clearFloor(slot)
    this.#table.index.truncate(slot, length)
  }
}
