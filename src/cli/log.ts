/** The log of the command line: a file in the data folder, and for people on stderr what matters to them. */
import { appendFileSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'
import { ensureFolder } from '../base/ensure-folder.ts'
import { LOG_LEVELS, createLogger, formatLogEntry } from '../base/logger.ts'
import type { LogEntry, LogLevel, Logger } from '../base/logger.ts'
import type { TextSink } from './io.ts'

export interface LogOptions {
  folder: string
  level: LogLevel
  /** Entries of this level and above also go to stderr; absent = none. */
  stderr?: { sink: TextSink; level: LogLevel }
}

/** A log that grew beyond this is set aside at the next start, and one such is kept. */
const ROTATE_BYTES = 10_000_000

export function logFileIn(folder: string): string {
  return path.join(folder, 'bendi.log')
}

/** The file appears with the first entry. */
export function createCliLogger({ folder, level, stderr }: LogOptions): Logger {
  const file = logFileIn(folder)
  let isOpen = false
  const sink = (entry: LogEntry): void => {
    const line = `${formatLogEntry(entry)}\n`
    if (stderr && LOG_LEVELS.indexOf(entry.level) >= LOG_LEVELS.indexOf(stderr.level)) stderr.sink.write(line)
    try {
      if (!isOpen) openLog(folder, file)
      isOpen = true
      appendFileSync(file, line, { mode: 0o600 })
    } catch {
      // A log that cannot be written must not stop what it tells about.
    }
  }
  return createLogger({ level, sink })
}

function openLog(folder: string, file: string): void {
  ensureFolder(folder, 0o700)
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > ROTATE_BYTES) renameSync(file, `${file}.old`)
}
