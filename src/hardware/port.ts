/** Can a port be listened on, and if not, who does? */
import net from 'node:net'

import { answer } from './system.ts'
import type { System } from './system.ts'

export type PortState = 'free' | 'taken' | 'forbidden'

/** Opens and closes it at once. */
export function probePort(host: string, port: number): Promise<PortState> {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE' ? 'taken' : 'forbidden'))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve('free')))
  })
}

/** `name (pid 123)` of the program that listens on a TCP port; undefined when the system does not tell this user. */
export async function portOwner(system: System, port: number): Promise<string | undefined> {
  if (system.platform === 'win32') return windowsOwner(system, port)
  if (system.platform === 'linux') {
    const { stdout } = await answer(system, 'ss', ['-Hltnp', `sport = :${port}`])
    const match = /users:\(\("([^"]+)",pid=(\d+)/.exec(stdout)
    if (match) return `${match[1]} (pid ${match[2]})`
  }
  const { stdout } = await answer(system, 'lsof', ['-nP', '-Fpc', `-iTCP:${port}`, '-sTCP:LISTEN'])
  const [pid, name] = [/^p(\d+)$/m.exec(stdout)?.[1], /^c(.+)$/m.exec(stdout)?.[1]]
  return pid && name ? `${name} (pid ${pid})` : undefined
}

async function windowsOwner(system: System, port: number): Promise<string | undefined> {
  const { stdout } = await answer(system, 'netstat', ['-ano', '-p', 'TCP'])
  const pid = new RegExp(`:${port}\\s+\\S+\\s+LISTENING\\s+(\\d+)`).exec(stdout)?.[1]
  return pid && `pid ${pid}`
}
