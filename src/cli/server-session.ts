/** A server in this process: the lock, the platform, the listening socket, and their end. Shared by `up` and `serve`. */
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { fileURLToPath } from 'node:url'
import type { LocalPlatform } from '../platform/create-platform.ts'
import type { HomeLock } from '../platform/lock.ts'
import type { Model } from '../shared/api.ts'
import { AppError, localizeError } from '../shared/errors.ts'
import type { CommandContext } from './command.ts'
import { openLocalPlatform, ownHome } from './connect.ts'

export interface ServerSession {
  platform: LocalPlatform
  address: string
  /** Drains for at most `DRAIN_MS`, stops everything, gives the data folder free. */
  close(): Promise<void>
}

/** Ctrl-C has to be over within 5 s, the end of the engines' processes included. */
const DRAIN_MS = 3_000
/** Answers that were cut at that time still have their last event to send. */
const LAST_WORDS_MS = 700

/** Takes the lock and listens. `first` is the model that `default` will be: who asks for it before it is here waits. Throws `server-running`, `port-in-use`, `non-loopback-host`. */
export async function startServer(context: CommandContext, first?: Promise<Model>): Promise<ServerSession> {
  const owned = await ownHome(context)
  if ('server' in owned) throw new AppError('server-running', { pid: owned.server.pid, address: owned.server.address })
  const platform = await openLocalPlatform(context, owned.lock)
  if (first) platform.expectDefault(first)
  try {
    return await listenFor(platform, owned.lock, context)
  } catch (error) {
    await platform.close(0)
    throw error
  }
}

async function listenFor(platform: LocalPlatform, lock: HomeLock, context: CommandContext): Promise<ServerSession> {
  const { config, logger, version, services } = context
  const [{ createApp }, { listen }] = await Promise.all([import('../server/app.ts'), import('../server/listen.ts')])
  const pageFolder = services.pageFolder ?? builtPage()
  const app = createApp({
    platform,
    logger,
    version,
    corsOrigins: config.corsOrigins,
    allowedHosts: () => [config.host],
    ...(pageFolder === undefined ? {} : { pageFolder }),
  })
  const listening = await withAnotherPort(context, (port) => listen(app, { host: config.host, port, logger }))
  await lock.publish(listening.address)
  services.onListening?.(listening.address)
  const close = async (): Promise<void> => {
    await Promise.all([listening.close(DRAIN_MS + LAST_WORDS_MS), platform.close(DRAIN_MS)])
  }
  return { platform, address: listening.address, close }
}

/** `dist/ui` of this package, once it is built. */
function builtPage(): string | undefined {
  const folder = fileURLToPath(new URL('../../dist/ui', import.meta.url))
  return existsSync(folder) ? folder : undefined
}

/** On a terminal a taken port is a question; elsewhere it is an error that names the next one. */
async function withAnotherPort<T>(context: CommandContext, attempt: (port: number) => Promise<T>): Promise<T> {
  let port = context.config.port
  for (;;) {
    try {
      return await attempt(port)
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'port-in-use') throw error
      const next = Number(error.data['next'])
      if (!(await wantsPort(error, next, context))) throw error
      port = next
    }
  }
}

async function wantsPort(error: AppError, next: number, { io, output, signal }: CommandContext): Promise<boolean> {
  if (!io.isTty.stdin || !output.isInteractive || !Number.isInteger(next)) return false
  output.note(localizeError(error, output.language).message)
  output.status(output.say({ en: `Use port ${next} instead? [Y/n] `, zh: `改用端口 ${next}？[Y/n] ` }))
  const answer = await askLine(io.stdin, signal)
  return /^(y|yes|是|)$/i.test(answer.trim())
}

async function askLine(input: NodeJS.ReadableStream, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input })
  try {
    return await lines.question('', { signal })
  } catch {
    throw new AppError('cancelled')
  } finally {
    lines.close()
  }
}

/** Resolves when the command is asked to end. */
export function untilStopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
