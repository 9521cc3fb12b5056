/** Where a model's parts lie: what every placement answers. Bytes. */
import { PLAN_PARTS } from '../shared/plan.ts'
import type { PlanPart, PlanReport } from '../shared/plan.ts'
import type { Machine } from './machine.ts'
import type { ModelWeights } from './weights.ts'

export type PlacementName = PlanReport['placement']
export type DevicePart = PlanPart

/** One card, or ordinary memory. */
export interface PlacedDevice {
  name: string
  kind: 'gpu' | 'memory'
  node: number
  capacity: number
  /** What may be planned with; margins and what others use are off. */
  usable: number
  parts: Readonly<Record<DevicePart, number>>
  layers: number
  /** Weights without routed experts that each token reads here. */
  readAlways: number
  /** Share of the model's cache that lies here. */
  kvShare: number
  bandwidth: number | undefined
  flops: { low: number; high: number } | undefined
}

export interface Placed {
  name: PlacementName
  fits: boolean
  devices: readonly PlacedDevice[]
  /** Cards that take part in one layer together. */
  tensor: number
  pipeline: number
  /** Attention is copied to so many cards, each with its own users. */
  data: number
}

export interface PlacementInput {
  weights: ModelWeights
  /** Of all users together. */
  kvBytes: number
  computeBytes: number
  vocabulary: number
  machine: Machine
  /** Loads the draft weights too. */
  withDraft: boolean
}

export function usedBytes({ parts }: Pick<PlacedDevice, 'parts'>): number {
  return PLAN_PARTS.reduce((sum, part) => sum + parts[part], 0)
}

/** Nothing on it yet. */
export function noParts(): Record<DevicePart, number> {
  return { weights: 0, experts: 0, lookup: 0, draft: 0, kv: 0, compute: 0, overhead: 0 }
}

export function fitsAll(devices: readonly PlacedDevice[]): boolean {
  return devices.every((device) => usedBytes(device) <= device.usable)
}
