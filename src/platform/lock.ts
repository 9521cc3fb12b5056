/**
 * One owner of a data folder at a time. The lock file says who: a server (with its address, once it listens), or a command that changes
 * the library. It appears and changes as a whole (link and rename), and only its user can read it, for it holds the local token.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { ensureFolder } from '../base/ensure-folder.ts'
import { createClient } from '../shared/client.ts'
import { AppError } from '../shared/errors.ts'

const LockContentSchema = z.object({
  pid: z.number().int().positive(),
  /** Which command holds it, e.g. `serve`. */
  command: z.string(),
  /** When, in ms since 1970. */
  since: z.number(),
  token: z.string(),
  /** When the process began, as its operating system counts; tells a new process with the same pid apart. */
  processStart: z.string().optional(),
  /** e.g. `http://127.0.0.1:8400`; absent while it does not listen. */
  address: z.string().optional(),
})
export type LockContent = z.infer<typeof LockContentSchema>

export interface HomeLock {
  content: LockContent
  /** Tells everybody where the server listens. Throws `folder-not-writable`. */
  publish(address: string): Promise<void>
  /** Idempotent; leaves a lock of somebody else alone. */
  release(): Promise<void>
}

export interface LockOptions {
  /** `paths.lockFile`. */
  file: string
  command: string
  pid?: number
  now?: () => number
  isAlive?: (pid: number) => boolean
  processStartOf?: (pid: number) => string | undefined
  /** Asks the address for its status: the pid that answers, `silent` when it does not answer in time, or undefined when nobody is there. */
  askPid?: (address: string) => Promise<number | 'silent' | undefined>
}

export type LockAttempt = { lock: HomeLock } | { holder: LockContent }

const TAKEOVER_STALE_MS = 10_000
const ASK_TIMEOUT_MS = 2000

/** Takes the lock, or says who has it. The lock of a process that is gone is taken over. Throws `folder-not-writable`. */
export async function tryLock(options: LockOptions): Promise<LockAttempt> {
  const folder = path.dirname(options.file)
  return writing(folder, async () => {
    ensureFolder(folder, 0o700)
    return attempt(options)
  })
}

/** Throws `folder-not-writable` for what the user can mend; whatever else fails is ours. */
async function writing<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = codeOf(error)
    if (code === undefined || !UNWRITABLE.has(code)) throw error
    throw new AppError('folder-not-writable', { path: folder, reason: code }, { cause: error })
  }
}

const UNWRITABLE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR', 'ENOENT', 'EEXIST'])

async function attempt(options: LockOptions): Promise<LockAttempt> {
  const content = newContent(options)
  for (;;) {
    if (await create(options.file, content)) return { lock: heldLock(options.file, content) }
    const holder = await readLock(options.file)
    if (holder && (await isHeld(holder, options))) return { holder }
    if (await pathExists(options.file)) await removeStale(options.file, holder)
  }
}

/** Who holds the lock now; undefined when nobody does, or only somebody who is gone. */
export async function findHolder(options: Omit<LockOptions, 'command'>): Promise<LockContent | undefined> {
  const holder = await readLock(options.file)
  return holder && (await isHeld(holder, options)) ? holder : undefined
}

function newContent({ command, pid = process.pid, now = Date.now, processStartOf = startOfProcess }: LockOptions): LockContent {
  const processStart = processStartOf(pid)
  return { pid, command, since: now(), token: randomBytes(24).toString('base64url'), ...(processStart ? { processStart } : {}) }
}

function heldLock(file: string, content: LockContent): HomeLock {
  const lock: HomeLock = {
    content,
    publish: (address) => {
      lock.content = { ...lock.content, address }
      return writing(path.dirname(file), async () => rename(await writeDraft(file, lock.content), file))
    },
    release: async () => {
      const current = await readLock(file)
      if (current?.token === content.token) await rm(file, { force: true })
    },
  }
  return lock
}

async function readLock(file: string): Promise<LockContent | undefined> {
  try {
    return LockContentSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return undefined
  }
}

/** `link` fails when the name exists, and what appears is complete. Where there are no hard links, `wx` does the first half. */
async function create(file: string, content: LockContent): Promise<boolean> {
  const draft = await writeDraft(file, content)
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    return await createExclusively(file, content)
  } finally {
    await rm(draft, { force: true })
  }
}

async function createExclusively(file: string, content: LockContent): Promise<boolean> {
  try {
    await writeFile(file, JSON.stringify(content), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

async function writeDraft(file: string, content: LockContent): Promise<string> {
  const draft = `${file}.${content.pid}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, JSON.stringify(content), { flag: 'wx', mode: 0o600 })
  await chmod(draft, 0o600)
  return draft
}

async function isHeld(holder: LockContent, options: Omit<LockOptions, 'command'>): Promise<boolean> {
  const { isAlive = processIsAlive, processStartOf = startOfProcess, askPid = askForPid } = options
  if (!isAlive(holder.pid)) return false
  const start = processStartOf(holder.pid)
  if (holder.processStart && start) return holder.processStart === start
  if (!holder.address) return true
  // The pid may belong to another program by now; then its address does not answer with it.
  const answer = await askPid(holder.address)
  return answer === 'silent' || answer === holder.pid
}

/**
 * Removes a lock whose owner is gone. Two processes may find it at once; without a guard the slower one would delete the lock that the
 * faster one has just made. So the look and the removal happen under a second file.
 */
async function removeStale(file: string, stale: LockContent | undefined): Promise<void> {
  const guard = `${file}.takeover`
  if (!(await createGuard(guard))) return waitForGuard(guard)
  try {
    const current = await readLock(file)
    if (current?.token === stale?.token) await rm(file, { force: true })
  } finally {
    await rm(guard, { force: true })
  }
}

async function createGuard(guard: string): Promise<boolean> {
  try {
    await writeFile(guard, '', { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** It lives for milliseconds; an old one was left by a crash. */
async function waitForGuard(guard: string): Promise<void> {
  const made = await stat(guard).then(
    (info) => info.mtimeMs,
    () => undefined,
  )
  if (made !== undefined && Date.now() - made > TAKEOVER_STALE_MS) await rm(guard, { force: true })
  await new Promise((resolve) => setTimeout(resolve, 20))
}

async function askForPid(address: string): Promise<number | 'silent' | undefined> {
  const signal = AbortSignal.timeout(ASK_TIMEOUT_MS)
  try {
    const status = await createClient({ baseUrl: address }).call('status', { signal })
    return status.pid
  } catch {
    return signal.aborted ? 'silent' : undefined
  }
}

function processIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** Linux: the boot and field 22 of /proc/PID/stat (clock ticks since boot). Elsewhere unknown. */
function startOfProcess(pid: number): string | undefined {
  const file = `/proc/${pid}/stat`
  if (!existsSync(file)) return undefined
  try {
    const afterName = readFileSync(file, 'utf8').split(') ').at(-1) ?? ''
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${afterName.split(' ')[19] ?? ''}`
  } catch {
    return undefined
  }
}

async function pathExists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
