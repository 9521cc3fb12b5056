/**
 * `npm test [-- FILTER…]`: installs and builds what is missing, checks, runs every test, and ends with the plain line
 * `N passed, N failed` (`, N skipped`), where the checks (types, lint, format) and the build count as one each.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from './build.mjs'
import { check } from './check.mjs'
import { ensureInstalled } from './ensure.mjs'
import { runNode, toolFile } from './run.mjs'

/**
 * The sums of a run. `report` is what test-report.mjs wrote, undefined when vitest crashed first.
 * A file that does not load, an error outside of any test and a run without tests are failures too.
 * @returns {{ passed: number, failed: number, skipped: string[], problems: string[] }}
 */
export function summarise(report, exitCode) {
  if (!report) return { passed: 0, failed: 1, skipped: [], problems: [`vitest ended without a report (exit code ${exitCode})`] }
  const of = (state) => report.tests.filter((test) => test.state === state)
  const skipped = report.tests.filter((test) => !['passed', 'failed'].includes(test.state))
  const problems = [...report.problems]
  if (report.tests.length === 0) problems.push('no test ran')
  if (exitCode !== 0 && of('failed').length + problems.length === 0) problems.push(`vitest ended with exit code ${exitCode}`)
  return {
    passed: of('passed').length,
    failed: of('failed').length + problems.length,
    skipped: skipped.map(({ name, note }) => `${name}: ${note ?? 'no reason given'}`),
    problems,
  }
}

async function runTests(filters) {
  const folder = mkdtempSync(path.join(tmpdir(), 'bendi-test-'))
  const file = path.join(folder, 'report.json')
  try {
    const args = ['run', '--reporter=default', '--reporter=./scripts/test-report.mjs', ...filters]
    const exitCode = await runNode(toolFile('vitest', 'vitest'), args, { env: { ...process.env, BENDI_TEST_REPORT: file } })
    return summarise(readReport(file), exitCode)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    // vitest crashed before it wrote one.
    return undefined
  }
}

async function main() {
  await ensureInstalled()
  const built = (await build()) === 0
  const checked = await check()
  const tests = await runTests(process.argv.slice(2))
  const failures = [...(built ? [] : ['build']), ...checked.failed, ...tests.problems]
  if (tests.skipped.length > 0) process.stdout.write(`\nSkipped:\n${tests.skipped.map((line) => `  ${line}\n`).join('')}`)
  if (failures.length > 0) process.stdout.write(`\nFailed beside single tests:\n${failures.map((line) => `  ${line}\n`).join('')}`)
  const passed = tests.passed + checked.passed.length + (built ? 1 : 0)
  const failed = tests.failed + checked.failed.length + (built ? 0 : 1)
  const skipped = tests.skipped.length > 0 ? `, ${tests.skipped.length} skipped` : ''
  process.stdout.write(`\n${passed} passed, ${failed} failed${skipped}\n`)
  process.exitCode = failed === 0 ? 0 : 1
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
