/**
 * Who has which cells of the KV cache. One small interface for both layouts:
 * `UnifiedPool` (one pool of cells, prefixes shared by reference) and `SplitPool` (each slot owns a window, prefixes shared by copy).
 * A pool never touches native code: it writes down KvOperations, which the scheduler puts in front of the next batch.
 */
import type { KvOperation, Slot } from './batch.ts'
import type { SnapshotStore } from './snapshot-store.ts'
import type { Snapshot } from './snapshot-store.ts'

export interface KvShape {
  layout: 'unified' | 'split'
  /** Sequence ids of the context. */
  slots: number
  /** Sequences that may run at once; in the split layout equal to `slots`. */
  parallel: number
  /** Tokens that one sequence may use. */
  window: number
  /** Cells in all. */
  cells: number
}

/** Where a prefix was found. */
export type PrefixSource = { type: 'none' } | { type: 'slot'; slot: Slot } | { type: 'snapshot'; snapshot: Snapshot }

export interface PrefixLookup {
  length: number
  source: PrefixSource
}

export interface CellCount {
  running: number
  cached: number
  free: number
  total: number
}

export interface KvPool {
  readonly shape: KvShape
  readonly snapshots: SnapshotStore
  /** The longest prefix of `tokens` that is in some tier; always leaves at least one token to compute. */
  lookup(tokens: readonly number[]): PrefixLookup
  /** Whether a sequence of these tokens can begin now (a slot is free, its cells fit, evicting what nobody runs). */
  canAdmit(tokens: readonly number[], lookup: PrefixLookup): boolean
  /** Takes a slot and brings the prefix into it. Only after `canAdmit`. */
  admit(tokens: readonly number[], lookup: PrefixLookup): { slot: Slot; length: number }
  /** Whether `count` more tokens fit into a running slot, evicting what nobody runs. */
  canExtend(slot: Slot, count: number): boolean
  /** These tokens are being computed in the next batch. Only after `canExtend`. */
  extend(slot: Slot, tokens: readonly number[]): void
  /** The last tokens were wrong guesses. */
  rewind(slot: Slot, length: number): void
  /** The sequence is over; its cells stay as a cached prefix until they are needed. */
  release(slot: Slot): void
  /** The sequence gives its cells up now but goes on later: saved to memory when that fits (the key), else to be computed again. */
  suspend(slot: Slot): Snapshot | undefined
  /** Split layout: moves running sequences so that their slots are consecutive. */
  compact(): { from: Slot; to: Slot }[]
  /** Saves cached prefixes that are in no lower tier; for idle time and before the context is closed. At most `most`. */
  saveCached(most: number): number
  /** Takes the operations written down since the last call. */
  takeOperations(): KvOperation[]
  lengthOf(slot: Slot): number
  count(): CellCount
  /** Throws when the books do not balance. */
  verify(): void
}

/** Prefixes shorter than this are computed again: moving them costs more. */
export const MIN_SHARED_TOKENS = 16
