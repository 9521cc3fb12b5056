/** One bendi server takes a model from another on the same machine, each with a data folder of its own. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createClient } from '../../src/shared/client.ts'
import type { Model, Pull } from '../../src/shared/api.ts'
import { tinyModelBytes } from '../fakes/gguf-header.ts'
import { createCliHome } from '../fixtures/cli-run.ts'
import type { CliHome, RunningCli } from '../fixtures/cli-run.ts'

const NAME = 'tiny-q8_0'
const gguf = tinyModelBytes({ name: 'Tiny', extraBytes: 6_000_000 })
const hashOf = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')
const hash = hashOf(gguf)

let homes: [CliHome, CliHome]
let servers: RunningCli[] = []
let relays: http.Server[] = []
beforeEach(async () => {
  homes = [await createCliHome(), await createCliHome()]
  const source = path.join(homes[0].folder, 'source')
  await mkdir(source)
  await writeFile(path.join(source, `${NAME}.gguf`), gguf)
  await homes[0].run(['import', source])
})
afterEach(async () => {
  for (const server of servers) server.signal()
  await Promise.all(servers.map((server) => server.done))
  for (const relay of relays) relay.closeAllConnections()
  await Promise.all(relays.map((relay) => new Promise((resolve) => relay.close(resolve))))
  servers = []
  relays = []
  await Promise.all(homes.map((home) => home.remove()))
})

async function serve(home: CliHome, ...flags: string[]): Promise<string> {
  const server = home.start(['serve', '--port', '0', ...flags])
  servers.push(server)
  await server.until('http://127.0.0.1:')
  const [address = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(server.stdout() + server.stderr()) ?? []
  return address
}

const hostOf = (address: string): string => new URL(address).host
const shared = (): Promise<string> => serve(homes[0], '--peer-sharing')

async function pullThere(address: string, reference: string): Promise<{ last: Pull; model?: Model | undefined }> {
  const client = createClient({ baseUrl: address })
  const { id } = await client.call('startPull', { body: { reference } })
  let last: Pull | undefined
  for await (const pull of client.events('watchPull', { params: { id } })) last = pull
  if (!last) throw new Error('the pull told nothing')
  return { last, model: last.model }
}

/** In front of a peer: breaks off the first `times` answers that carry a file after so many bytes. */
async function breaking(target: string, afterBytes: number, times: number): Promise<string> {
  let left = times
  const relay = http.createServer((request, response) => {
    const upstream = http.request(`${target}${request.url ?? ''}`, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      const breaks = request.method === 'GET' && (request.url ?? '').includes('/files/') && left-- > 0
      let sent = 0
      answer.on('data', (piece: Buffer) => {
        sent += piece.length
        response.write(piece)
        if (breaks && sent >= afterBytes) response.destroy()
      })
      answer.on('end', () => response.end())
      answer.on('error', () => response.destroy())
    })
    upstream.on('error', () => response.destroy())
    response.on('close', () => upstream.destroy())
    upstream.end()
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  relays.push(relay)
  return `127.0.0.1:${(relay.address() as AddressInfo).port}`
}

async function hashIn(home: CliHome): Promise<string> {
  const { stdout } = await home.run(['list', '--json'])
  const [model] = JSON.parse(stdout) as Model[]
  const { stdout: usage } = await home.run(['du', '--json'])
  const { models } = JSON.parse(usage) as { models: { path: string }[] }
  return hashOf(await readFile(path.join(models[0]?.path ?? '', model?.files[0]?.path ?? '')))
}

it('takes a model from the other server, as what it is there', async () => {
  const [from, to] = await Promise.all([shared(), serve(homes[1])])
  const { last, model } = await pullThere(to, `peer:${hostOf(from)}/${NAME}`)
  expect(last).toMatchObject({ state: 'done', source: `peer:${hostOf(from)}` })
  expect(model).toMatchObject({ title: 'Tiny', bytes: gguf.length, files: [{ path: `${NAME}.gguf`, sha256: hash }] })
  expect(await hashIn(homes[1])).toBe(hash)
})

it('goes on when the peer breaks off in the middle', async () => {
  const [from, to] = await Promise.all([shared(), serve(homes[1])])
  const relay = await breaking(from, 1_500_000, 3)
  const { last } = await pullThere(to, `peer:${relay}/${NAME}`)
  expect(last.state).toBe('done')
  expect(await hashIn(homes[1])).toBe(hash)
})

it('keeps what has come when the peer dies for good, and goes on when it is back', async () => {
  const [from, to] = await Promise.all([shared(), serve(homes[1])])
  const dying = await breaking(from, 1_500_000, Number.POSITIVE_INFINITY)
  const client = createClient({ baseUrl: to })
  const { id } = await client.call('startPull', { body: { reference: `peer:${dying}/${NAME}` } })
  for await (const pull of client.events('watchPull', { params: { id } })) {
    if (pull.doneBytes < 1_000_000) continue
    relays[0]?.close()
    relays[0]?.closeAllConnections()
    await client.call('cancelPull', { params: { id } })
    break
  }
  expect(await client.call('listModels')).toEqual([])
  const { folders } = await client.call('diskUsage')
  expect(folders[0]?.unfinishedBytes).toBeGreaterThan(900_000)
  const again = await pullThere(to, `peer:${hostOf(from)}/${NAME}`)
  expect(again.last.state).toBe('done')
  expect(await hashIn(homes[1])).toBe(hash)
})

it('is told when the other does not share, does not have it, or is not there', async () => {
  const [closed, to] = await Promise.all([serve(homes[0]), serve(homes[1])])
  for (const host of [hostOf(closed), '127.0.0.1:1'])
    await expect(pullThere(to, `peer:${host}/${NAME}`)).rejects.toMatchObject({ code: 'source-unreachable' })
})

it('holds to the limit of the command that asked for it, though a server does the work', async () => {
  const [from] = await Promise.all([shared(), serve(homes[1])])
  const started = performance.now()
  const { code, stderr } = await homes[1].run(['pull', `peer:${hostOf(from)}/${NAME}`, '--limit-rate', '4MB'])
  expect(stderr).toContain('is here')
  expect(code).toBe(0)
  expect(performance.now() - started).toBeGreaterThan(1000)
})
