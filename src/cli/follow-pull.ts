/** Starts a pull and shows its progress until it ends. */
import type { Config } from '../config/settings.ts'
import type { Model, StartPull } from '../shared/api.ts'
import { AppError, fromWireError } from '../shared/errors.ts'
import type { Backend } from './backend.ts'
import type { Output } from './output.ts'
import { createProgress } from './progress.ts'

export interface FollowPullOptions {
  backend: Backend
  output: Output
  columns: () => number
  signal: AbortSignal
  wishes?: Omit<StartPull, 'reference'>
}

/** What a server that runs already has to be told: its own settings are of another command line. */
export function pullSettings({ limitRate, context }: Config): Pick<StartPull, 'limitRate' | 'context'> {
  return { ...(limitRate ? { limitRate } : {}), ...(context === undefined ? {} : { context }) }
}

/** The model that has arrived. Aborting cancels the pull and keeps what has arrived; throws `cancelled` then, or why it failed. */
export async function followPull(reference: string, { backend, output, columns, signal, wishes = {} }: FollowPullOptions): Promise<Model> {
  const { id } = await backend.startPull(reference, wishes)
  const cancel = (): void => void backend.cancelPull(id).catch(() => {})
  if (signal.aborted) cancel()
  signal.addEventListener('abort', cancel, { once: true })
  const progress = createProgress({ output, columns })
  try {
    let isChoiceTold = false
    for await (const pull of backend.watchPull(id)) {
      if (pull.choice && !isChoiceTold) {
        isChoiceTold = true
        progress.end()
        output.note(pull.choice)
      }
      progress.show(pull)
      if (pull.state === 'done' && pull.model) return pull.model
      if (pull.state === 'failed' && pull.error) throw fromWireError(pull.error)
      if (pull.state === 'cancelled') throw new AppError('cancelled')
    }
    throw new AppError('connection-lost')
  } finally {
    signal.removeEventListener('abort', cancel)
    progress.end()
  }
}
