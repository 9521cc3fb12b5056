/** Which process listens on a port, for the message "port 8400 is taken by …". */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { runCommand } from '../base/child-process.ts'

export interface PortOwner {
  pid: number
  name: string
}

/** Undefined when it cannot be told, e.g. because the process is another user's. Never throws. */
export async function findPortOwner(port: number): Promise<PortOwner | undefined> {
  return (await ownerFromProc(port).catch(() => undefined)) ?? (await ownerFromLsof(port).catch(() => undefined))
}

/** Linux: the socket's inode from /proc/net/tcp, then the process that holds it open (proc(5)). */
async function ownerFromProc(port: number): Promise<PortOwner | undefined> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')))
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table, port)))
  if (inodes.size === 0) return undefined
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    if (!(await holdsSocket(pid, inodes))) continue
    const [name, commandLine] = await Promise.all(['comm', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')))
    return { pid: Number(pid), name: programName(name?.trim() ?? '', commandLine ?? '') }
  }
  return undefined
}

const LISTEN = '0A'

/** Inodes of the sockets that listen on a port; columns: sl, local address, remote address, state, queues, timer, retransmits, uid, timeout, inode. */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTEN && local?.endsWith(suffix))
    .flatMap((columns) => columns[9] ?? [])
}

async function holdsSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => [])
  const links = await Promise.all(descriptors.map((descriptor) => readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '')))
  return links.some((link) => inodes.has(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? ''))
}

/** A script's name says more than its interpreter's. `commandLine` has a NUL after each argument (proc(5)). */
export function programName(name: string, commandLine: string): string {
  const [interpreter = '', script = ''] = commandLine.split('\0').filter((argument) => !argument.startsWith('-'))
  const isNode = /(^|[\\/])node(\.exe)?$/.test(interpreter)
  return isNode && /(^|[\\/])bendi(\.js)?$/.test(script) ? 'bendi' : name
}

/** macOS and the BSDs. */
async function ownerFromLsof(port: number): Promise<PortOwner | undefined> {
  const { code, stdout } = await runCommand('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { timeoutMs: 2000 })
  return code === 0 ? parseLsof(stdout) : undefined
}

/** Lines `p<pid>` and `c<command>` (lsof(8), "OUTPUT FOR OTHER PROGRAMS"). */
export function parseLsof(output: string): PortOwner | undefined {
  const pid = /^p(\d+)$/m.exec(output)?.[1]
  const name = /^c(.+)$/m.exec(output)?.[1]
  return pid && name ? { pid: Number(pid), name } : undefined
}
