/** One pull of the same thing at a time on this machine: a lock file that names its process and is touched while it is held. */
import { mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { delay } from '../base/async.ts'

export interface PullLockOptions {
  signal?: AbortSignal
  /** Called once, when somebody else holds it. */
  onWait?: (pid: number) => void
  isAlive?: (pid: number) => boolean
  pid?: number
  /** Of this machine or container: elsewhere the number of a process says nothing. */
  host?: string
  now?: () => number
  pollMs?: number
}

const TOUCH_MS = 10_000
/** A lock that nobody touched for this long is of a process that is gone, even when another program has its number now. */
const STALE_MS = 60_000

/** Waits until nobody else holds the lock; answers how to release it. A lock of a process that is gone is taken over. */
export async function acquirePullLock(file: string, options: PullLockOptions = {}): Promise<() => Promise<void>> {
  const { signal, onWait, pid = process.pid, host = os.hostname(), pollMs = 250 } = options
  await mkdir(path.dirname(file), { recursive: true })
  let told = false
  for (;;) {
    signal?.throwIfAborted()
    if (await create(file, `${pid} ${host}`)) return hold(file, options.now ?? Date.now)
    const holder = await staleOrHolder(file, options)
    if (holder === 'stale') {
      await rm(file, { force: true })
      continue
    }
    if (!told) onWait?.(holder)
    told = true
    await delay(pollMs, signal)
  }
}

function hold(file: string, now: () => number): () => Promise<void> {
  const timer = setInterval(() => void utimes(file, now() / 1000, now() / 1000).catch(() => {}), TOUCH_MS)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await rm(file, { force: true })
  }
}

async function create(file: string, holder: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600)
    await handle.writeFile(holder)
    await handle.close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function staleOrHolder(
  file: string,
  { isAlive = isProcessAlive, pid = process.pid, host = os.hostname(), now = Date.now }: PullLockOptions,
): Promise<number | 'stale'> {
  const [text, status] = await Promise.all([readFile(file, 'utf8').catch(() => undefined), stat(file).catch(() => undefined)])
  // It was released in between.
  if (text === undefined || status === undefined) return 'stale'
  const [number, place = host] = text.split(' ')
  const holder = Number(number)
  if (now() - status.mtimeMs > STALE_MS) return 'stale'
  // Being written at this moment.
  if (text === '') return 0
  // Another container or machine with the same folder: only its touches tell that it lives.
  if (place !== host) return holder
  // Our own number: in containers a new process often has the number of the one before. Within a process pulls are shared, not locked.
  return holder === pid || !isAlive(holder) ? 'stale' : holder
}

function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
