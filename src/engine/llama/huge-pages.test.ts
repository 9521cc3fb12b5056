import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { prefersReading, withHugePages } from './huge-pages.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bendi-huge-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function setting(text: string): Promise<string> {
  const file = path.join(folder, 'enabled')
  await writeFile(file, `${text}\n`)
  return file
}

async function weights(bytes: number): Promise<string> {
  const file = path.join(folder, 'model.gguf')
  await writeFile(file, '')
  await truncate(file, bytes)
  return file
}

it('asks glibc for huge pages and keeps what the user asks of it', () => {
  expect(withHugePages({ A: 'b' })).toEqual({ A: 'b', GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' })
  expect(withHugePages({ GLIBC_TUNABLES: 'glibc.malloc.check=3' })).toEqual({
    GLIBC_TUNABLES: 'glibc.malloc.check=3:glibc.malloc.hugetlb=1',
  })
  const own = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' }
  expect(withHugePages(own)).toEqual(own)
})

it.each([
  ['always [madvise] never', 2 ** 20, true],
  ['[always] madvise never', 2 ** 32, true],
  ['always madvise [never]', 2 ** 20, false],
  ['always [madvise] never', 2 ** 32 + 1, false],
])('with "%s" and %d bytes of weights, reading is preferred: %s', async (text, bytes, expected) => {
  expect(await prefersReading(await weights(bytes), await setting(text))).toBe(expected)
})

it('maps where the kernel says nothing of huge pages, and leaves a missing file to the one who opens it', async () => {
  expect(await prefersReading(await weights(10), path.join(folder, 'nothing'))).toBe(false)
  expect(await prefersReading(path.join(folder, 'nothing'), await setting('[always]'))).toBe(true)
})
