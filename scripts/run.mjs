/** Runs this project's own tools with this Node, without a shell, so that it works the same on every system. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** The file that a package names for a command, e.g. `typescript`, `tsc`. */
export function toolFile(packageName, command) {
  const folder = path.join(root, 'node_modules', packageName)
  const { bin } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  return path.join(folder, typeof bin === 'string' ? bin : bin[command])
}

export function isInstalled(packageName) {
  return existsSync(path.join(root, 'node_modules', packageName, 'package.json'))
}

/** Runs a Node program in the project's folder with our own output; resolves with its exit code (128 + n for a signal's n, as shells do). */
export function runNode(file, args = [], { env = process.env } = {}) {
  return exitCode(spawn(process.execPath, [file, ...args], { cwd: root, env, stdio: 'inherit' }))
}

/** Runs npm itself: the one that started us when there is one, so that its settings hold. */
export function runNpm(args) {
  const npm = process.env.npm_execpath
  if (npm && /\.c?js$/.test(npm)) return runNode(npm, args)
  return exitCode(spawn('npm', args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' }))
}

function exitCode(child) {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      process.stderr.write(`${error.message}\n`)
      resolve(127)
    })
    child.on('close', (code, signal) => resolve(code ?? (signal ? 128 : 1)))
  })
}
