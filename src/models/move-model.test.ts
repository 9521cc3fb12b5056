import { spawn } from 'node:child_process'
import { mkdtemp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { existsSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { tinyModelBytes } from '../../test/fakes/gguf-header.ts'
import { sha256Of } from '../../test/fakes/hub-server.ts'
import type { Model } from '../shared/api.ts'
import type { CopyProgress } from './copy-files.ts'
import { importFolder } from './import-folder.ts'
import { openLibrary } from './library.ts'
import type { Library } from './library.ts'
import { exportModel, moveModel } from './move-model.ts'

/** Blocks of a copy are 4 MiB: enough of them to stop between. */
const gguf = tinyModelBytes({ extraBytes: 24_000_000 })
const FILE = 'x-Q4_K_M.gguf'
/** Another device, so that files must be copied. */
const OTHER_DISK = '/dev/shm'
const hasOtherDisk = existsSync(OTHER_DISK) && statSync(OTHER_DISK).dev !== statSync(os.tmpdir()).dev

let here = ''
let there = ''
let library: Library
let model: Model
beforeEach(async () => {
  here = await mkdtemp(path.join(os.tmpdir(), 'bendi-move-'))
  there = await mkdtemp(path.join(hasOtherDisk ? OTHER_DISK : os.tmpdir(), 'bendi-move-'))
  library = openLibrary(path.join(here, 'models'))
  await mkdir(path.join(here, 'source'))
  await writeFile(path.join(here, 'source', FILE), gguf)
  const [imported] = await importFolder(path.join(here, 'source'), { library, now: () => 1 })
  if (!imported) throw new Error('nothing was imported')
  model = imported
})
afterEach(() => Promise.all([here, there].map((folder) => rm(folder, { recursive: true, force: true }))))

const bytesIn = async (found: Model | undefined): Promise<string> => sha256Of(await readFile(found ? library.fileOf(found) : ''))

/** Aborts as soon as so many bytes are there. */
function stopAfter(bytes: number): { signal: AbortSignal; onProgress(progress: CopyProgress): void } {
  const controller = new AbortController()
  return {
    signal: controller.signal,
    onProgress: ({ doneBytes }) => {
      if (doneBytes >= bytes) controller.abort(new Error('enough'))
    },
  }
}

/** Every step is told. */
const ticking = (): (() => number) => {
  let now = 0
  return () => (now += 150)
}

describe.skipIf(!hasOtherDisk)('to another disk', () => {
  test('progress goes from nothing to all, with a speed and the time that is left', async () => {
    const seen: CopyProgress[] = []
    const moved = await moveModel(model, there, library, { onProgress: (progress) => seen.push(progress), now: ticking() })
    expect(seen.map(({ doneBytes }) => doneBytes)).toEqual(seen.map(({ doneBytes }) => doneBytes).toSorted((a, b) => a - b))
    expect(seen.at(-1)).toMatchObject({ state: 'verifying', file: FILE, doneBytes: gguf.length, totalBytes: gguf.length })
    expect(seen.some(({ bytesPerSecond, etaSeconds }) => bytesPerSecond > 0 && etaSeconds !== undefined && etaSeconds > 0)).toBe(true)
    expect(await bytesIn(moved)).toBe(sha256Of(gguf))
    expect(await readdir(path.join(here, 'models'))).toEqual(['.downloads', 'folders.json'])
  })

  test('a move that was stopped loses nothing, and the next goes on where it was', async () => {
    await expect(moveModel(model, there, library, { ...stopAfter(12_000_000), now: ticking() })).rejects.toThrow('enough')
    expect(await library.list()).toEqual([model])
    expect(await bytesIn(model)).toBe(sha256Of(gguf))
    const seen: number[] = []
    const moved = await moveModel(model, there, library, { onProgress: ({ doneBytes }) => seen.push(doneBytes), now: ticking() })
    expect(seen[1]).toBeGreaterThanOrEqual(12_000_000)
    expect(await library.list()).toEqual([moved])
    expect(await bytesIn(moved)).toBe(sha256Of(gguf))
    expect(await readdir(path.join(there, '.downloads'))).toEqual([])
  })

  test('what an earlier try has left damaged is copied again', async () => {
    await expect(moveModel(model, there, library, { ...stopAfter(12_000_000), now: ticking() })).rejects.toThrow('enough')
    const [staging = ''] = await readdir(path.join(there, '.downloads'))
    const part = path.join(there, '.downloads', staging, `${FILE}.part`)
    await writeFile(part, Buffer.alloc((await stat(part)).size))
    expect(await bytesIn(await moveModel(model, there, library))).toBe(sha256Of(gguf))
  })

  test('a damaged model stays where it is', async () => {
    const damaged = Buffer.from(gguf)
    damaged[20_000_000] = (damaged[20_000_000] ?? 0) ^ 1
    await writeFile(library.fileOf(model), damaged)
    await expect(moveModel(model, there, library)).rejects.toMatchObject({ code: 'checksum-mismatch' })
    expect(await library.list()).toEqual([model])
    expect(await bytesIn(model)).toBe(sha256Of(damaged))
  })

  test('two at once are one move', async () => {
    const [a, b] = await Promise.all([moveModel(model, there, library), moveModel(model, there, library)])
    expect(a).toEqual(b)
    expect(await library.list()).toEqual([a])
  })

  test('an import that was stopped goes on, and is whole', async () => {
    const usb = path.join(there, 'usb')
    await exportModel(model, usb, library)
    await library.remove(model)
    await expect(importFolder(usb, { library, ...stopAfter(12_000_000), now: ticking() })).rejects.toThrow('enough')
    expect(await library.list()).toEqual([])
    const seen: number[] = []
    const [again] = await importFolder(usb, { library, onProgress: ({ doneBytes }) => seen.push(doneBytes), now: ticking() })
    expect(seen[1]).toBeGreaterThanOrEqual(12_000_000)
    expect(await bytesIn(again)).toBe(sha256Of(gguf))
    expect(await readdir(library.downloadsFolder)).toEqual([])
  })

  test('an export that was stopped is no model yet; the next makes it one', async () => {
    const usb = path.join(there, 'usb')
    await expect(exportModel(model, usb, library, { ...stopAfter(12_000_000), now: ticking() })).rejects.toThrow('enough')
    expect(await importFolder(usb, { library: openLibrary(path.join(here, 'other')) })).toEqual([])
    const target = await exportModel(model, usb, library)
    expect((await readdir(target)).toSorted()).toEqual(['manifest.json', FILE])
    expect(sha256Of(await readFile(path.join(target, FILE)))).toBe(sha256Of(gguf))
  })
})

test('on the same disk a model is renamed, whatever its size', async () => {
  const to = path.join(here, 'disk2')
  const inode = (await stat(library.fileOf(model))).ino
  const moved = await moveModel(model, to, library)
  expect((await stat(library.fileOf(moved))).ino).toBe(inode)
  expect(await library.list()).toEqual([{ ...model, folder: to }])
})

test('a move that was killed before the last step leaves two; the next leaves one', async () => {
  const to = path.join(here, 'disk2')
  const whole = await readFile(library.fileOf(model))
  const manifest = await readFile(path.join(library.folderOf(model), 'manifest.json'))
  const moved = await moveModel(model, to, library)
  // As it was before the first was deleted.
  await mkdir(library.folderOf(model), { recursive: true })
  await writeFile(library.fileOf(model), whole)
  await writeFile(path.join(library.folderOf(model), 'manifest.json'), manifest)
  expect(await library.list()).toEqual([model])
  expect(await moveModel(model, to, library)).toEqual(moved)
  expect(await library.placesOf(model)).toEqual([moved])
})

test('files that are used in place, and folders that have it already, are told', async () => {
  const [inPlace] = await importFolder(path.join(here, 'source'), { library, inPlace: true })
  await expect(moveModel(inPlace ?? model, there, library)).rejects.toMatchObject({ code: 'usage' })
  await expect(exportModel(model, path.join(here, 'models'), library)).rejects.toMatchObject({ code: 'usage' })
  expect(await moveModel(model, path.join(here, 'models'), library)).toEqual(model)
})

describe.skipIf(!hasOtherDisk)('kill -9', () => {
  /** A child that does one task, killed after so many told steps. False when it ended before. */
  function killed(task: 'move' | 'export' | 'import', steps: number): Promise<boolean> {
    const program = fileURLToPath(new URL('../../test/fixtures/copy-task.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', program, task, path.join(here, 'models'), model.name, there], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let seen = 0
    child.stdout.on('data', (data: Buffer) => {
      seen += data.toString().split('\n').length - 1
      if (seen >= steps) child.kill('SIGKILL')
    })
    return new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal === 'SIGKILL')))
  }

  test.each([1, 4, 8])(
    'in the middle of a move (step %i): the model is whole in one of both places, and a repeat finishes',
    async (steps) => {
      await killed('move', steps)
      const [found] = await library.list()
      expect(await bytesIn(found)).toBe(sha256Of(gguf))
      const moved = await moveModel(found ?? model, there, library)
      expect(await library.placesOf(model)).toEqual([moved])
      expect(await bytesIn(moved)).toBe(sha256Of(gguf))
    },
  )

  test('in the middle of an export and of an import', async () => {
    expect(await killed('export', 4)).toBe(true)
    const target = await exportModel(model, there, library)
    expect(sha256Of(await readFile(path.join(target, FILE)))).toBe(sha256Of(gguf))
    await library.remove(model)
    expect(await killed('import', 4)).toBe(true)
    const [imported] = await importFolder(there, { library })
    expect(await bytesIn(imported)).toBe(sha256Of(gguf))
  })
})
