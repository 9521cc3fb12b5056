/** The built page for tests: built again when a source is newer. */
import { execFile } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..', '..')
export const pageFolder: string = join(root, 'dist', 'ui')

/** Answers the folder of the built page. */
export async function ensurePage(): Promise<string> {
  const built = join(pageFolder, 'index.html')
  if (!existsSync(built) || (await newestSource()) > statSync(built).mtimeMs) await build()
  return pageFolder
}

async function newestSource(): Promise<number> {
  const folders = [join(root, 'ui'), join(root, 'src', 'shared')]
  const listed = await Promise.all(folders.map((folder) => readdir(folder, { recursive: true, withFileTypes: true })))
  const files = listed.flat().filter((entry) => entry.isFile() && !entry.name.includes('.test.'))
  return Math.max(...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs))
}

/** Into a folder of its own first, so that nobody serves half a page. */
async function build(): Promise<void> {
  const folder = await mkdtemp(join(root, 'dist', 'ui-'))
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  const args = [vite, 'build', 'ui', '--outDir', folder, '--emptyOutDir', '--logLevel', 'error']
  // The test runner's NODE_ENV would give React's development build.
  await promisify(execFile)(process.execPath, args, { cwd: root, env: { ...process.env, NODE_ENV: 'production' } })
  await rm(pageFolder, { recursive: true, force: true })
  await rename(folder, pageFolder)
}
