import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { expect, test } from 'vitest'

import { deferred } from '../../base/async.ts'
import type { Http } from '../../base/http.ts'
import { receivePiece } from './receive-piece.ts'
import type { Connection } from './receive-piece.ts'
import { newSource } from './source-state.ts'

const data = Buffer.from('0123456789')

const http: Http = {
  options: {},
  request: async (url) => ({
    url,
    status: 200,
    headers: new Headers({ 'content-length': String(data.length) }),
    redirects: [],
    body: (async function* () {
      yield data.subarray(0, 4)
      yield data.subarray(4)
    })(),
    text: async () => '',
    discard: async () => {},
  }),
  close: async () => {},
}

test('a connection that our own limit holds back never counts as one that stands still', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-piece-'))
  const handle = await open(path.join(folder, 'x'), 'w+')
  const source = newSource({ name: 'hub', url: 'http://127.0.0.1/x' }, 1)
  const connection: Connection = {
    source,
    start: 0,
    at: 0,
    end: data.length,
    speed: 0,
    startedAt: 0,
    lastByteAt: 0,
    abort: new AbortController(),
    sampledAt: 0,
    sampledBytes: 0,
    closed: deferred(),
  }
  let clock = 0
  const idle: number[] = []
  const limit = {
    take: async () => {
      clock += 60_000
      idle.push(clock - connection.lastByteAt)
    },
  }
  const context = {
    http,
    totalBytes: data.length,
    sources: [source],
    handle,
    disk: { slowUntil: 0, now: () => 0 },
    limit,
    onWritten: () => {},
  }
  await receivePiece({ ...context, now: () => clock }, connection)
  expect(idle.every((ms) => ms <= 0)).toBe(true)
  expect(connection.lastByteAt).toBe(clock)
  await handle.close()
  expect(await readFile(path.join(folder, 'x'), 'utf8')).toBe('0123456789')
  await rm(folder, { recursive: true })
})
