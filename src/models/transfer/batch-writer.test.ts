import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { createBatchWriter } from './batch-writer.ts'
import type { DiskPace } from './batch-writer.ts'
import type { Range } from './ranges.ts'

let folder = ''
let handle: FileHandle
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-writer-'))
  handle = await open(path.join(folder, 'part'), 'w+')
})
afterEach(async () => {
  await handle.close().catch(() => {})
  await rm(folder, { recursive: true, force: true })
})

const fast: DiskPace = { slowUntil: 0, now: () => 0 }
const slow: DiskPace = { slowUntil: Number.POSITIVE_INFINITY, now: () => 0 }

test.each([
  { disk: fast, name: 'fast' },
  { disk: slow, name: 'slow' },
])('on a $name disk all chunks lie in the file in their order, though each is overwritten after it was given', async ({ disk }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(700_000), { maxLength: 6 }), fc.nat(5000), async (sizes, start) => {
      await handle.truncate(0)
      const told: Range[] = []
      const writer = createBatchWriter(handle, start, disk, (range) => told.push(range))
      const chunk = Buffer.alloc(700_001)
      for (const [index, size] of sizes.entries()) {
        chunk.fill(index + 1)
        await writer.write(chunk.subarray(0, size))
        chunk.fill(255)
      }
      await writer.end()
      const expected = Buffer.concat(sizes.map((size, index) => Buffer.alloc(size, index + 1)))
      expect((await readFile(path.join(folder, 'part'))).subarray(start).equals(expected)).toBe(true)
      expect(told.at(-1)?.end ?? start).toBe(start + expected.length)
      expect(told.every((range, index) => range.start === (told[index - 1]?.end ?? start))).toBe(true)
    }),
    { numRuns: 15 },
  )
})

test('a fast disk has each chunk before the next one is asked for', async () => {
  const told: Range[] = []
  const writer = createBatchWriter(handle, 0, fast, (range) => told.push(range))
  void writer.write(Buffer.from('abc'))
  expect(told).toEqual([{ start: 0, end: 3 }])
})

test('a write that waits for the disk lets other threads write for twenty times as long', async () => {
  let clock = 0
  const disk: DiskPace = { slowUntil: 0, now: () => (clock += 30) }
  await createBatchWriter(handle, 0, disk, () => {}).write(Buffer.from('a'))
  expect(disk.slowUntil).toBe(0)
  const waiting: DiskPace = { slowUntil: 0, now: () => (clock += 100) }
  await createBatchWriter(handle, 0, waiting, () => {}).write(Buffer.from('a'))
  expect(waiting.slowUntil).toBe(clock + 2000)
})

test.each([
  { disk: fast, name: 'fast' },
  { disk: slow, name: 'slow' },
])('what a $name disk throws is thrown', async ({ disk }) => {
  const readOnly = await open(path.join(folder, 'part'), 'r')
  const writer = createBatchWriter(readOnly, 0, disk, () => {})
  const work = async (): Promise<void> => {
    await writer.write(Buffer.from('abc'))
    await writer.end()
  }
  await expect(work()).rejects.toThrow(/EBADF/)
  await readOnly.close()
})
