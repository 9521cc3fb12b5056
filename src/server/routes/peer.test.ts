import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import type { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { createScriptedPlatform, scriptedModel } from '../../../test/fakes/scripted-platform.ts'
import { silentLogger } from '../../base/logger.ts'
import type { Platform } from '../../platform/platform.ts'
import { createApp } from '../app.ts'
import { parseRange } from './peer.ts'

const SHA = 'a'.repeat(64)
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-peer-'))
  await writeFile(path.join(folder, 'x.gguf'), '0123456789')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function app(isShared: boolean): Hono {
  const platform: Platform = createScriptedPlatform()
  platform.care = {
    ...platform.care,
    isShared,
    sharedFile: async (sha256) => (sha256 === SHA ? { path: path.join(folder, 'x.gguf'), bytes: 10 } : undefined),
    sharedModels: async () => [
      { ...scriptedModel('pulled'), source: 'huggingface', folder: '/secret/disk' },
      { ...scriptedModel('own'), source: 'file' },
    ],
  }
  return createApp({ platform, logger: silentLogger, version: '0', corsOrigins: [], allowedHosts: () => [] })
}

describe('models for other bendi servers', () => {
  it('are not there unless sharing is on', async () => {
    for (const address of ['/api/peer/models', `/api/peer/files/${SHA}`]) expect((await app(false).request(address)).status).toBe(404)
  })

  it('are listed without folders of this machine', async () => {
    const text = await (await app(true).request('/api/peer/models')).text()
    expect(text).toContain('pulled')
    expect(text).not.toMatch(/secret|"own"/)
  })

  it('are sent by their hash, whole or in part', async () => {
    const get = (headers: Record<string, string> = {}): Response | Promise<Response> =>
      app(true).request(`/api/peer/files/${SHA}`, { headers })
    const whole = await get()
    expect([whole.status, await whole.text(), whole.headers.get('etag')]).toEqual([200, '0123456789', `"${SHA}"`])
    const part = await get({ range: 'bytes=2-4' })
    expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([206, '234', 'bytes 2-4/10'])
    expect((await get({ range: 'bytes=10-' })).status).toBe(416)
    expect((await get({ range: 'bytes=2-4', 'if-range': '"other"' })).status).toBe(200)
    expect((await app(true).request(`/api/peer/files/${'b'.repeat(64)}`)).status).toBe(404)
    expect((await app(true).request('/api/peer/files/..%2F..%2Fetc%2Fpasswd')).status).toBe(404)
  })

  it('come only to callers that the policy lets in', async () => {
    const response = await app(true).request(`/api/peer/files/${SHA}`, { headers: { host: 'evil.example' } })
    expect(response.status).toBe(403)
  })
})

it.each([
  ['bytes=0-', { start: 0, end: 9 }],
  ['bytes=-3', { start: 7, end: 9 }],
  ['bytes=-30', { start: 0, end: 9 }],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=3-99', { start: 3, end: 9 }],
  ['bytes=5-4', undefined],
  ['bytes=0-1,3-4', undefined],
  ['lines=0-1', undefined],
])('the range %s of ten bytes', (header, expected) => {
  expect(parseRange(header, 10)).toEqual(expected)
})
