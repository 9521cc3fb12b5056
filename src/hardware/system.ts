/** What probes may touch; tests hand in recorded outputs. */
import { readFile as readFileFromDisk, readdir, statfs as statfsOfDisk } from 'node:fs/promises'
import os from 'node:os'

import { runCommand } from '../base/child-process.ts'
import type { CommandResult, CommandRunner } from '../base/child-process.ts'

export interface System {
  platform: NodeJS.Platform
  arch: string
  run: CommandRunner
  /** Undefined when there is no such file, or it cannot be read. */
  readText(file: string): Promise<string | undefined>
  /** Names in a folder; empty when there is none. */
  readFolder(folder: string): Promise<string[]>
  statfs(path: string): Promise<{ bsize: number; blocks: number; bavail: number; type?: number }>
  totalMemory(): number
  freeMemory(): number
  cpus(): readonly { model: string }[]
}

/** No probe takes longer. */
export const PROBE_TIMEOUT_MS = 3000

export const thisSystem: System = {
  platform: process.platform,
  arch: process.arch,
  run: runCommand,
  readText: (file) => readFileFromDisk(file, 'utf8').catch(() => undefined),
  readFolder: (folder) => readdir(folder).catch(() => []),
  statfs: (path) => statfsOfDisk(path),
  totalMemory: () => os.totalmem(),
  freeMemory: () => os.freemem(),
  cpus: () => os.cpus(),
}

/** stdout of a program that ended well in time, else undefined. */
export async function output(system: System, command: string, args: readonly string[]): Promise<string | undefined> {
  const result = await answer(system, command, args)
  return result.code === 0 && !result.timedOut ? result.stdout : undefined
}

/** What a program says, whether it ends well or not; code 127 when there is none. Never waits longer than a probe may. */
export async function answer(system: System, command: string, args: readonly string[]): Promise<CommandResult> {
  const failed = { code: 127, stdout: '', stderr: '', timedOut: false }
  const running = system.run(command, args, { timeoutMs: PROBE_TIMEOUT_MS, maxOutputBytes: 4_000_000 }).catch(() => failed)
  // A program that is stuck in its driver does not die of a signal: the answer must not wait for its end.
  return within(running, PROBE_TIMEOUT_MS, { ...failed, code: 124, timedOut: true })
}

/**
 * What a program prints that does not end by itself: until `isEnough`, or so many ms. Empty when there is none, or it says nothing.
 */
export async function sample(
  system: System,
  command: string,
  args: readonly string[],
  { ms, isEnough }: { ms: number; isEnough: (text: string) => boolean },
): Promise<string> {
  const controller = new AbortController()
  let seen = ''
  const onOutput = (piece: string): void => {
    if (seen.length < 100_000) seen += piece
    if (isEnough(seen)) controller.abort()
  }
  const options = { timeoutMs: ms, maxOutputBytes: 100_000, signal: controller.signal, onOutput }
  const running = system.run(command, args, options).then(
    // What was seen holds complaints too, and why a missing program did not start.
    ({ stdout, timedOut }) => (timedOut ? stdout || seen : stdout),
    () => seen,
  )
  return (await within(running, ms + 100, undefined)) ?? seen
}

/** The value of a promise, or `otherwise` when it takes longer. */
export async function within<T>(promise: Promise<T>, ms: number, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
