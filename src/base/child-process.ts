/** Runs a short program and collects what it prints. For programs that live long, see the engines. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

export interface CommandOptions {
  /** Killed after this many ms (SIGTERM, then SIGKILL). Default: none. */
  timeoutMs?: number
  signal?: AbortSignal
  /** The whole environment; absent means ours. */
  env?: Readonly<Record<string, string | undefined>>
  cwd?: string
  /** Of stdout and of stderr each; more is cut off. Default 8 MB. */
  maxOutputBytes?: number
  /** Each piece as it arrives, for progress. */
  onOutput?: (text: string) => void
}

export interface CommandResult {
  /** Exit code; 127 when there is no such program, 128 + n when signal n ended it. */
  code: number
  stdout: string
  stderr: string
  timedOut: boolean
}

/** How probes run programs; tests pass recorded outputs. */
export type CommandRunner = (command: string, args: readonly string[], options?: CommandOptions) => Promise<CommandResult>

const DEFAULT_MAX_OUTPUT_BYTES = 8_000_000
const KILL_AFTER_MS = 1000
const IS_WINDOWS = process.platform === 'win32'

/** None of them may outlive us, whether or not it listens. */
const running = new Set<ChildProcess>()
process.once('exit', () => running.forEach((child) => killAll(child, 'SIGKILL')))

/**
 * Runs `command` without a shell and without stdin. Never rejects for what the program does (see `code`); rejects with the
 * signal's reason when aborted. A program that has to be ended takes with it what it started.
 */
export const runCommand: CommandRunner = (command, args, options = {}) => {
  const { timeoutMs, signal, env, cwd, maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES, onOutput } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const child = spawn(command, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      // A process group of its own, for `killAll`.
      detached: !IS_WINDOWS,
      ...(env ? { env } : {}),
      ...(cwd ? { cwd } : {}),
    })
    running.add(child)
    const stdout = collect(maxOutputBytes, onOutput)
    const stderr = collect(maxOutputBytes, onOutput)
    child.stdout.on('data', stdout.push)
    child.stderr.on('data', stderr.push)
    let timedOut = false
    let lastResort: NodeJS.Timeout | undefined
    const kill = (): void => {
      killAll(child, 'SIGTERM')
      lastResort = setTimeout(() => {
        killAll(child, 'SIGKILL')
        // Who left the group may hold the pipes open; we do not wait for it.
        child.stdout.destroy()
        child.stderr.destroy()
      }, KILL_AFTER_MS)
    }
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => ((timedOut = true), kill()), timeoutMs)
    signal?.addEventListener('abort', kill, { once: true })
    const finish = (code: number): void => {
      running.delete(child)
      clearTimeout(timer)
      clearTimeout(lastResort)
      signal?.removeEventListener('abort', kill)
      if (signal?.aborted) reject(signal.reason)
      else resolve({ code, stdout: stdout.text(), stderr: stderr.text(), timedOut })
    }
    child.once('error', (error) => {
      stderr.push(Buffer.from(error.message))
      finish(127)
    })
    child.once('close', (code, signalName) => finish(code ?? 128 + signalNumber(signalName)))
  })
}

/**
 * The same, but programs that are surely not there are not started: that costs a fork of ours (10 ms and more), and probes ask for the tools of
 * every vendor. `searchPath`: as PATH; absent means that it is not known.
 */
export function onlyWhatIsThere(run: CommandRunner, searchPath: string | undefined): CommandRunner {
  if (searchPath === undefined || IS_WINDOWS) return run
  const folders = searchPath.split(':')
  const isThere = (command: string): boolean => {
    if (path.isAbsolute(command)) return existsSync(command)
    if (command.includes('/')) return true
    return folders.some((folder) => !path.isAbsolute(folder) || existsSync(path.join(folder, command)))
  }
  return async (command, args, options) =>
    isThere(command) ? run(command, args, options) : { code: 127, stdout: '', stderr: `spawn ${command} ENOENT`, timedOut: false }
}

/** The program and what it started. */
function killAll(child: ChildProcess, signal: NodeJS.Signals): void {
  if (IS_WINDOWS || child.pid === undefined) return void child.kill(signal)
  try {
    process.kill(-child.pid, signal)
  } catch {
    // All of them have ended.
  }
}

function collect(limit: number, onOutput: ((text: string) => void) | undefined): { push(chunk: Buffer): void; text(): string } {
  const chunks: Buffer[] = []
  let size = 0
  return {
    push: (chunk) => {
      onOutput?.(chunk.toString('utf8'))
      if (size < limit) chunks.push(chunk.subarray(0, limit - size))
      size += chunk.length
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
  }
}

function signalNumber(name: NodeJS.Signals | null): number {
  return name === 'SIGKILL' ? 9 : name === 'SIGINT' ? 2 : 15
}
