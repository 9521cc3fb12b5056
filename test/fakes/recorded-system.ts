/** A machine made of recorded files and command outputs, for the hardware probes. */
import type { CommandResult } from '../../src/base/child-process.ts'
import type { System } from '../../src/hardware/system.ts'

export interface Recording {
  platform?: NodeJS.Platform
  arch?: string
  files?: Readonly<Record<string, string>>
  /** By `command arg arg …`, or by the command alone. A number is an exit code; `hangs` never ends. */
  commands?: Readonly<Record<string, string | number | Partial<CommandResult> | 'hangs'>>
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
      if (answer === 'hangs') return new Promise<CommandResult>(() => {})
      if (typeof answer === 'number') return { code: answer, stdout: '', stderr: 'failed', timedOut: false }
      if (typeof answer === 'object') return { code: 0, stdout: '', stderr: '', timedOut: false, ...answer }
      return { code: 0, stdout: answer, stderr: '', timedOut: false }
    },
    readText: async (file) => files[file],
    readFolder: async (folder) => {
      const inside = Object.keys(files).filter((file) => file.startsWith(`${folder}/`))
      return [...new Set(inside.map((file) => file.slice(folder.length + 1).split('/')[0] ?? ''))]
    },
    statfs: async (path) => {
      if (path !== '/') throw new Error('ENOENT')
      return { bsize: 4096, blocks: 1000, bavail: 500 }
    },
    totalMemory: () => recording.totalMemory ?? 16_000_000_000,
    freeMemory: () => recording.freeMemory ?? 8_000_000_000,
    cpus: () => Array.from({ length: recording.cores ?? 4 }, () => ({ model: 'Some CPU' })),
  }
}
