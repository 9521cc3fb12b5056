import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { sha256Of, startHubServer } from '../../test/fakes/hub-server.ts'
import type { HubServer } from '../../test/fakes/hub-server.ts'
import { createHttp } from '../base/http.ts'
import type { Http } from '../base/http.ts'
import { silentLogger } from '../base/logger.ts'
import { downloadFile } from './download.ts'
import type { DownloadOptions } from './download-options.ts'
import { journalFile, openJournal, partFile } from './part-journal.ts'
import type { PartIdentity } from './part-journal.ts'

const data = Buffer.from(Array.from({ length: 400_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff))
const sha256 = sha256Of(data)

let hub: HubServer
let http: Http
let folder = ''
const pauses: number[] = []

beforeEach(async () => {
  hub = await startHubServer()
  hub.repositories.set('org/repo', { files: { 'model.gguf': data } })
  http = createHttp()
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-download-'))
  pauses.length = 0
})
afterEach(async () => {
  await http.close()
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

function options(overrides: Partial<DownloadOptions> = {}): DownloadOptions {
  return {
    http,
    urls: [{ name: 'hub', url: `${hub.origin}/org/repo/resolve/main/model.gguf`, repository: 'org/repo' }],
    target: path.join(folder, 'model.gguf'),
    bytes: data.length,
    sha256,
    logger: silentLogger,
    delay: async (ms) => void pauses.push(ms),
    random: () => 0.5,
    ...overrides,
  }
}

/** What lies in the folder now, and the hash of the file. */
async function arrived(): Promise<{ sha256: string; files: string[] }> {
  return { sha256: sha256Of(await readFile(path.join(folder, 'model.gguf'))), files: await readdir(folder) }
}
const WHOLE = { sha256, files: ['model.gguf'] }

test('a file arrives whole, and nothing is left beside it', async () => {
  const progress: number[] = []
  const result = await downloadFile(options({ onProgress: ({ doneBytes }) => progress.push(doneBytes) }))
  expect(result).toEqual({ path: path.join(folder, 'model.gguf'), bytes: data.length, sha256, source: 'hub' })
  expect(progress.at(-1)).toBe(data.length)
  expect(progress).toEqual(progress.toSorted((a, b) => a - b))
  expect(await arrived()).toEqual(WHOLE)
})

test('a file that is already there and right is not downloaded again', async () => {
  await writeFile(path.join(folder, 'model.gguf'), data)
  await downloadFile(options())
  expect(hub.requests).toEqual([])
})

describe('what goes wrong on the way is mended', () => {
  test('a cut connection goes on where it ended', async () => {
    hub.order(/^\/cdn/, { kind: 'cut', afterBytes: 150_000 })
    await downloadFile(options())
    expect(await arrived()).toEqual(WHOLE)
    const ranges = hub.requests.filter((request) => request.path.startsWith('/cdn')).map((request) => request.range)
    expect(ranges).toHaveLength(2)
    expect(ranges[1]).toMatch(/^bytes=\d{5,}-$/)
  })

  test('a connection that falls silent is given up and resumed', async () => {
    hub.order(/^\/cdn/, { kind: 'stall', afterBytes: 100_000 })
    await downloadFile(options({ stallMs: 600 }))
    expect(await arrived()).toEqual(WHOLE)
    expect(hub.sentBytes()).toBeLessThan(data.length * 1.05)
  })

  test('wrong bytes are thrown away and fetched again', async () => {
    hub.order(/^\/cdn/, { kind: 'wrong-bytes' })
    await downloadFile(options())
    expect(await arrived()).toEqual(WHOLE)
  })

  test('a web page with status 200 never becomes a model', async () => {
    hub.order(/resolve/, { kind: 'html' })
    await downloadFile(options())
    expect(await arrived()).toEqual(WHOLE)
  })

  test('a server that is busy is asked again when it said', async () => {
    hub.order(/resolve/, { kind: 'status', status: 429, headers: { 'retry-after': '7' } })
    hub.order(/resolve/, { kind: 'status', status: 503 })
    await downloadFile(options())
    expect(pauses).toEqual([7000, 1000])
  })

  test('a server that ignores ranges sends everything, and that is used', async () => {
    hub.order(/^\/cdn/, { kind: 'cut', afterBytes: 150_000 })
    hub.order(/^\/cdn/, { kind: 'no-range' })
    await downloadFile(options())
    expect(await arrived()).toEqual(WHOLE)
  })

  test('another address is used when the first one is down, without sending it the token', async () => {
    hub.order(/^\/gone/, { kind: 'status', status: 500 }, 100)
    const [good] = options().urls
    if (!good) throw new Error('no address')
    const result = await downloadFile(
      options({ urls: [{ name: 'down', url: `${hub.origin}/gone/x`, headers: { authorization: 'Bearer x' } }, good] }),
    )
    expect(result.source).toBe('hub')
    expect(hub.requests.filter((request) => request.authorization).map((request) => request.path)).toEqual(['/gone/x'])
  })
})

describe('what cannot be mended is told', () => {
  test('a file that never has the published hash', async () => {
    hub.order(/^\/cdn/, { kind: 'wrong-bytes' }, 100)
    await expect(downloadFile(options())).rejects.toMatchObject({ code: 'checksum-mismatch', data: { expected: sha256 } })
    expect(await readdir(folder)).toEqual([])
  })

  test('a file with another length than was published is not even begun', async () => {
    hub.order(/^\/cdn/, { kind: 'wrong-length' }, 100)
    await expect(downloadFile(options())).rejects.toThrow(/has a file of 399999 bytes, and 400000 were published/)
    expect(await readdir(folder)).toEqual([])
  })

  test('a repository whose licence was not accepted', async () => {
    hub.repositories.set('org/gated', { files: { 'model.gguf': data }, gatedToken: 'good' })
    const url = `${hub.origin}/org/gated/resolve/main/model.gguf`
    await expect(downloadFile(options({ urls: [{ name: 'hub', url, repository: 'org/gated' }] }))).rejects.toMatchObject({
      code: 'gated-model',
    })
    await downloadFile(options({ urls: [{ name: 'hub', url, repository: 'org/gated', headers: { authorization: 'Bearer good' } }] }))
    expect(await arrived()).toEqual(WHOLE)
  })

  test('a host that fails every time, after growing pauses', async () => {
    hub.order(/resolve/, { kind: 'status', status: 502 }, 100)
    await expect(downloadFile(options())).rejects.toMatchObject({ code: 'download-failed' })
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000])
  })
})

describe('a later run', () => {
  /** As a killed process leaves it: a part with a hole, and a journal. */
  async function leavePart(
    bytes: number,
    content: Buffer = data,
    identity: PartIdentity = { sha256, totalBytes: data.length },
  ): Promise<void> {
    const target = path.join(folder, 'model.gguf')
    await writeFile(partFile(target), Buffer.concat([content.subarray(0, bytes), Buffer.alloc(data.length - bytes)]))
    const journal = await openJournal(target, { identity, arrived: new Map([['hub', [{ start: 0, end: bytes }]]]), verdicts: new Map() })
    await journal.close()
  }

  test('goes on after kill -9 and fetches nothing twice', async () => {
    await leavePart(300_000)
    await downloadFile(options())
    expect(await arrived()).toEqual(WHOLE)
    expect(hub.sentBytes()).toBe(100_000)
  })

  test('finds damage in what was there, and starts again', async () => {
    await leavePart(300_000, Buffer.alloc(data.length))
    await downloadFile(options())
    expect(await arrived()).toEqual(WHOLE)
  })

  test('does not go on with a part of something else', async () => {
    await leavePart(300_000, data, { sha256: '0'.repeat(64), totalBytes: data.length })
    await downloadFile(options())
    expect(hub.sentBytes()).toBe(data.length)
  })

  test('survives a broken journal', async () => {
    await leavePart(300_000)
    await writeFile(journalFile(path.join(folder, 'model.gguf')), '{"half')
    await downloadFile(options())
    expect(await arrived()).toEqual(WHOLE)
  })

  test('starts again when the part is longer than the file', async () => {
    await leavePart(300_000)
    await writeFile(partFile(path.join(folder, 'model.gguf')), Buffer.alloc(data.length + 10))
    await downloadFile(options())
    expect(await arrived()).toEqual(WHOLE)
  })

  test('without a published hash goes on only when the ETag is the same', async () => {
    const url = `${hub.origin}/cdn/${sha256}`
    const unknown = { bytes: undefined, sha256: undefined, urls: [{ name: 'hub', url }] }
    await leavePart(200_000, data, { url, totalBytes: data.length, etag: `"${sha256}"` })
    await downloadFile(options(unknown))
    expect(await arrived()).toEqual(WHOLE)
    // One byte more: the question for the ETag.
    expect(hub.sentBytes()).toBe(200_001)
    await rm(path.join(folder, 'model.gguf'))
    await leavePart(300_000, Buffer.alloc(data.length), { url, totalBytes: data.length, etag: '"older"' })
    await downloadFile(options(unknown))
    expect(await arrived()).toEqual(WHOLE)
    expect(hub.sentBytes()).toBe(200_001 + data.length + 1)
  })

  test('on a machine that has started again goes on only from what was on the disk for sure', async () => {
    await leavePart(300_000, data, { sha256, totalBytes: data.length, boot: 'an earlier one' })
    await downloadFile(options())
    expect(await arrived()).toEqual(WHOLE)
    expect(hub.sentBytes()).toBe(data.length)
  })
})

test('aborting stops at once and keeps what has arrived', async () => {
  hub.order(/^\/cdn/, { kind: 'stall', afterBytes: 200_000 })
  const controller = new AbortController()
  const running = downloadFile(
    options({ signal: controller.signal, onProgress: ({ doneBytes }) => doneBytes >= 150_000 && controller.abort(new Error('stop')) }),
  )
  await expect(running).rejects.toThrow('stop')
  await downloadFile(options())
  expect(await arrived()).toEqual(WHOLE)
  expect(hub.sentBytes()).toBeLessThan(data.length * 1.3)
})
