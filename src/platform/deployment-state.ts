/**
 * The states of a deployment, as a pure table.
 *
 *   stopped ──start──▶ starting ──started──▶ ready ──drain──▶ draining ──stopped──▶ stopped
 *      ▲                 │    ▲                │
 *      │                 │    └───restarting───┤           (the engine's process died and comes back by itself)
 *   (again by start)   failed ◀────fail────────┘
 */
import type { DeploymentState } from '../shared/api.ts'

export const DEPLOYMENT_EVENTS = ['start', 'started', 'restarting', 'fail', 'drain', 'stopped'] as const
export type DeploymentEvent = (typeof DEPLOYMENT_EVENTS)[number]

const table: Record<DeploymentState, Partial<Record<DeploymentEvent, DeploymentState>>> = {
  stopped: { start: 'starting' },
  starting: { started: 'ready', fail: 'failed', drain: 'draining' },
  ready: { restarting: 'starting', fail: 'failed', drain: 'draining' },
  draining: { stopped: 'stopped' },
  failed: { start: 'starting', stopped: 'stopped' },
}

/** The state after an event; undefined when the event cannot happen there. */
export function nextState(state: DeploymentState, event: DeploymentEvent): DeploymentState | undefined {
  return table[state][event]
}
