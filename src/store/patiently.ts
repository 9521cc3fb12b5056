import { setTimeout as sleep } from 'node:timers/promises'
import { isBusy } from './sqlite-database.ts'

/** Milliseconds between two attempts. */
const PAUSE_MS = 50

/** Tries again, for `patienceMs` at most, while another process holds the file; what failed for that has had no effect. Throws what the last attempt threw. */
export async function patiently<Result>(patienceMs: number, work: () => Promise<Result>): Promise<Result> {
  for (let waited = 0; ; waited += PAUSE_MS) {
    try {
      return await work()
    } catch (error) {
      if (!isBusy(error) || waited >= patienceMs) throw error
    }
    await sleep(PAUSE_MS)
  }
}
