import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { writeFileAtomic } from './atomic-file.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-atomic-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a file is replaced whole, and nothing is left beside it', async () => {
  const file = path.join(folder, 'deep', 'a.json')
  await writeFileAtomic(file, 'one')
  await writeFileAtomic(file, 'two')
  expect(await readFile(file, 'utf8')).toBe('two')
  expect(await readdir(path.dirname(file))).toEqual(['a.json'])
})

test('secrets can be written with a narrow mode', async () => {
  const file = path.join(folder, 'token')
  await writeFileAtomic(file, 'secret', { mode: 0o600 })
  expect((await stat(file)).mode & 0o777).toBe(process.platform === 'win32' ? 0o666 : 0o600)
})

test('a failed write leaves the folder as it was', async () => {
  await writeFile(path.join(folder, 'busy'), '')
  await expect(writeFileAtomic(path.join(folder, 'busy', 'x'), 'data')).rejects.toThrow(/EEXIST|ENOTDIR/)
  expect(await readdir(folder)).toEqual(['busy'])
})

test('writers at the same time leave one of the two texts', async () => {
  const file = path.join(folder, 'race')
  await Promise.all(Array.from({ length: 20 }, (_, index) => writeFileAtomic(file, String(index).repeat(1000))))
  expect(new Set(await readFile(file, 'utf8')).size).toBeLessThanOrEqual(2)
})
