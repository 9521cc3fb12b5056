import { mkdtemp, readFile, rm } from 'node:fs/promises'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { tinyModelBytes } from '../../test/fakes/gguf-header.ts'
import { sha256Of, startHubServer } from '../../test/fakes/hub-server.ts'
import type { HubServer } from '../../test/fakes/hub-server.ts'
import { startConnectProxy, startSocksProxy } from '../../test/fakes/proxy-server.ts'
import type { ProxyOptions, ProxyServer } from '../../test/fakes/proxy-server.ts'
import { exceptions } from '../base/proxy.ts'
import type { ProxySettings } from '../base/proxy.ts'
import { silentLogger } from '../base/logger.ts'
import type { Model } from '../shared/api.ts'
import { openLibrary } from './library.ts'
import type { Library } from './library.ts'
import { pullModel } from './pull.ts'
import { parseReference } from './reference.ts'

const gguf = tinyModelBytes({ extraBytes: 3_000_000 })
let hub: HubServer
let folder = ''
let library: Library
const proxies: ProxyServer[] = []
beforeEach(async () => {
  hub = await startHubServer()
  hub.repositories.set('org/repo', { files: { 'x-Q4_K_M.gguf': gguf } })
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-proxy-'))
  library = openLibrary(path.join(folder, 'models'))
})
afterEach(async () => {
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()))
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

/** Of a hub that only the proxy can find. */
function pull(settings: ProxySettings): Promise<Model> {
  return pullModel(parseReference('hf:org/repo'), {
    library,
    env: { hfEndpoint: 'http://hub.test', hfMirror: false, modelscopeEndpoint: 'http://hub.test', proxies: settings },
    logger: silentLogger,
    tuning: { pauseMs: 1, attempts: 2, resolveMs: 5000 },
  })
}

const port = (): number => Number(new URL(hub.origin).port)

async function start(kind: 'http' | 'socks5', options: Partial<ProxyOptions> = {}): Promise<ProxyServer> {
  const proxy = await (kind === 'http' ? startConnectProxy : startSocksProxy)({ port: port(), ...options })
  proxies.push(proxy)
  return proxy
}

describe.each(['http', 'socks5'] as const)('through a %s proxy', (kind) => {
  test('a model is pulled, its storage and all', async () => {
    const proxy = await start(kind)
    const model = await pull({ all: `${kind}://${proxy.host}` })
    expect(sha256Of(await readFile(library.fileOf(model)))).toBe(sha256Of(gguf))
    expect(new Set(proxy.tunnels.map(({ target }) => target))).toEqual(new Set(['hub.test:80']))
  })

  test('the name and password of its address are told to it, whatever signs are in them', async () => {
    const proxy = await start(kind, { login: 'li ming:p@ss/word' })
    await pull({ http: `${kind}://li%20ming:p%40ss%2Fword@${proxy.host}` })
    expect(proxy.tunnels[0]?.login).toBe('li ming:p@ss/word')
  })

  test('without the right password the error names the proxy, not the password', async () => {
    const proxy = await start(kind, { login: 'name:right' })
    const failure = await pull({ all: `${kind}://name:wrong@${proxy.host}` }).catch((error: Error) => error)
    expect((failure as Error).message).toMatch(
      new RegExp(`hub\\.test through the proxy ${kind}://${proxy.host}: it wants a name and a password`),
    )
    expect((failure as Error).message).not.toContain('wrong')
  })

  test('a proxy that is not there is named', async () => {
    const nobody = await freePort()
    await expect(pull({ all: `${kind}://127.0.0.1:${nobody}` })).rejects.toMatchObject({
      code: 'source-unreachable',
      message: expect.stringMatching(new RegExp(`through the proxy ${kind}://127\\.0\\.0\\.1:${nobody}: .*ECONNREFUSED`)),
    })
  })

  test('hosts of NO_PROXY are not asked for through it', async () => {
    const proxy = await start(kind)
    await expect(pull({ all: `${kind}://${proxy.host}`, no: 'example.test, .test' })).rejects.toMatchObject({ code: 'source-unreachable' })
    expect(proxy.tunnels).toEqual([])
  })
})

test('an address that is none is said to be none, without its password', async () => {
  await expect(pull({ all: 'ftp://name:secret@proxy.test' })).rejects.toMatchObject({
    message: expect.stringMatching(/the address of the proxy is none: ftp:\/\/proxy\.test/),
  })
})

test.each([
  ['hub.test', 'http://hub.test/', true],
  ['hub.test', 'http://a.hub.test/', true],
  ['.hub.test', 'http://a.hub.test/', true],
  ['*.hub.test', 'http://a.hub.test/', true],
  ['hub.test', 'http://nohub.test/', false],
  ['hub.test:8080', 'http://hub.test/', false],
  ['hub.test:8080', 'http://hub.test:8080/', true],
  ['hub.test:443', 'https://hub.test/', true],
  ['10.0.0.0/8', 'http://10.1.2.3:8400/', true],
  ['10.0.0.0/8', 'http://11.1.2.3/', false],
  ['fd00::/8', 'http://[fd00::1]:8400/', true],
  ['[::1]:80', 'http://[::1]/', true],
  ['*', 'https://anything.test/', true],
  ['HUB.test  other.test', 'https://other.test/', true],
  ['', 'https://other.test/', false],
])('NO_PROXY %j and %s: %s', (list, url, isExcepted) => {
  expect(exceptions(list)(new URL(url))).toBe(isExcepted)
})

async function freePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: free } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return free
}
