/** Can a port be listened on? */
import net from 'node:net'

export type PortState = 'free' | 'taken' | 'forbidden'

/** Opens and closes it at once. */
export function probePort(host: string, port: number): Promise<PortState> {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE' ? 'taken' : 'forbidden'))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve('free')))
  })
}
