/** Types, lint, format: `npm run check`. Changes nothing; `npm run fix` mends what can be mended. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureInstalled } from './ensure.mjs'
import { root, runNode, toolFile } from './run.mjs'

const checks = [
  { name: 'types of src', tool: ['typescript', 'tsc'], args: ['-b', 'src'] },
  { name: 'types of ui', tool: ['typescript', 'tsc'], args: ['-b', 'ui'] },
  { name: 'types of test and bench', tool: ['typescript', 'tsc'], args: ['-p', 'test'] },
  { name: 'lint', tool: ['oxlint', 'oxlint'], args: ['--deny-warnings'] },
  { name: 'format', tool: ['oxfmt', 'oxfmt'], args: ['--check'] },
]

/** Runs all of them, also after a failure. Resolves with the names of those that passed and failed. */
export async function check() {
  const result = { passed: [], failed: [] }
  for (const { name, tool, args } of checks) {
    if (name === 'types of ui' && !existsSync(path.join(root, 'ui', 'tsconfig.json'))) continue
    const code = await runNode(toolFile(...tool), args)
    process.stderr.write(`${code === 0 ? '✓' : '✗'} ${name}\n`)
    result[code === 0 ? 'passed' : 'failed'].push(name)
  }
  return result
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await ensureInstalled()
  const { failed } = await check()
  process.exitCode = failed.length === 0 ? 0 : 1
}
