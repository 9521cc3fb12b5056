/** How many requests one deployment takes at once. Fairness among them is the engine's; here the crowd is only bounded. */
import { AppError } from '../shared/errors.ts'

export interface Crowd {
  /** Requests that are running or waiting now. */
  users: number
  /** Requests that can run at the same time; 1 until it is known. */
  parallel: number
}

export function canAdmit(crowd: Crowd, maxWaiting: number): boolean {
  return crowd.users < crowd.parallel + maxWaiting
}

/** Throws `queue-full`. */
export function assertAdmissible(crowd: Crowd, maxWaiting: number): void {
  if (!canAdmit(crowd, maxWaiting)) throw new AppError('queue-full', { waiting: Math.max(0, crowd.users - crowd.parallel) })
}
