/** mv, export and import, by the command alone and through a running server. */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Model } from '../../src/shared/api.ts'
import { tinyModelBytes } from '../fakes/gguf-header.ts'
import { createCliHome } from '../fixtures/cli-run.ts'
import type { CliHome, RunningCli } from '../fixtures/cli-run.ts'

const gguf = tinyModelBytes({ name: 'Tiny', extraBytes: 12_000_000 })
const hashOf = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')

let home: CliHome
let disk = ''
let server: RunningCli | undefined
beforeEach(async () => {
  home = await createCliHome()
  const memory = await stat('/dev/shm').catch(() => undefined)
  disk = await mkdtemp(path.join(memory ? '/dev/shm' : os.tmpdir(), 'bendi-copy-'))
  await mkdir(path.join(home.folder, 'source'))
  await writeFile(path.join(home.folder, 'source', 'tiny-q8_0.gguf'), gguf)
})
afterEach(async () => {
  server?.signal()
  await server?.done
  server = undefined
  await Promise.all([home.remove(), rm(disk, { recursive: true, force: true })])
})

describe.each(['alone', 'through a server'])('%s', (how) => {
  beforeEach(async () => {
    if (how === 'alone') return
    server = home.start(['serve', '--port', '0'])
    await server.until('http://127.0.0.1:')
  })

  it('models go to another disk and back, and over a plain folder, and progress is shown', async () => {
    const imported = await home.run(['import', path.join(home.folder, 'source')])
    expect(imported).toMatchObject({ code: 0 })
    expect(imported.stderr).toMatch(/(Copying|Verifying) {2}tiny-q8_0\.gguf|%.*\/ 12\.0 MB/)
    const moved = await home.run(['mv', 'tiny-q8_0', disk, '--json'])
    expect(JSON.parse(moved.stdout)).toMatchObject({ name: 'tiny-q8_0', folder: disk })
    expect(hashOf(await readFile(path.join(disk, 'tiny-q8_0', 'tiny-q8_0.gguf')))).toBe(hashOf(gguf))
    const exported = await home.run(['export', 'tiny-q8_0', path.join(home.folder, 'usb')])
    expect(exported.stderr).toContain('12.0 MB')
    expect(hashOf(await readFile(path.join(home.folder, 'usb', 'tiny-q8_0', 'tiny-q8_0.gguf')))).toBe(hashOf(gguf))
    const back = await home.run(['mv', 'tiny-q8_0', path.join(home.folder, 'home', 'models'), '--json'])
    expect((JSON.parse(back.stdout) as Model).folder).toBeUndefined()
    expect(JSON.parse((await home.run(['list', '--json'])).stdout)).toHaveLength(1)
  })

  it('what is not there is told with the code of an error', async () => {
    const { code, stdout } = await home.run(['mv', 'nothing', disk, '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'model-not-found' } })
    expect((await home.run(['import', path.join(home.folder, 'none')])).code).toBe(1)
  })

  it('Ctrl-C in the middle keeps the model where it was', async () => {
    await home.run(['import', path.join(home.folder, 'source')])
    const moving = home.start(['mv', 'tiny-q8_0', disk], { isTty: { stderr: true } })
    moving.signal()
    const { code } = await moving.done
    expect(code).not.toBe(70)
    const [model] = JSON.parse((await home.run(['list', '--json'])).stdout) as Model[]
    const folder = model?.folder ?? path.join(home.folder, 'home', 'models')
    expect(hashOf(await readFile(path.join(folder, 'tiny-q8_0', 'tiny-q8_0.gguf')))).toBe(hashOf(gguf))
  })
})
