/** The data folder, wherever the user wants it. */
import { mkdirSync, statSync } from 'node:fs'
import path from 'node:path'

/**
 * Makes a folder with those above it; `mode` is of the new ones. Throws the system's error where a file is in the way or nothing may be made.
 * Node's `recursive: true` goes round for ever where the system says ENOENT of a folder whose parent is there, as Linux does in /proc.
 */
export function ensureFolder(folder: string, mode?: number): void {
  const missing = make(folder, mode)
  if (!missing) return
  if (path.dirname(folder) === folder) throw missing
  ensureFolder(path.dirname(folder), mode)
  const stillMissing = make(folder, mode)
  if (stillMissing) throw stillMissing
}

/** The error, when it may be the parent that is missing. */
function make(folder: string, mode: number | undefined): Error | undefined {
  try {
    mkdirSync(folder, mode)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return error
    if (!isFolder(folder)) throw error
  }
  return undefined
}

function isFolder(folder: string): boolean {
  try {
    return statSync(folder).isDirectory()
  } catch {
    return false
  }
}
