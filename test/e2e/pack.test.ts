import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { runCommand } from '../../src/base/child-process.ts'
import { realModel } from '../fixtures/real-model.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const MINUTES = 60_000

/** What a package installs like for somebody else: the tarball, an empty folder, the machine's own npm and registry. */
describe('the npm package', () => {
  let folder = ''
  let packed: string[] = []
  let unreachable: string | undefined

  const npm = async (args: readonly string[], cwd: string): Promise<{ code: number | null; stdout: string; stderr: string }> => {
    const file = process.env['npm_execpath']
    const [command, before] = file ? [process.execPath, [file]] : [process.platform === 'win32' ? 'npm.cmd' : 'npm', []]
    return runCommand(command, [...before, ...args], { cwd, timeoutMs: 10 * MINUTES, env: cleanEnvironment(path.join(folder, 'home')) })
  }
  const bendi = (...args: string[]) => npm(['exec', '--no', '--', 'bendi', ...args], path.join(folder, 'app'))
  const needsInstall = ({ skip }: TestContext): void => {
    if (unreachable !== undefined) skip(unreachable)
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-pack-'))
    const pack = await npm(['pack', '--json', '--pack-destination', folder], root)
    if (pack.code !== 0) throw new Error(`npm pack: ${pack.stdout}\n${pack.stderr}`)
    packed = filesOf(pack.stdout)
    const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? ''
    await mkdir(path.join(folder, 'app'))
    const install = await npm(
      ['install', '--no-audit', '--no-fund', '--prefer-offline', path.join(folder, tarball)],
      path.join(folder, 'app'),
    )
    if (install.code !== 0) unreachable = networkProblem(install.stderr)
    if (install.code !== 0 && unreachable === undefined) throw new Error(`npm install: ${install.stderr}`)
  }, 10 * MINUTES)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('holds the program, the page and the papers, and no sources, tests or build stamps', () => {
    for (const file of ['bin/bendi.js', 'dist/cli/main.js', 'dist/ui/index.html', 'README.md', 'README.zh.md', 'LICENSE', 'package.json']) {
      expect(packed).toContain(file)
    }
    expect(packed.filter((file) => !/^(bin\/|dist\/|README(\.zh)?\.md$|LICENSE$|package\.json$)/.test(file))).toEqual([])
    expect(packed.filter((file) => /\.test\.|\.d\.ts$|\.map$|tsbuildinfo|\.built\.json/.test(file))).toEqual([])
  })

  it('tells its version', async (context) => {
    needsInstall(context)
    const { stdout, code } = await bendi('--version')
    expect(stdout).toMatch(/\d+\.\d+\.\d+/)
    expect(code).toBe(0)
  })

  it('examines the machine', async (context) => {
    needsInstall(context)
    const { stdout } = await bendi('doctor', '--json', '--offline')
    expect(JSON.parse(stdout)).toEqual(expect.anything())
  })

  it(
    'answers with a real model',
    async (context) => {
      needsInstall(context)
      const model = await realModel()
      if (typeof model !== 'string') return context.skip(model.skip)
      const { stdout, stderr, code } = await bendi('run', `file:${model}`, 'Say hello.', '--max-tokens', '16')
      expect(code, stderr).toBe(0)
      expect(stdout.trim()).not.toBe('')
    },
    5 * MINUTES,
  )
})

/** Ours, without what the npm that runs the tests says about this project. The registry, proxies and cache of the machine stay. */
function cleanEnvironment(home: string): Record<string, string | undefined> {
  const own =
    /^(npm_(package|lifecycle)_|npm_config_(local_prefix|global_prefix|prefix|noproxy)$|npm_command$|INIT_CWD$|VITEST|NODE_ENV$|NODE_OPTIONS$|TEST$)/
  const kept = Object.entries(process.env).filter(([name]) => !own.test(name))
  return { ...Object.fromEntries(kept), BENDI_HOME: home, BENDI_LANG: 'en' }
}

/** `npm pack --json` prints a list; the output of prepack may stand before it. */
function filesOf(stdout: string): string[] {
  const list = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as { files: { path: string }[] }[]
  return (list[0]?.files ?? []).map((file) => file.path)
}

/** The reason, when the registry could not be reached; undefined when installing failed for another one. */
function networkProblem(stderr: string): string | undefined {
  const code = /\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|ERR_SOCKET_TIMEOUT)\b/.exec(stderr)?.[0]
  return code && `the npm registry cannot be reached (${code})`
}
