import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { acquirePullLock } from './pull-lock.ts'

let folder = ''
let file = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-lock-'))
  file = path.join(folder, 'deep', 'model.lock')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a lock names its process and is gone after its release', async () => {
  const release = await acquirePullLock(file)
  expect(await readFile(file, 'utf8')).toBe(`${process.pid} ${os.hostname()}`)
  await release()
  await expect(stat(file)).rejects.toThrow('ENOENT')
})

test('another living process is waited for, and named once', async () => {
  const release = await acquirePullLock(file, { pid: 1111 })
  const waits: number[] = []
  const second = acquirePullLock(file, {
    pid: 2222,
    pollMs: 1,
    isAlive: () => true,
    onWait: (pid) => {
      waits.push(pid)
      void release()
    },
  })
  await (
    await second
  )()
  expect(waits).toEqual([1111])
})

test('the lock of a process that is gone, of one with our own number, or one that nobody touches is taken over', async () => {
  await acquirePullLock(file, { pid: 1111 })
  await acquirePullLock(file, { pid: 2222, isAlive: () => false })
  await acquirePullLock(file, { pid: 2222, isAlive: () => true })
  await writeFile(file, '3333')
  const old = Date.now() / 1000 - 120
  await utimes(file, old, old)
  const release = await acquirePullLock(file, { pid: 4444, host: 'here', isAlive: () => true })
  expect(await readFile(file, 'utf8')).toBe('4444 here')
  await release()
})

test('in another container the same number is another process: it is waited for until nobody touches the lock any more', async () => {
  await acquirePullLock(file, { pid: 7, host: 'one' })
  const waits: number[] = []
  const release = await acquirePullLock(file, {
    pid: 7,
    host: 'two',
    pollMs: 1,
    isAlive: () => false,
    onWait: (pid) => {
      waits.push(pid)
      const old = Date.now() / 1000 - 120
      void utimes(file, old, old)
    },
  })
  expect(waits).toEqual([7])
  await release()
})

test('waiting can be aborted', async () => {
  await acquirePullLock(file, { pid: 1111 })
  const controller = new AbortController()
  const waiting = acquirePullLock(file, {
    pid: 2222,
    isAlive: () => true,
    signal: controller.signal,
    onWait: () => controller.abort(new Error('enough')),
  })
  await expect(waiting).rejects.toThrow('enough')
})
