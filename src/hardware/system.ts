/** What probes may touch; tests hand in recorded outputs. */
import { readFile as readFileFromDisk, statfs as statfsOfDisk } from 'node:fs/promises'
import os from 'node:os'

import { runCommand } from '../base/child-process.ts'
import type { CommandRunner } from '../base/child-process.ts'

export interface System {
  platform: NodeJS.Platform
  arch: string
  run: CommandRunner
  /** Undefined when there is no such file, or it cannot be read. */
  readText(file: string): Promise<string | undefined>
  statfs(path: string): Promise<{ bsize: number; blocks: number; bavail: number }>
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
  statfs: (path) => statfsOfDisk(path),
  totalMemory: () => os.totalmem(),
  freeMemory: () => os.freemem(),
  cpus: () => os.cpus(),
}

/** stdout of a program that ended well in time, else undefined. */
export async function output(system: System, command: string, args: readonly string[]): Promise<string | undefined> {
  const result = await system.run(command, args, { timeoutMs: PROBE_TIMEOUT_MS }).catch(() => undefined)
  return result !== undefined && result.code === 0 && !result.timedOut ? result.stdout : undefined
}
