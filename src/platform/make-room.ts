/** Finds a plan that fits, stopping idle deployments one by one when it must. Never touches one that is busy. */
import { formatBytes } from '../base/bytes.ts'
import type { EngineSettings } from '../engine/engine.ts'
import type { Hardware, Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import type { DeploymentWishes } from './deployment.ts'
import { evictionOrder, freeBytes, heldBytes, withAvailable } from './room.ts'
import type { Holder } from './room.ts'

/** What the platform needs of the planner's answer. */
export interface DeploymentPlan {
  fits: boolean
  settings: Pick<EngineSettings, 'context' | 'parallel' | 'kvType' | 'kvBytes' | 'kvBytesPerToken' | 'cacheBytes' | 'gpuLayers'>
  /** Bytes. */
  memory: { total: number; available: number }
  /** The part of the total that is ordinary memory; the rest lies on a GPU, whose free memory is always measured. */
  hostBytes: number
  /** Tokens of the longest window that one request alone could have here. */
  largestContext?: number
  reason?: string
}

export type PlanDeployment = (model: Model, hardware: Hardware, wishes: DeploymentWishes) => Promise<DeploymentPlan>

export interface RoomMaker<H extends Holder> {
  probe(): Promise<Hardware>
  plan: PlanDeployment
  /** The other deployments that hold memory. */
  holders(): H[]
  evict(holder: H): Promise<void>
  /** Resolves when one of the holders changes, or rejects when nobody waits for this start any more. */
  holderChange(): Promise<void>
  /** Grows with every change of a holder, so that none is missed while planning. */
  version(): number
}

/** What was available when no deployment ran; measured again whenever that is so. */
export class MemoryBudget {
  #bytes = 0

  free(availableNow: number, holders: readonly Holder[]): number {
    if (heldBytes(holders) === 0 || availableNow > this.#bytes) this.#bytes = availableNow
    return freeBytes(availableNow, this.#bytes, holders)
  }
}

/** Throws `not-enough-memory` when not even an otherwise empty machine would do; waits for busy ones when it would. */
export async function makeRoom<H extends Holder>(
  model: Model,
  wishes: DeploymentWishes,
  budget: MemoryBudget,
  maker: RoomMaker<H>,
): Promise<DeploymentPlan> {
  for (;;) {
    const version = maker.version()
    const hardware = await maker.probe()
    const holders = maker.holders()
    const free = budget.free(hardware.memory.availableBytes, holders)
    const plan = await maker.plan(model, withAvailable(hardware, free), wishes)
    if (plan.fits) return plan
    const idle = evictionOrder(maker.holders())
    const fitsWithout = async (gone: readonly H[]): Promise<boolean> =>
      gone.length > 0 && (await maker.plan(model, withAvailable(hardware, free + heldBytes(gone), true), wishes)).fits
    if (await fitsWithout(idle)) await evictFirstIdle(idle, maker)
    else if (await fitsWithout(holders)) await (version === maker.version() && maker.holderChange())
    else throw notEnough(model, plan)
  }
}

/** The order was made before an `await`, so a request may have come in between. */
async function evictFirstIdle<H extends Holder>(order: readonly H[], maker: RoomMaker<H>): Promise<void> {
  const victim = order.find((holder) => holder.isIdle)
  if (victim) await maker.evict(victim)
}

function notEnough(model: Model, plan: DeploymentPlan): AppError {
  return new AppError('not-enough-memory', {
    model: model.name,
    needed: formatBytes(plan.memory.total),
    free: formatBytes(plan.memory.available),
  })
}
