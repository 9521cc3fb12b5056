import type { JSX } from 'react'
import type { DeploymentState } from '../../../src/shared/api.ts'
import { classNames } from './ui/class-names.ts'

const colours: Record<DeploymentState, string> = {
  ready: 'bg-good',
  starting: 'bg-warning animate-pulse',
  draining: 'bg-warning animate-pulse',
  failed: 'bg-danger',
  stopped: 'bg-faint',
}

/** Decoration: the word stands beside it. */
export function StateDot({ state }: { state: DeploymentState }): JSX.Element {
  return <span aria-hidden="true" className={classNames('inline-block size-2 shrink-0 rounded-full', colours[state])} />
}
