/** What a file, a folder or a model elsewhere is, before anybody runs it. */
import { access } from 'node:fs/promises'
import path from 'node:path'
import { runCommand } from '../base/child-process.ts'
import type { Logger } from '../base/logger.ts'
import type { Config } from '../config/settings.ts'
import { inspectPath } from '../models/headers/inspect-path.ts'
import { readModelHeader } from '../models/headers/read-model-header.ts'
import { reportHeader } from '../models/headers/report-others.ts'
import { sourceHttp } from '../models/hubs/source-http.ts'
import { parseReference } from '../models/reference.ts'
import type { Reference } from '../models/reference.ts'
import { AppError } from '../shared/errors.ts'
import type { FileReport } from '../shared/file-report.ts'
import { sourceEnvironment } from './source-environment.ts'

/**
 * A file or folder of this machine: `file:…`, something that looks like a path, or the name of what lies in `cwd`. Undefined when `text`
 * names none. Throws `file-not-found`, `invalid-model-file`, `damaged-file`, `unknown-format`.
 */
export async function showPath(text: string, cwd: string = process.cwd()): Promise<FileReport | undefined> {
  const reference = tryParse(text, cwd)
  if (reference?.type === 'file') return inspectPath(reference.path)
  const here = path.resolve(cwd, text)
  const isHere =
    !/^[a-z]+:/i.test(text) &&
    (await access(here).then(
      () => true,
      () => false,
    ))
  return isHere ? inspectPath(here) : undefined
}

/**
 * A model of a hub or at an address, from a few megabytes of its headers. Undefined for what is no such reference.
 * Throws as `readModelHeader`.
 */
export async function showRemote(
  text: string,
  { config, logger, signal }: { config: Config; logger: Logger; signal?: AbortSignal },
): Promise<FileReport | undefined> {
  const reference = tryParse(text)
  if (reference?.type !== 'hub' && reference?.type !== 'https') return undefined
  const env = await sourceEnvironment(config)
  const http = sourceHttp(env)
  try {
    const context = { env, http, run: runCommand, logger, ...(signal ? { signal } : {}) }
    return reportHeader(await readModelHeader(reference, { context, offline: config.offline }), text)
  } finally {
    await http.close()
  }
}

function tryParse(text: string, cwd?: string): Reference | undefined {
  try {
    return parseReference(text, cwd)
  } catch (error) {
    if (error instanceof AppError) return undefined
    throw error
  }
}
