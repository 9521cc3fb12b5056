import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { sha256Of, startHubServer } from '../../test/fakes/hub-server.ts'
import type { HubServer } from '../../test/fakes/hub-server.ts'
import { createHttp } from '../base/http.ts'
import type { Http } from '../base/http.ts'
import { silentLogger } from '../base/logger.ts'
import { downloadFile } from './download.ts'
import type { DownloadOptions, DownloadProgress } from './download-options.ts'
import { createRateLimit } from './transfer/rate-limit.ts'

const data = Buffer.alloc(12_000_000)
for (let at = 0; at + 4 <= data.length; at += 4) data.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at)
const sha256 = sha256Of(data)

let hubs: HubServer[]
let http: Http
let folder = ''
const troubles: string[] = []

beforeEach(async () => {
  hubs = await Promise.all([startHubServer(), startHubServer(), startHubServer()])
  for (const hub of hubs) hub.repositories.set('org/repo', { files: { 'model.gguf': data } })
  http = createHttp()
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-many-'))
  troubles.length = 0
})
afterEach(async () => {
  await http.close()
  await Promise.all(hubs.map((hub) => hub.close()))
  await rm(folder, { recursive: true, force: true })
})

function hubAt(index: number): HubServer {
  const hub = hubs[index]
  if (!hub) throw new Error(`there is no hub ${index}`)
  return hub
}

function options(overrides: Partial<DownloadOptions> = {}): DownloadOptions {
  return {
    http,
    urls: hubs.map((hub, index) => ({ name: `hub${index}`, url: `${hub.origin}/org/repo/resolve/main/model.gguf` })),
    target: path.join(folder, 'model.gguf'),
    bytes: data.length,
    sha256,
    logger: silentLogger,
    pauseMs: 20,
    attempts: 3,
    onProgress: ({ trouble }) => trouble && troubles.push(`${trouble.source} ${trouble.kind}`),
    ...overrides,
  }
}

/** The hash of the file, and what lies beside it. */
async function arrived(): Promise<{ sha256: string; files: string[] }> {
  return { sha256: sha256Of(await readFile(path.join(folder, 'model.gguf'))), files: await readdir(folder) }
}
const WHOLE = { sha256, files: ['model.gguf'] }

const sent = (): number => hubs.reduce((total, hub) => total + hub.sentBytes(), 0)

test('all sources give their part, and hardly a byte comes twice', async () => {
  for (const hub of hubs) hub.order(/^\/cdn/, { kind: 'slow', pauseMs: 2 }, 1000)
  await downloadFile(options())
  expect(await arrived()).toEqual(WHOLE)
  for (const hub of hubs) expect(hub.sentBytes()).toBeGreaterThan(1_000_000)
  // What a server has put into the buffers of a connection that is given up counts as sent.
  expect(sent()).toBeLessThan(data.length * 1.05)
})

test('the hub is asked once for its address in the storage, not for every piece', async () => {
  const [first] = options().urls
  if (!first) throw new Error('no address')
  await downloadFile(options({ urls: [first], connections: 1 }))
  const asked = hubAt(0).requests.map((request) => request.path.split('/')[1])
  expect(asked.filter((part) => part === 'org')).toHaveLength(1)
  expect(asked.filter((part) => part === 'cdn').length).toBeGreaterThan(1)
})

test('an address in the storage that expires is asked for again', async () => {
  const [first] = options().urls
  if (!first) throw new Error('no address')
  let hasExpired = false
  const expire = (progress: DownloadProgress): void => {
    if (progress.doneBytes < 4_000_000 || hasExpired) return
    hasExpired = true
    hubAt(0).order(/^\/cdn/, { kind: 'status', status: 403 })
  }
  await downloadFile(options({ urls: [first], connections: 1, onProgress: expire }))
  expect(await arrived()).toEqual(WHOLE)
})

describe('a source that', () => {
  test('lies everywhere is found out early, dropped and told, and what it sent is fetched elsewhere', async () => {
    for (const hub of hubs) hub.order(/^\/cdn/, { kind: 'slow', pauseMs: 1 }, hub === hubAt(1) ? 0 : 1000)
    hubAt(1).order(/^\/cdn/, { kind: 'corrupt', everyBytes: 4096 }, 1000)
    await downloadFile(options())
    expect(await arrived()).toEqual(WHOLE)
    expect(troubles).toContain('hub1 lied')
    expect(hubAt(1).sentBytes()).toBeLessThan(data.length / 3)
  })

  test('was believed because only one other was there to disagree is found out when a third one comes', async () => {
    for (const hub of hubs) hub.order(/^\/cdn/, { kind: 'slow', pauseMs: 2 }, hub === hubAt(0) ? 0 : 1000)
    hubAt(0).order(/^\/cdn/, { kind: 'corrupt', everyBytes: 4096, pauseMs: 2 }, 1000)
    const stop = new AbortController()
    const onProgress = ({ doneBytes }: DownloadProgress): void => {
      if (doneBytes > 3_000_000 && troubles.includes('hub1 doubted')) stop.abort(new Error('enough'))
    }
    await expect(
      downloadFile(
        options({
          urls: options().urls.slice(0, 2),
          onProgress: (progress) => (options().onProgress?.(progress), onProgress(progress)),
          signal: stop.signal,
        }),
      ),
    ).rejects.toThrow('enough')
    await downloadFile(options())
    expect(await arrived()).toEqual(WHOLE)
    expect(troubles).toContain('hub0 lied')
    expect(hubAt(0).sentBytes()).toBeLessThan(data.length)
  })

  test('lies in one byte is found by the hash of the whole', async () => {
    hubAt(2).order(/^\/cdn/, { kind: 'wrong-bytes' }, 1000)
    await downloadFile(options())
    expect(await arrived()).toEqual(WHOLE)
  })

  test('dies in the middle does not stop the others', async () => {
    for (const hub of hubs) hub.order(/^\/cdn/, { kind: 'slow', pauseMs: 2 }, 1000)
    let isDead = false
    const killOne = ({ doneBytes }: DownloadProgress): void => {
      if (doneBytes > 3_000_000 && !isDead) {
        isDead = true
        void hubAt(0).close()
      }
    }
    const result = await downloadFile(options({ onProgress: killOne }))
    expect(isDead).toBe(true)
    expect(result.source).not.toBe('hub0')
    expect(await arrived()).toEqual(WHOLE)
    expect(sent()).toBeLessThan(data.length * 1.05)
  })

  test('stands still does not keep the last piece', async () => {
    hubAt(0).order(/^\/cdn/, { kind: 'stall', afterBytes: 100_000 }, 1000)
    await downloadFile(options({ stallMs: 300 }))
    expect(await arrived()).toEqual(WHOLE)
  })

  test('has another version, a portal page or no file at all is left out', async () => {
    hubAt(0).order(/^\/cdn/, { kind: 'wrong-length' }, 1000)
    hubAt(1).order(/./, { kind: 'html' }, 1000)
    await downloadFile(options())
    expect(await arrived()).toEqual(WHOLE)
    expect(troubles).toEqual(expect.arrayContaining(['hub0 wrong-length', 'hub1 web-page']))
  })

  test('ignores ranges is used only when there is no other', async () => {
    hubAt(0).order(/^\/cdn/, { kind: 'no-range' }, 1000)
    expect((await downloadFile(options())).source).not.toBe('hub0')
    expect(await arrived()).toEqual(WHOLE)
    await rm(path.join(folder, 'model.gguf'))
    const [first] = options().urls
    await downloadFile(options({ urls: first ? [first] : [] }))
    expect(await arrived()).toEqual(WHOLE)
  })

  test('says that it is busy gets fewer connections', async () => {
    hubAt(0).order(/^\/cdn/, { kind: 'status', status: 429, headers: { 'retry-after': '0' } }, 3)
    const [first] = options().urls
    await downloadFile(options({ urls: first ? [first] : [] }))
    expect(await arrived()).toEqual(WHOLE)
    expect(troubles).toContain('hub0 busy')
  })
})

test('when all lie, nothing is left behind but the reason', async () => {
  for (const hub of hubs) hub.order(/^\/cdn/, { kind: 'wrong-bytes' }, 10_000)
  await expect(downloadFile(options())).rejects.toMatchObject({ code: 'checksum-mismatch' })
  expect(await readdir(folder)).toEqual([])
})

test('a cap on the speed is kept', async () => {
  const waits: number[] = []
  let clock = 0
  const limit = createRateLimit({
    bytesPerSecond: 4_000_000,
    now: () => clock,
    delay: async (ms) => {
      waits.push(ms)
      clock += ms
    },
  })
  await downloadFile(options({ limit, connections: 1, urls: options().urls.slice(0, 1) }))
  expect(await arrived()).toEqual(WHOLE)
  // 12 MB at 4 MB/s, less what may pass at once.
  expect(clock).toBeGreaterThan(2600)
  expect(clock).toBeLessThan(3500)
})

test('a disk that is too small is told before the first byte', async () => {
  await expect(downloadFile(options({ bytes: 1e18 }))).rejects.toMatchObject({ code: 'disk-full' })
  expect(sent()).toBe(0)
})
