import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findHolder, tryLock } from './lock.ts'
import type { LockAttempt, LockContent } from './lock.ts'

let folder = ''
let file = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-lock-'))
  file = path.join(folder, 'server.lock')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function lockOf(attempt: LockAttempt): Extract<LockAttempt, { lock: unknown }>['lock'] {
  if (!('lock' in attempt)) throw new Error(`held by ${attempt.holder.pid}`)
  return attempt.lock
}

/** A process that has ended: its pid is nobody's. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid
}

const content = (more: Partial<LockContent>): string =>
  JSON.stringify({ pid: process.pid, command: 'serve', since: 1, token: 't', ...more })

describe('the lock of a data folder', () => {
  it('says in the user’s words that nothing can be written there', async () => {
    await writeFile(path.join(folder, 'a-file'), '')
    const inFile = path.join(folder, 'a-file', 'home', 'server.lock')
    await expect(tryLock({ file: inFile, command: 'serve' })).rejects.toMatchObject({
      code: 'folder-not-writable',
      data: { path: path.dirname(inFile), reason: 'ENOTDIR' },
    })
  })

  it('is held by one, readable by its user alone, and free after release', async () => {
    const lock = lockOf(await tryLock({ file, command: 'serve' }))
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const second = await tryLock({ file, command: 'pull' })
    expect(second).toMatchObject({ holder: { pid: process.pid, command: 'serve' } })
    await lock.release()
    lockOf(await tryLock({ file, command: 'pull' }))
  })

  it('tells the address once it is published', async () => {
    const lock = lockOf(await tryLock({ file, command: 'serve' }))
    expect((await findHolder({ file }))?.address).toBeUndefined()
    await lock.publish('http://127.0.0.1:1')
    expect((await findHolder({ file }))?.address).toBe('http://127.0.0.1:1')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
  })

  it('goes to exactly one of many that try at once, also over a stale lock, and leaves no drafts', async () => {
    await writeFile(file, content({ pid: deadPid() }))
    const attempts = await Promise.all(Array.from({ length: 20 }, () => tryLock({ file, command: 'serve' })))
    expect(attempts.filter((attempt) => 'lock' in attempt)).toHaveLength(1)
    expect(await readdir(folder)).toEqual(['server.lock'])
  })

  it('is taken over from a process that is gone', async () => {
    await writeFile(file, content({ pid: deadPid(), address: 'http://127.0.0.1:1' }))
    expect(await findHolder({ file })).toBeUndefined()
    lockOf(await tryLock({ file, command: 'serve' }))
  })

  it('is taken over when the file is damaged', async () => {
    await writeFile(file, '{"pid":')
    expect(await tryLock({ file, command: 'serve' })).toHaveProperty('lock')
  })

  it('is taken over when the pid now belongs to a process that began at another time', async () => {
    await writeFile(file, content({ processStart: 'yesterday' }))
    expect(await tryLock({ file, command: 'serve', processStartOf: () => 'today' })).toHaveProperty('lock')
  })

  it('is taken over when the address does not answer with its pid, and stays when it does', async () => {
    let answered = process.pid + 1
    const server = createServer((_request, response) =>
      response.end(JSON.stringify({ name: 'bendi', version: '1', pid: answered, startedAt: 1, home: folder })),
    )
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    try {
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      await writeFile(file, content({ address }))
      const options = { file, command: 'serve', processStartOf: () => undefined }
      expect(await findHolder(options)).toBeUndefined()
      answered = process.pid
      expect(await tryLock(options)).toMatchObject({ holder: { address } })
    } finally {
      server.close()
    }
  })

  it('stays with a server that is too busy to answer', async () => {
    await writeFile(file, content({ address: 'http://127.0.0.1:1' }))
    const attempt = await tryLock({ file, command: 'serve', processStartOf: () => undefined, askPid: async () => 'silent' })
    expect(attempt).toMatchObject({ holder: { pid: process.pid } })
  })

  it('is not released by one who has lost it', async () => {
    const lock = lockOf(await tryLock({ file, command: 'serve' }))
    await writeFile(file, content({ token: 'of somebody else' }))
    await lock.release()
    expect(await readFile(file, 'utf8')).toContain('of somebody else')
  })
})
