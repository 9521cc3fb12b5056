import { AppError } from '../shared/errors.ts'

/** Rejects with `cancelled` when aborted first; the work itself goes on, since others may wait for it. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  work.catch(() => {})
  if (signal.aborted) throw new AppError('cancelled')
  let onAbort = (): void => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(new AppError('cancelled'))
    signal.addEventListener('abort', onAbort, { once: true })
  })
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', onAbort))
}
