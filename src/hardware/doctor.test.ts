import net from 'node:net'
import type { AddressInfo } from 'node:net'

import { expect, test } from 'vitest'

import { startHubServer } from '../../test/fakes/hub-server.ts'
import { FindingSchema } from '../shared/api.ts'
import type { Finding, Hardware } from '../shared/api.ts'
import { cpuFinding, diagnose, diskFinding, gpuFinding, memoryFinding, nodeFinding } from './doctor.ts'
import type { DiagnoseInput } from './doctor.ts'
import { probePort } from './port.ts'

const GB = 1e9
const hardware: Hardware = {
  platform: 'linux-x64',
  cpu: { model: 'EPYC', cores: 8, physicalCores: 4, features: ['avx2'] },
  memory: { totalBytes: 16 * GB, availableBytes: 12 * GB },
  disk: { path: '/data', freeBytes: 100 * GB, totalBytes: 200 * GB },
  gpus: [],
}

async function findings(input: Partial<DiagnoseInput> = {}): Promise<Map<string, Finding>> {
  const list = await diagnose({ hardware, nodeVersion: 'v22.12.0', ...input })
  for (const finding of list) expect(FindingSchema.parse(finding)).toEqual(finding)
  return new Map(list.map((finding) => [finding.id, finding]))
}

test('a good machine has no complaints', async () => {
  const list = await findings()
  expect([...list.values()].map((finding) => finding.level)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok'])
})

test('every complaint has a remedy in both languages', () => {
  const bad = [
    nodeFinding('v18.20.0'),
    nodeFinding('v20.18.9'),
    cpuFinding({ ...hardware, cpu: { ...hardware.cpu, features: ['avx'] } }),
    cpuFinding({ ...hardware, cpu: { ...hardware.cpu, cores: 0.5 } }),
    memoryFinding({ ...hardware, memory: { totalBytes: 16 * GB, availableBytes: GB } }),
    memoryFinding({ ...hardware, memory: { totalBytes: 16 * GB, availableBytes: 0.1 * GB, limitBytes: GB } }),
    diskFinding({ ...hardware, disk: { ...hardware.disk, freeBytes: GB } }),
    gpuFinding({ ...hardware, gpus: [{ vendor: 'ascend', name: 'Ascend 910B', memoryBytes: 64 * GB, freeBytes: 60 * GB }] }),
    gpuFinding({
      ...hardware,
      gpus: [{ vendor: 'nvidia', name: 'Tesla K80', memoryBytes: 12 * GB, freeBytes: 12 * GB, capability: '3.7' }],
    }),
  ]
  for (const finding of bad) {
    expect(finding.level, finding.id).not.toBe('ok')
    expect(finding.remedy?.en, finding.id).toBeTruthy()
    expect(finding.remedy?.zh, finding.id).toMatch(/[\u4e00-\u9fff]/)
  }
  expect(nodeFinding('v20.19.0').level).toBe('ok')
})

test('a taken port names the next one', async () => {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const taken = await findings({ port: { host: '127.0.0.1', port } })
  expect(taken.get('port')).toMatchObject({ level: 'problem', remedy: { en: `Use another one: --port ${port + 1}` } })
  const ours = await findings({ port: { host: '127.0.0.1', port, owner: `http://127.0.0.1:${port}` } })
  expect(ours.get('port')?.level).toBe('ok')
  await new Promise((resolve) => server.close(resolve))
  expect(await probePort('127.0.0.1', port)).toBe('free')
})

test('hubs are told with their time, and only silence of all is a complaint', async () => {
  const hub = await startHubServer()
  const down = { name: 'down', url: 'http://127.0.0.1:9' }
  const mixed = await findings({ hubs: [{ name: 'up', url: hub.origin }, down] })
  expect(mixed.get('hubs')).toMatchObject({ level: 'ok', detail: { en: expect.stringMatching(/^up: \d+ ms; down: no answer$/) } })
  await hub.close()
  expect((await findings({ hubs: [down] })).get('hubs')).toMatchObject({
    level: 'warning',
    remedy: { en: expect.stringContaining('HF_ENDPOINT') },
  })
  expect((await findings({ hubs: [down], offline: true })).get('hubs')?.level).toBe('ok')
})

test('passwords of a proxy are not shown', async () => {
  const proxy = (await findings({ proxies: { https: 'http://me:secret@proxy.test:3128', no: 'internal' } })).get('proxy')
  expect(proxy?.detail.en).toBe('http://proxy.test:3128; NO_PROXY: internal')
})

test('what the platform knows stands after the processor', async () => {
  const kernel: Finding = { id: 'kernel', level: 'ok', title: { en: 'Kernel', zh: '内核' }, detail: { en: 'icelake', zh: 'icelake' } }
  expect([...(await findings({ extra: [kernel] })).keys()].slice(0, 3)).toEqual(['node', 'cpu', 'kernel'])
})
