/** Finds out who does a command's work: the server of this data folder when it is up, else this process. */
import { delay } from '../base/async.ts'
import type { LocalPlatform } from '../platform/create-platform.ts'
import { findHolder, tryLock } from '../platform/lock.ts'
import type { HomeLock, LockContent } from '../platform/lock.ts'
import { AppError } from '../shared/errors.ts'
import type { Backend } from './backend.ts'
import type { CommandContext } from './command.ts'
import { localBackend } from './local-backend.ts'
import { serverBackend } from './server-backend.ts'

const POLL_MS = 300

/**
 * `write`: this process owns the data folder while it works, so that no server starts meanwhile and no two commands write at once.
 * `read` needs no lock. Whatever it answers must be closed.
 */
export async function connect(context: CommandContext, access: 'read' | 'write'): Promise<Backend> {
  const holder = await findHolder({ file: context.paths.lockFile })
  if (holder?.address) return serverBackend(holder.address, context.output.language)
  if (access === 'read') return localBackend(await openLocalPlatform(context))
  const owned = await ownHome(context)
  if ('server' in owned) return serverBackend(owned.server.address, context.output.language)
  return localBackend(await openLocalPlatform(context, owned.lock))
}

export type Ownership = { lock: HomeLock } | { server: LockContent & { address: string } }

/** Takes the lock of the data folder, after other commands have finished; or finds that a server has it. */
export async function ownHome(context: CommandContext): Promise<Ownership> {
  const { paths, output, signal } = context
  let hasToldWaiting = false
  for (;;) {
    const attempt = await tryLock({ file: paths.lockFile, command: context.commandName })
    if ('lock' in attempt) return attempt
    const { holder } = attempt
    if (holder.address) return { server: { ...holder, address: holder.address } }
    if (!hasToldWaiting) {
      output.note({
        en: `Waiting for "bendi ${holder.command}" (pid ${holder.pid}), which uses this data folder …`,
        zh: `正在等待 "bendi ${holder.command}"（pid ${holder.pid}），它正在使用该数据目录……`,
      })
    }
    hasToldWaiting = true
    await delay(POLL_MS, signal).catch(() => {
      throw new AppError('cancelled')
    })
  }
}

/** The server's address, when one runs on this data folder. */
export async function runningServer(context: CommandContext): Promise<(LockContent & { address: string }) | undefined> {
  const holder = await findHolder({ file: context.paths.lockFile })
  return holder?.address ? { ...holder, address: holder.address } : undefined
}

export async function openLocalPlatform(context: CommandContext, lock?: HomeLock): Promise<LocalPlatform> {
  const { createPlatform } = await import('../platform/create-platform.ts')
  const { config, logger, version, services } = context
  try {
    return await createPlatform({
      // Saved KV caches belong to the owner of the folder.
      config: lock ? config : { ...config, kvSave: false },
      logger,
      version,
      ...(lock ? { lock } : {}),
      ...(services.createEngine ? { createEngine: services.createEngine } : {}),
    })
  } catch (error) {
    await lock?.release()
    throw error
  }
}
