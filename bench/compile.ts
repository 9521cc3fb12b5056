/** The benchmarks' own servers as they would run when built: tsx gives every function its name at run time, which costs a third of a request. */
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Compiles bench/, test/ and src/ with the project's own compiler; answers where `file` of bench/ lies then. */
export function compiledBench(file: string): string {
  const folder = path.join(root, 'dist', 'bench')
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json')
  const compiler = path.join(path.dirname(manifest), 'bin', 'tsc')
  const emit = [
    '--noEmit',
    'false',
    '--composite',
    'false',
    '--incremental',
    'false',
    '--rewriteRelativeImportExtensions',
    '--outDir',
    folder,
  ]
  execFileSync(process.execPath, [compiler, '-p', path.join(root, 'test'), ...emit], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  return path.join(folder, 'bench', file.replace(/\.ts$/, '.js'))
}
