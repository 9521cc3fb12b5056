import { readFileSync } from 'node:fs'
import path from 'node:path'

import { expect, test } from 'vitest'

import { onlyWhatIsThere, runCommand } from './child-process.ts'
import type { CommandRunner } from './child-process.ts'

const node = process.execPath

test('what a program prints and its exit code are returned', async () => {
  const result = await runCommand(node, ['-e', 'console.log("out"); console.error("err"); process.exit(3)'])
  expect(result).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n', timedOut: false })
})

test('a program that does not exist ends with code 127 and does not throw', async () => {
  const result = await runCommand('bendi-no-such-program', [])
  expect(result.code).toBe(127)
  expect(result.stderr).toContain('ENOENT')
})

test.skipIf(process.platform === 'win32')('programs that are surely not there are not started', async () => {
  const started: string[] = []
  const run: CommandRunner = async (command) => {
    started.push(command)
    return { code: 0, stdout: '', stderr: '', timedOut: false }
  }
  const [folder, name] = [path.dirname(node), path.basename(node)]
  const codes = async (searchPath: string | undefined, ...commands: string[]): Promise<number[]> =>
    Promise.all(commands.map(async (command) => (await onlyWhatIsThere(run, searchPath)(command, [])).code))
  expect(await codes(`/bendi-no-such-folder:${folder}`, name, node, 'bendi-none', '/bendi-none')).toEqual([0, 0, 127, 127])
  expect(started).toEqual([name, node])
  // Relative to where it will run, or on a path that is not known.
  expect(await codes('/bendi-no-such-folder:', 'bendi-none')).toEqual([0])
  expect(await codes(undefined, 'bendi-none')).toEqual([0])
  expect(await codes(folder, './bendi-none')).toEqual([0])
})

test('a program that takes too long is ended', async () => {
  const result = await runCommand(node, ['-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 200 })
  expect(result.timedOut).toBe(true)
  expect(result.code).toBe(128 + 15)
})

test('a program that ignores SIGTERM is killed', async () => {
  const script = 'process.on("SIGTERM", () => {}); console.log(process.pid); setInterval(() => {}, 1000)'
  const controller = new AbortController()
  let pid = 0
  const onOutput = (text: string): void => {
    pid = Number(text)
    controller.abort(new Error('enough'))
  }
  await expect(runCommand(node, ['-e', script], { signal: controller.signal, onOutput })).rejects.toThrow('enough')
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
})

test('a program that ignores SIGTERM does not outlive us either, when we end first', async () => {
  const stubborn = 'process.on("SIGTERM", () => {}); console.log(process.pid); setInterval(() => {}, 1000)'
  const ours = `
    import { runCommand } from ${JSON.stringify(new URL('child-process.ts', import.meta.url).href)}
    const controller = new AbortController()
    const onOutput = (pid) => { controller.abort(new Error('enough')); console.log(pid); process.exit(0) }
    await runCommand(process.execPath, ['-e', ${JSON.stringify(stubborn)}], { signal: controller.signal, onOutput })
  `
  const { code, stdout, stderr } = await runCommand(node, ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', ours])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  await expect.poll(() => isAlive(Number(stdout))).toBe(false)
})

test.skipIf(process.platform === 'win32')('what a program started ends with it, also when the program itself is over', async () => {
  const child = 'setInterval(() => {}, 1000)'
  const parent = (last: string): string => `
    const { pid } = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' })
    console.log(pid)
    ${last}
  `
  for (const last of ['setInterval(() => {}, 1000)', 'process.exit(0)']) {
    const controller = new AbortController()
    let pid = 0
    const onOutput = (text: string): void => {
      pid = Number(text)
      setTimeout(() => controller.abort(new Error('enough')), 300)
    }
    await expect(runCommand(node, ['-e', parent(last)], { signal: controller.signal, onOutput })).rejects.toThrow('enough')
    await expect.poll(() => isAlive(pid)).toBe(false)
  }
})

test('aborting ends the program and rejects with the reason', async () => {
  const controller = new AbortController()
  const running = runCommand(node, ['-e', 'console.log("ready"); setInterval(() => {}, 1000)'], {
    signal: controller.signal,
    onOutput: () => controller.abort(new Error('enough')),
  })
  await expect(running).rejects.toThrow('enough')
})

test('output beyond the limit is cut off instead of filling memory', async () => {
  const result = await runCommand(node, ['-e', 'process.stdout.write("x".repeat(100000))'], { maxOutputBytes: 1000 })
  expect(result.stdout).toHaveLength(1000)
})

test('the environment can be replaced', async () => {
  const result = await runCommand(node, ['-e', 'console.log(process.env.HELLO)'], { env: { HELLO: 'world' } })
  expect(result.stdout).toBe('world\n')
})

/** Who was killed and is not collected yet (not every container's first process does that) is not alive. */
function isAlive(pid: number): boolean {
  if (!(pid > 0)) throw new Error(`no process has the id ${pid}`)
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
