import net from 'node:net'
import type { AddressInfo } from 'node:net'

import { expect, test } from 'vitest'

import { startHubServer } from '../../test/fakes/hub-server.ts'
import { DISK_KINDS, FindingSchema, PROBE_TROUBLES } from '../shared/hardware.ts'
import type { Finding, Hardware } from '../shared/hardware.ts'
import { diagnose } from './doctor.ts'
import type { DiagnoseInput } from './doctor.ts'
import { gpuFinding, gpuFindings } from './findings/gpus.ts'
import { hostFindings } from './findings/host.ts'
import {
  cpuFinding,
  diskFinding,
  diskKindFindings,
  diskSpeedFindings,
  memoryFinding,
  nodeFinding,
  swapFindings,
} from './findings/machine.ts'
import { toolFindings } from './findings/tools.ts'
import type { Host } from './host.ts'
import { probePort } from './port.ts'
import type { Toolchains } from './toolchains.ts'

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

const nvidia = (facts: Partial<Hardware['gpus'][number]> = {}): Hardware['gpus'][number] => ({
  vendor: 'nvidia',
  name: 'NVIDIA GeForce RTX 4090',
  memoryBytes: 24 * GB,
  freeBytes: 23 * GB,
  driver: '550.54.15',
  capability: '8.9',
  cudaVersion: '12.4',
  ...facts,
})
const host: Host = { limits: {} }
const tools: Toolchains = { pythons: [{ command: 'python3', version: '3.12.3' }], packages: {}, tools: {} }

test('every complaint has a remedy in both languages', () => {
  const withGpus = (...gpus: Hardware['gpus']): Hardware => ({ ...hardware, gpus })
  const oneCard = withGpus(nvidia())
  const bad = [
    nodeFinding('v18.20.0'),
    nodeFinding('v20.18.9'),
    cpuFinding({ ...hardware, cpu: { ...hardware.cpu, features: ['avx'] } }),
    cpuFinding({ ...hardware, cpu: { ...hardware.cpu, cores: 0.5 } }),
    memoryFinding({ ...hardware, memory: { totalBytes: 16 * GB, availableBytes: GB } }),
    memoryFinding({ ...hardware, memory: { totalBytes: 16 * GB, availableBytes: 0.1 * GB, limitBytes: GB } }),
    ...swapFindings({ ...hardware, memory: { ...hardware.memory, swapBytes: 8 * GB, swapFreeBytes: 2 * GB } }),
    diskFinding({ ...hardware, disk: { ...hardware.disk, freeBytes: GB } }),
    diskFinding({ ...hardware, disk: { path: '/nfs', freeBytes: 0, totalBytes: 0 } }),
    ...diskSpeedFindings({ ...hardware, disk: { ...hardware.disk, readBytesPerSecond: 20e6 } }),
    ...DISK_KINDS.flatMap((kind) => diskKindFindings({ ...hardware, disk: { ...hardware.disk, kind, type: kind } })),
    gpuFinding(withGpus({ vendor: 'ascend', name: 'Ascend 910B', memoryBytes: 64 * GB, freeBytes: 60 * GB })),
    gpuFinding(withGpus({ vendor: 'moore-threads', name: 'MTT S80', memoryBytes: 16 * GB, freeBytes: 16 * GB })),
    gpuFinding(withGpus(nvidia({ name: 'Tesla K80', capability: '3.7' }))),
    ...gpuFindings(withGpus(nvidia({ partitions: [] }))).slice(1),
    ...gpuFindings(withGpus(nvidia({ partitions: [{ id: '1/0', memoryBytes: 10 * GB, freeBytes: 9 * GB }] }))).slice(1),
    ...gpuFindings(withGpus(nvidia({ board: 'jetson', fastInt8: false }))).slice(1),
    ...PROBE_TROUBLES.flatMap((reason) =>
      gpuFindings({ ...hardware, troubles: [{ vendor: 'nvidia', tool: 'nvidia-smi', reason, said: 'x' }] }),
    ),
    ...hostFindings({ ...host, limits: { openFiles: 256, stackBytes: 1_000_000 } }, hardware),
    ...hostFindings({ ...host, sharedMemoryBytes: 64 * 2 ** 20, container: 'docker' }, withGpus(nvidia(), nvidia())).slice(1),
    ...hostFindings({ ...host, wsl: 1 }, hardware),
    ...hostFindings({ ...host, governor: 'powersave' }, hardware),
    ...toolFindings(oneCard, host, { ...tools, packages: { torch: '2.9.0' }, torchBuild: 'cpu' }).slice(1, 2),
    ...toolFindings(oneCard, host, { ...tools, packages: { torch: '2.9.0' }, torchBuild: '13.0' }).slice(1, 2),
    ...toolFindings(oneCard, host, { ...tools, cudaToolkit: '12.8' }).slice(1, 2),
    ...toolFindings(oneCard, host, {
      ...tools,
      container: { name: 'docker', version: '28.0.0', state: 'no-permission', hasNvidia: false },
    }).slice(1, 2),
    ...toolFindings(oneCard, host, {
      ...tools,
      container: { name: 'docker', version: '28.0.0', state: 'running', hasNvidia: false },
    }).slice(1, 2),
    ...toolFindings(oneCard, host, { ...tools, packages: { sglang: '0.5.23' } }).slice(1, 2),
  ]
  expect(bad.length).toBe(38)
  for (const finding of bad) {
    expect(finding.level, finding.id).not.toBe('ok')
    expect(finding.remedy?.en, finding.id).toBeTruthy()
    expect(finding.remedy?.zh, finding.id).toMatch(/[\u4e00-\u9fff]/)
    expect(finding.detail.zh, finding.id).toBeTruthy()
  }
  expect(nodeFinding('v20.19.0').level).toBe('ok')
})

test('a strong machine with all its tools has no complaints', () => {
  const links = (to: number): NonNullable<Hardware['gpus'][number]['links']> => [{ to, type: 'nvlink', lanes: 18 }]
  const strong: Hardware = {
    ...hardware,
    cpu: { ...hardware.cpu, numaNodes: 2 },
    gpus: [0, 1].map((index) => nvidia({ index, capability: '9.0', cudaVersion: '13.0', driver: '580.95.05', links: links(1 - index) })),
  }
  const full: Toolchains = {
    pythons: [{ command: 'python3', version: '3.12.3' }],
    packages: { torch: '2.13.0', vllm: '0.33.0' },
    torchBuild: '13.0',
    cudaToolkit: '13.0',
    tools: { uv: '0.9.0' },
    container: { name: 'docker', version: '28.0.0', state: 'running', hasNvidia: true },
  }
  const rich: Host = {
    name: 'Ubuntu 24.04',
    kernel: '6.8.0',
    glibc: '2.39',
    sharedMemoryBytes: 64 * GB,
    governor: 'performance',
    limits: { openFiles: 65_536 },
  }
  const all = [...gpuFindings(strong), ...hostFindings(rich, strong), ...toolFindings(strong, rich, full)]
  expect(all.map(({ id, level }) => `${id} ${level}`)).toEqual([
    'gpu ok',
    'gpu-links ok',
    'system ok',
    'numa ok',
    'tools ok',
    'torch ok',
    'cuda ok',
    'container ok',
    'engines ok',
  ])
  expect(all.at(1)?.detail.en).toBe('NVLink between 1 of 1 pairs, 18 lanes')
  expect(all.at(-1)?.detail.en).toContain('vLLM (installed): would run')
})

test('who holds a port is told when the system tells', async () => {
  const ports = { state: async () => 'taken' as const, ownerOf: async () => 'ollama (pid 12)' }
  expect((await findings({ port: { host: '127.0.0.1', port: 8400 }, ports })).get('port')?.detail.en).toBe(
    '127.0.0.1:8400 is taken by ollama (pid 12)',
  )
})

test('a wrong clock is noticed by what the hubs answer', async () => {
  const http = (date: string): NonNullable<DiagnoseInput['http']> => ({
    options: {},
    request: async (url) => ({
      url,
      status: 200,
      headers: new Headers({ date }),
      redirects: [],
      body: (async function* (): AsyncGenerator<Uint8Array, void, undefined> {})(),
      text: async () => '',
      discard: async () => {},
    }),
    close: async () => {},
  })
  const hubs = [{ name: 'hub', url: 'http://hub.test' }]
  const late = await findings({ hubs, http: http(new Date(Date.now() + 3_600_000).toUTCString()) })
  expect(late.get('clock')).toMatchObject({ level: 'warning', detail: { en: expect.stringContaining('60 min slow') } })
  const early = await findings({ hubs, http: http(new Date(Date.now() - 600_000).toUTCString()) })
  expect(early.get('clock')?.detail.en).toContain('10 min fast')
  expect((await findings({ hubs, http: http(new Date().toUTCString()) })).has('clock')).toBe(false)
  expect((await findings({ hubs, http: http('nonsense') })).has('clock')).toBe(false)
})

test('the speed of a hub is told by a sample', async () => {
  const hub = await startHubServer()
  hub.repositories.set('org/model', { files: { 'tokenizer.json': Buffer.alloc(3_000_000, 1) } })
  const sample = `${hub.origin}/org/model/resolve/main/tokenizer.json`
  const told = await findings({ hubs: [{ name: 'up', url: hub.origin, sample }] })
  expect(told.get('hubs')?.detail.en).toMatch(/^up: \d+ ms, [\d.]+ [kMG]?B\/s$/)
  await hub.close()
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
  const told = async (proxies: DiagnoseInput['proxies']): Promise<Finding | undefined> => (await findings({ proxies })).get('proxy')
  const fine = await told({ https: 'http://me:se@cret@proxy.test:3128', no: 'internal,localhost,127.0.0.1' })
  expect(fine).toMatchObject({ level: 'ok', detail: { en: 'http://proxy.test:3128; NO_PROXY: internal,localhost,127.0.0.1' } })
  expect((await told({ http: 'me:secret@proxy.test:3128', no: '*' }))?.detail.en).toBe('proxy.test:3128; NO_PROXY: *')
})

test('a proxy that would catch calls to this machine is a complaint', async () => {
  const proxy = (await findings({ proxies: { http: 'http://proxy.test:3128', no: 'internal' } })).get('proxy')
  expect(proxy).toMatchObject({ level: 'warning', remedy: { en: expect.stringContaining('NO_PROXY=localhost,127.0.0.1') } })
})

test('what the platform knows stands after the processor', async () => {
  const kernel: Finding = { id: 'kernel', level: 'ok', title: { en: 'Kernel', zh: '内核' }, detail: { en: 'icelake', zh: 'icelake' } }
  expect([...(await findings({ extra: [kernel] })).keys()].slice(0, 3)).toEqual(['node', 'cpu', 'kernel'])
})
