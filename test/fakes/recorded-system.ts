/** A machine made of recorded files and command outputs, for the hardware probes. */
import type { System } from '../../src/hardware/system.ts'

export interface Recording {
  platform?: NodeJS.Platform
  arch?: string
  files?: Readonly<Record<string, string>>
  /** By `command arg arg …`, or by the command alone. A number is an exit code. */
  commands?: Readonly<Record<string, string | number>>
  totalMemory?: number
  freeMemory?: number
  cores?: number
}

export function recordedSystem(recording: Recording = {}): System {
  const { files = {}, commands = {} } = recording
  return {
    platform: recording.platform ?? 'linux',
    arch: recording.arch ?? 'x64',
    run: async (command, args) => {
      const answer = commands[[command, ...args].join(' ')] ?? commands[command] ?? 127
      if (typeof answer === 'number') return { code: answer, stdout: '', stderr: 'failed', timedOut: false }
      return { code: 0, stdout: answer, stderr: '', timedOut: false }
    },
    readText: async (file) => files[file],
    statfs: async (path) => {
      if (path !== '/') throw new Error('ENOENT')
      return { bsize: 4096, blocks: 1000, bavail: 500 }
    },
    totalMemory: () => recording.totalMemory ?? 16_000_000_000,
    freeMemory: () => recording.freeMemory ?? 8_000_000_000,
    cpus: () => Array.from({ length: recording.cores ?? 4 }, () => ({ model: 'Some CPU' })),
  }
}
