import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const folders: string[] = []
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })))

interface Summary {
  exitCode: number | null
  passed: number
  failed: number
  skipped: string[]
  problems: string[]
}

/** Runs real vitest with our reporter over files made here, then our own sums, in a child: vitest inside vitest shares state otherwise. */
function summariseRun(files: Record<string, string>): Summary {
  mkdirSync(path.join(root, 'tmp'), { recursive: true })
  // Below the project, so that the files find vitest; ignored by git.
  const folder = mkdtempSync(path.join(root, 'tmp', 'sums-'))
  folders.push(folder)
  // A configuration of its own, or vitest would look for ours further up.
  writeFileSync(path.join(folder, 'vitest.config.mjs'), 'export default {}')
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
  const report = path.join(folder, 'report.json')
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')))
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--root', folder, `--reporter=${path.join(root, 'scripts', 'test-report.mjs')}`],
    { env: { ...env, BENDI_TEST_REPORT: report }, encoding: 'utf8' },
  )
  const program = `
    import { existsSync, readFileSync } from 'node:fs'
    import { summarise } from ${JSON.stringify(path.join(root, 'scripts', 'test.mjs'))}
    const report = existsSync(${JSON.stringify(report)}) ? JSON.parse(readFileSync(${JSON.stringify(report)}, 'utf8')) : undefined
    console.log(JSON.stringify(summarise(report, ${status ?? 1})))`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  return { exitCode: status, ...JSON.parse(stdout) }
}

describe('the sums of npm test', () => {
  it('count what passed, failed and was skipped, with the reason', () => {
    const { exitCode, ...sums } = summariseRun({
      'a.test.mjs': `import { it } from 'vitest'
        it('passes', () => {})
        it('fails', () => { throw new Error('no') })
        it('skips', ({ skip }) => skip('no model here'))`,
    })
    expect(exitCode).toBe(1)
    expect(sums).toEqual({ passed: 1, failed: 1, skipped: ['a.test.mjs > skips: no model here'], problems: [] })
  })

  it('fail a file that does not load, a hook that throws and an error that nobody handles', () => {
    const { problems, failed } = summariseRun({
      'a.test.mjs': `import './missing.mjs'`,
      'b.test.mjs': `import { beforeAll, describe, it } from 'vitest'
        describe('suite', () => { beforeAll(() => { throw new Error('hook') }); it('never runs', () => {}) })`,
      'c.test.mjs': `import { it } from 'vitest'
        it('passes but leaves a rejection', () => { Promise.reject(new Error('nobody')) })`,
    })
    expect(failed).toBeGreaterThanOrEqual(3)
    expect(problems.join('\n')).toMatch(/a\.test\.mjs[^]*hook[^]*nobody/)
  })

  it('fail a run without tests and a run without a report', () => {
    expect(summariseRun({})).toMatchObject({ passed: 0, failed: 1 })
  })
})
