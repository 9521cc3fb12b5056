/**
 * The second and third tier of the prefix cache: whole sequences saved out of the KV cache, first in ordinary memory, then on
 * disk. Here is only the bookkeeping; the bytes lie with the runner (memory) and in files (disk).
 */
import { RadixIndex } from './radix-index.ts'

export interface Snapshot {
  readonly key: number
  readonly length: number
  bytes: number
  inMemory: boolean
  onDisk: boolean
  /** Being read from disk; becomes `inMemory`. */
  loading: boolean
  /** `bytes` is the real size, not an estimate. */
  measured: boolean
  /** Too large for the disk tier. */
  refused: boolean
  lastUsed: number
  /** In use by the step that is being made; not to be dropped. */
  pinned: boolean
}

export interface SnapshotMatch {
  snapshot: Snapshot
  length: number
}

export class SnapshotStore {
  readonly memoryLimit: number
  #bytesPerToken: number
  #index = new RadixIndex<Snapshot>()
  #byKey = new Map<number, Snapshot>()
  #nextKey = 1
  #clock = 0

  constructor(options: { memoryLimit: number; bytesPerToken: number }) {
    this.memoryLimit = options.memoryLimit
    this.#bytesPerToken = options.bytesPerToken
  }

  get all(): IterableIterator<Snapshot> {
    return this.#byKey.values()
  }

  get memoryBytes(): number {
    let sum = 0
    for (const snapshot of this.#byKey.values()) if (snapshot.inMemory) sum += snapshot.bytes
    return sum
  }

  get(key: number): Snapshot | undefined {
    return this.#byKey.get(key)
  }

  tokensOf(snapshot: Snapshot): number[] {
    return this.#index.tokensOf(snapshot)
  }

  /** Whether one more of this many tokens may be kept in memory at all. */
  canAdd(length: number): boolean {
    return length * this.#bytesPerToken <= this.memoryLimit
  }

  /** Registers a sequence; shorter ones that it continues become superfluous: they are dropped first. */
  add(
    tokens: readonly number[],
    place: { inMemory: boolean; onDisk: boolean; bytes?: number } = { inMemory: true, onDisk: false },
  ): Snapshot {
    const bytes = place.bytes ?? tokens.length * this.#bytesPerToken
    const snapshot: Snapshot = {
      key: this.#nextKey++,
      length: tokens.length,
      bytes,
      inMemory: place.inMemory,
      onDisk: place.onDisk,
      loading: false,
      measured: !place.inMemory,
      refused: false,
      lastUsed: ++this.#clock,
      pinned: place.inMemory,
    }
    const { length, holders } = this.#index.match(tokens)
    for (const older of holders) if (older.length === length) older.lastUsed = 0
    this.#index.extend(snapshot, tokens)
    this.#byKey.set(snapshot.key, snapshot)
    return snapshot
  }

  /** The longest usable prefix; of equals one in memory. Marks it used. */
  match(tokens: readonly number[], limit: number): SnapshotMatch | undefined {
    const { length, holders } = this.#index.match(tokens, limit)
    if (length === 0) return undefined
    const best = [...holders].reduce((a, b) => (rank(b) > rank(a) ? b : a))
    return { snapshot: best, length }
  }

  /** The longest that is wholly a prefix. */
  matchWhole(tokens: readonly number[], limit: number): SnapshotMatch | undefined {
    let best: Snapshot | undefined
    for (const snapshot of this.#byKey.values()) {
      if (snapshot.length > limit || (best && snapshot.length <= best.length)) continue
      if (this.#index.tokensOf(snapshot).every((token, i) => token === tokens[i])) best = snapshot
    }
    return best && { snapshot: best, length: best.length }
  }

  /** The real size, once it is known; later estimates follow it. */
  measure(snapshot: Snapshot, bytes: number): void {
    if (bytes === 0) return
    snapshot.bytes = bytes
    snapshot.measured = true
    this.#bytesPerToken = bytes / snapshot.length
  }

  touch(snapshot: Snapshot): void {
    snapshot.lastUsed = ++this.#clock
    snapshot.pinned = snapshot.inMemory
  }

  remove(key: number): void {
    const snapshot = this.#byKey.get(key)
    if (!snapshot) return
    this.#index.delete(snapshot)
    this.#byKey.delete(key)
  }

  unpinAll(): void {
    for (const snapshot of this.#byKey.values()) snapshot.pinned = false
  }

  /** Least recently used first, until memory is within its limit: these leave memory (the caller writes them to disk or drops them). */
  overflow(): Snapshot[] {
    let excess = this.memoryBytes - this.memoryLimit
    if (excess <= 0) return []
    const candidates = [...this.#byKey.values()].filter((s) => s.inMemory && !s.pinned).toSorted((a, b) => a.lastUsed - b.lastUsed)
    const leaving: Snapshot[] = []
    for (const snapshot of candidates) {
      if (excess <= 0) break
      leaving.push(snapshot)
      excess -= snapshot.bytes
    }
    return leaving
  }
}

function rank(snapshot: Snapshot): number {
  return (snapshot.inMemory ? 2 : snapshot.loading ? 1 : 0) * 1e9 - snapshot.length
}
