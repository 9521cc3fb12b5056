/**
 * Counts the cells of a unified KV cache, where a copied prefix is shared and not copied.
 *
 * A segment is a run of cells that one slot wrote. A slot's path is a list of segments, each used up to some length; a segment
 * occupies as many cells as its furthest user reaches.
 *
 *   slot 0: [segment a: 6 of 6]                      slot 1 copied 4 tokens from slot 0 and wrote 3 of its own:
 *   slot 1: [segment a: 4 of 6] [segment b: 3 of 3]  6 + 3 = 9 cells in all
 */
import type { Slot } from './batch.ts'

interface Segment {
  users: Map<Slot, number>
}

export class CellLedger {
  readonly total: number
  #paths = new Map<Slot, Segment[]>()
  #used = 0

  constructor(total: number) {
    this.total = total
  }

  get used(): number {
    return this.#used
  }

  get free(): number {
    return this.total - this.#used
  }

  lengthOf(slot: Slot): number {
    return (this.#paths.get(slot) ?? []).reduce((sum, segment) => sum + (segment.users.get(slot) ?? 0), 0)
  }

  append(slot: Slot, count: number): void {
    if (count === 0) return
    const path = this.#paths.get(slot) ?? []
    this.#paths.set(slot, path)
    const last = path.at(-1)
    const reached = last?.users.get(slot) ?? 0
    if (last && reached === occupied(last)) last.users.set(slot, reached + count)
    else path.push({ users: new Map([[slot, count]]) })
    this.#used += count
  }

  /** `to`, which is empty, shares the first `length` cells of `from`. */
  share(from: Slot, to: Slot, length: number): void {
    const path: Segment[] = []
    let left = length
    for (const segment of this.#paths.get(from) ?? []) {
      if (left === 0) break
      const taken = Math.min(left, segment.users.get(from) ?? 0)
      segment.users.set(to, taken)
      path.push(segment)
      left -= taken
    }
    this.#paths.set(to, path)
  }

  /** Keeps the first `length` cells of a slot. */
  truncate(slot: Slot, length: number): void {
    const path = this.#paths.get(slot) ?? []
    let at = 0
    for (const segment of path) {
      const reached = segment.users.get(slot) ?? 0
      this.#setReach(segment, slot, Math.max(0, Math.min(reached, length - at)))
      at += reached
    }
    const rest = path.filter((segment) => segment.users.has(slot))
    if (rest.length > 0) this.#paths.set(slot, rest)
    else this.#paths.delete(slot)
  }

  /** Cells that become free when all slots that satisfy `leaves` are emptied. */
  usedOnlyBy(leaves: (slot: Slot) => boolean): number {
    const segments = new Set([...this.#paths.values()].flat())
    let count = 0
    for (const segment of segments) {
      let kept = 0
      for (const [slot, reach] of segment.users) if (reach > kept && !leaves(slot)) kept = reach
      count += occupied(segment) - kept
    }
    return count
  }

  #setReach(segment: Segment, slot: Slot, reach: number): void {
    const before = occupied(segment)
    if (reach === 0) segment.users.delete(slot)
    else segment.users.set(slot, reach)
    this.#used -= before - occupied(segment)
  }
}

function occupied(segment: Segment): number {
  let most = 0
  for (const reach of segment.users.values()) if (reach > most) most = reach
  return most
}
