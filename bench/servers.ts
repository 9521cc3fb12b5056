/** The real bendi and the real llama-server, as child processes behind the same HTTP. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Server {
  /** The column in the table. */
  name: string
  base: string
  stop(): Promise<void>
}

export interface ServerSettings {
  file: string
  /** Requests at once, and tokens that each may use. */
  parallel: number
  context: number
  threads: number
}

export interface BendiSettings extends ServerSettings {
  name?: string
  /** More flags, e.g. `--no-speculation`. */
  flags?: readonly string[]
  /** A data folder that outlives this server; otherwise a new one, deleted at its end. */
  home?: string
}

/** What must not outlive us, however we end. */
const children = new Set<ChildProcess>()
process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')))

const START_TIMEOUT_MS = 180_000
const root = fileURLToPath(new URL('..', import.meta.url))

/** `bin/bendi.js serve` of this tree (build it first). Its log stays in the temporary folder when it does not start. */
export async function startBendi({ name = 'bendi', file, parallel, context, threads, flags = [], home }: BendiSettings): Promise<Server> {
  const port = await freePort()
  const own = home ?? mkdtempSync(path.join(os.tmpdir(), 'bendi-bench-'))
  const sizes = ['--parallel', String(parallel), '--context', String(context), '--threads', String(threads)]
  const args = [path.join(root, 'bin', 'bendi.js'), 'serve', '--model', `file:${file}`, '--port', String(port), ...sizes, ...flags]
  const server = await start({ name, command: process.execPath, args, port, ready: '/ready', env: { ...process.env, BENDI_HOME: own } })
  return {
    ...server,
    stop: async () => {
      await server.stop()
      if (home === undefined) rmSync(own, { recursive: true, force: true })
    },
  }
}

/** llama-server of `shared/tools/peer-llama-server.sh`, in one of its two KV settings. */
export async function startPeer(folder: string, unified: boolean, { file, parallel, context, threads }: ServerSettings): Promise<Server> {
  const port = await freePort()
  const sizes = ['-np', String(parallel), '-c', String(parallel * context), '-t', String(threads), '-tb', String(threads)]
  const args = ['-m', file, '--host', '127.0.0.1', '--port', String(port), ...sizes, unified ? '--kv-unified' : '--no-kv-unified']
  const name = unified ? 'llama-server unified' : 'llama-server split'
  return start({ name, command: path.join(folder, 'llama-server'), args, port, ready: '/health', env: process.env })
}

/** The folder given, or BENDI_PEER_BIN, or where the tool puts it; undefined when there is no llama-server. */
export function findPeer(given: string | undefined): string | undefined {
  const cache = process.env['XDG_CACHE_HOME'] || path.join(os.homedir(), '.cache')
  const folder = given ?? process.env['BENDI_PEER_BIN'] ?? path.join(cache, 'bendi-peers', 'llama.cpp-3.22.1', 'build-peer', 'bin')
  return existsSync(path.join(folder, 'llama-server')) ? folder : undefined
}

interface Start {
  name: string
  command: string
  args: readonly string[]
  port: number
  ready: string
  env: NodeJS.ProcessEnv
}

async function start({ name, command, args, port, ready, env }: Start): Promise<Server> {
  const log = path.join(mkdtempSync(path.join(os.tmpdir(), 'bendi-bench-log-')), 'server.log')
  const output = openSync(log, 'a')
  const child = spawn(command, args, { stdio: ['ignore', output, output], env })
  children.add(child)
  child.once('exit', () => children.delete(child))
  const server = { name, base: `http://127.0.0.1:${port}`, stop: () => stop(child) }
  try {
    await untilReady(child, `${server.base}${ready}`)
  } catch (error) {
    await server.stop()
    throw new Error(`${name} did not start; its log is ${log}`, { cause: error })
  }
  return server
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`)
    const answered = await fetch(url)
      .then((response) => response.ok)
      .catch(() => false)
    if (answered) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`${url} was not ready after ${START_TIMEOUT_MS} ms`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(timer)
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no free port')
  return address.port
}
