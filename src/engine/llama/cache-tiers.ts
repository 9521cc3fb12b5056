/**
 * Moves saved sequences between the tiers: what overflows memory goes to disk when it is worth it, what a waiting sequence wants
 * comes back, and while nobody is served all that the KV cache holds is written down for the next start.
 */
import type { Logger } from '../../base/logger.ts'
import type { Runner } from './batch.ts'
import type { DiskCache, DiskEntry } from './disk-cache.ts'
import type { Snapshot, SnapshotStore } from './snapshot-store.ts'

export interface CacheTiersOptions {
  snapshots: SnapshotStore
  runner: Pick<Runner, 'savedBytes' | 'savedBlob' | 'addBlob' | 'dropBlob'>
  disk: DiskCache | undefined
  logger: Logger
}

/** Shorter prefixes are computed again sooner than they are read. */
const MIN_DISK_TOKENS = 64

export class CacheTiers {
  readonly #options: CacheTiersOptions
  readonly #names = new Map<number, string>()
  readonly #writing = new Set<Snapshot>()
  #disk: DiskCache | undefined

  constructor(options: CacheTiersOptions) {
    this.#options = options
    this.#disk = options.disk
  }

  get diskBytes(): number {
    return this.#disk?.bytes ?? 0
  }

  /** Makes known what earlier runs left on disk. */
  async open(window: number): Promise<void> {
    for (const entry of await this.#openDisk()) {
      if (entry.tokens.length > window) continue
      const snapshot = this.#options.snapshots.add(entry.tokens, { inMemory: false, onDisk: true, bytes: entry.bytes })
      this.#names.set(snapshot.key, entry.name)
    }
  }

  /** A folder that cannot be used (a full or read-only disk) is done without. */
  async #openDisk(): Promise<DiskEntry[]> {
    try {
      return (await this.#disk?.open()) ?? []
    } catch (error) {
      this.#options.logger.warn('computed prompts are not kept on disk', { error })
      this.#disk = undefined
      return []
    }
  }

  /** Between two steps: real sizes, and memory back within its limit. What is worth it is first written to disk, in the background. */
  settle(): void {
    const { snapshots, runner } = this.#options
    for (const snapshot of snapshots.all) {
      if (!snapshot.measured) snapshots.measure(snapshot, runner.savedBytes(snapshot.key))
    }
    for (const snapshot of snapshots.overflow()) {
      if (this.#isWorthWriting(snapshot)) void this.#write(snapshot)
      else if (!this.#writing.has(snapshot)) this.#dropFromMemory(snapshot)
    }
  }

  /** The context has a shape now that can read nothing of what was saved. Files stay for the next start, which begins with the old shape. */
  forgetAll(): void {
    const { snapshots, runner } = this.#options
    for (const snapshot of snapshots.all) {
      runner.dropBlob(snapshot.key)
      // Those who were suspended still know it.
      snapshot.inMemory = false
      snapshots.remove(snapshot.key)
    }
    this.#names.clear()
    this.#disk = undefined
  }

  /** Reads a snapshot that a waiting sequence wants. Afterwards it is in memory, or gone. */
  async fetch(snapshot: Snapshot): Promise<void> {
    const { runner, snapshots } = this.#options
    const name = this.#names.get(snapshot.key)
    snapshot.loading = true
    const blob = name === undefined ? undefined : await this.#disk?.read(name)
    snapshot.loading = false
    if (snapshots.get(snapshot.key) !== snapshot) return
    if (!blob) {
      this.#names.delete(snapshot.key)
      return snapshots.remove(snapshot.key)
    }
    runner.addBlob(snapshot.key, blob)
    snapshot.inMemory = true
    snapshots.touch(snapshot)
  }

  /** Writes one more snapshot to disk; false when nothing is left to write. */
  async writeOne(): Promise<boolean> {
    const next = [...this.#options.snapshots.all].find((snapshot) => this.#isWorthWriting(snapshot))
    if (next) await this.#write(next)
    return next !== undefined
  }

  #isWorthWriting(snapshot: Snapshot): boolean {
    if (!this.#disk || !snapshot.inMemory || snapshot.onDisk || snapshot.refused || this.#writing.has(snapshot)) return false
    return snapshot.length >= MIN_DISK_TOKENS && snapshot.lastUsed > 0
  }

  async #write(snapshot: Snapshot): Promise<void> {
    const blob = this.#options.runner.savedBlob(snapshot.key)
    if (!blob) return
    this.#writing.add(snapshot)
    try {
      const written = await this.#disk?.write(this.#options.snapshots.tokensOf(snapshot), blob)
      if (!written) throw new Error('larger than the limit of the disk tier')
      for (const name of written.evicted) this.#forget(name)
      this.#names.set(snapshot.key, written.name)
      snapshot.onDisk = true
    } catch (error) {
      snapshot.refused = true
      this.#options.logger.warn('a saved sequence was not written to disk', { error })
    } finally {
      this.#writing.delete(snapshot)
    }
  }

  #dropFromMemory(snapshot: Snapshot): void {
    this.#options.runner.dropBlob(snapshot.key)
    snapshot.inMemory = false
    if (!snapshot.onDisk) this.#options.snapshots.remove(snapshot.key)
  }

  /** A file is gone: its snapshots live on only where they are in memory. */
  #forget(name: string): void {
    for (const [key, known] of this.#names) {
      if (known !== name) continue
      this.#names.delete(key)
      const snapshot = this.#options.snapshots.get(key)
      if (!snapshot) continue
      snapshot.onDisk = false
      if (!snapshot.inMemory && !snapshot.loading) this.#options.snapshots.remove(key)
    }
  }
}
