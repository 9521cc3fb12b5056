/** Python environments of their own for the programs here, kept in the user's cache folder. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { runCommand } from '../../src/base/child-process.ts'

const PYTHONS = ['python3', 'python'] as const
const INSTALL_MS = 20 * 60_000
/** What is older is installed anew: the point is to meet clients as they are now. */
const KEEP_MS = 7 * 24 * 3600_000

/** The environment's Python with the newest of these packages, or why there is none. */
export async function pythonWith(name: string, packages: readonly string[]): Promise<{ python: string } | { skip: string }> {
  const folder = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'bendi-test', `python-${name}`)
  const python = process.platform === 'win32' ? path.join(folder, 'Scripts', 'python.exe') : path.join(folder, 'bin', 'python')
  const stamp = path.join(folder, '.installed.json')
  if (existsSync(python) && (await isFresh(stamp, packages))) return { python }
  const base = await findPython()
  if (!base) return { skip: 'there is no Python here' }
  await rm(folder, { recursive: true, force: true })
  await mkdir(path.dirname(folder), { recursive: true })
  const made = await runCommand(base, ['-m', 'venv', folder], { timeoutMs: INSTALL_MS })
  if (made.code !== 0) return { skip: `no environment can be made: ${lastLine(made.stderr)}` }
  const installed = await runCommand(python, ['-m', 'pip', 'install', '--quiet', '--upgrade', ...packages], { timeoutMs: INSTALL_MS })
  if (installed.code !== 0) return { skip: `pip cannot install ${packages.join(', ')}: ${lastLine(installed.stderr)}` }
  await writeFile(stamp, JSON.stringify({ packages, at: Date.now() }))
  return { python }
}

async function isFresh(stamp: string, packages: readonly string[]): Promise<boolean> {
  try {
    const { packages: there, at } = JSON.parse(await readFile(stamp, 'utf8')) as { packages: string[]; at: number }
    return Date.now() - at < KEEP_MS && there.join() === packages.join()
  } catch {
    return false
  }
}

async function findPython(): Promise<string | undefined> {
  for (const python of PYTHONS) {
    const { code } = await runCommand(python, ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))'], { timeoutMs: 20_000 })
    if (code === 0) return python
  }
  return undefined
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
