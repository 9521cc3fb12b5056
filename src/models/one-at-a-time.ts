/** Work on the same thing one after the other: within this process by waiting, between processes by a lock file. */
import { acquirePullLock } from './pull-lock.ts'

const lines = new Map<string, Promise<unknown>>()

/** `file`: of the lock. Throws what `work` throws, and the signal's reason while it waits for another process. */
export async function oneAtATime<T>(file: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const before = lines.get(file) ?? Promise.resolve()
  const mine = before.then(async () => {
    signal?.throwIfAborted()
    const release = await acquirePullLock(file, signal ? { signal } : {})
    try {
      return await work()
    } finally {
      await release()
    }
  })
  const settled = mine.catch(() => {})
  lines.set(file, settled)
  try {
    return await mine
  } finally {
    if (lines.get(file) === settled) lines.delete(file)
  }
}
