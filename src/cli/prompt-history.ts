/** What was typed in `bendi run`, for the arrow keys; a file that only its user can read. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ensureFolder } from '../base/ensure-folder.ts'

const KEPT_LINES = 1000

/** Newest first, as node:readline wants it. */
export function readHistory(home: string): string[] {
  const file = historyFile(home)
  const lines = readLines(file)
  const kept = lines.slice(-KEPT_LINES)
  if (lines.length > 2 * KEPT_LINES) writeKept(file, kept)
  return kept.toReversed()
}

function writeKept(file: string, lines: readonly string[]): void {
  try {
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  } catch {
    // It stays long, e.g. in a folder that may only be read.
  }
}

/** A history that cannot be written is no reason to stop a conversation. */
export function addToHistory(home: string, line: string): void {
  try {
    ensureFolder(home, 0o700)
    appendFileSync(historyFile(home), `${line}\n`, { mode: 0o600 })
  } catch {
    // e.g. a full disk
  }
}

function historyFile(home: string): string {
  return path.join(home, 'run-history')
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean)
  } catch {
    return []
  }
}
