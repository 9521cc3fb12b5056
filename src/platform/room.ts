/** Memory: what is free for one more deployment, and whom to stop for it. Pure. */
import type { Hardware } from '../shared/api.ts'

export interface Holder {
  /** Memory it holds or has reserved. */
  bytes: number
  lastUsedAt: number
  /** Nobody uses it now. */
  isIdle: boolean
  /** It was asked for by the user to stay; such a one goes last. */
  isPinned: boolean
}

/**
 * Bytes free for one more deployment. `budget` is what was available when no deployment ran: weights may be mapped from the file,
 * and the kernel goes on counting those as available, so the live number alone would let two models take the same memory.
 */
export function freeBytes(availableNow: number, budget: number, holders: readonly Holder[]): number {
  return Math.max(0, Math.min(availableNow, budget - heldBytes(holders)))
}

export function heldBytes(holders: readonly Holder[]): number {
  return holders.reduce((sum, holder) => sum + holder.bytes, 0)
}

/** Those that may be stopped, the best to stop first: least recently used, and what the user asked to stay last. */
export function evictionOrder<H extends Holder>(holders: readonly H[]): H[] {
  return holders
    .filter((holder) => holder.isIdle)
    .toSorted((a, b) => Number(a.isPinned) - Number(b.isPinned) || a.lastUsedAt - b.lastUsedAt)
}

/** The same machine with this much memory available; `gpusFree` imagines its GPUs empty. */
export function withAvailable(hardware: Hardware, availableBytes: number, gpusFree = false): Hardware {
  const gpus = gpusFree ? hardware.gpus.map((gpu) => ({ ...gpu, freeBytes: gpu.memoryBytes })) : hardware.gpus
  return { ...hardware, gpus, memory: { ...hardware.memory, availableBytes: Math.floor(availableBytes) } }
}
