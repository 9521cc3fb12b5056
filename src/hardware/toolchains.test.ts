import { describe, expect, test } from 'vitest'

import { recordedSystem } from '../../test/fakes/recorded-system.ts'
import type { Gpu, Hardware } from '../shared/hardware.ts'
import { compareVersions } from './compare-versions.ts'
import { fitEngines } from './engine-fit.ts'
import { ENGINE_REQUIREMENTS, LEAST_DRIVERS } from './engine-requirements.ts'
import { portOwner } from './port.ts'
import { thisSystem } from './system.ts'
import { probeToolchains } from './toolchains.ts'
import type { Toolchains } from './toolchains.ts'

describe('toolchains', () => {
  test('everything is there', async () => {
    const commands = {
      'python3 --version': 'Python 3.10.12\n',
      'python --version': 'Python 3.10.12\n',
      'python3.12 --version': 'Python 3.12.3\n',
      python3: 'a warning first\n{"packages":{"pip":"22.0.2","torch":"2.9.0","vllm":"0.33.0"},"torch":"12.9"}\n',
      nvcc: 'nvcc: NVIDIA (R) Cuda compiler driver\nCuda compilation tools, release 12.4, V12.4.131\n',
      'uv --version': 'uv 0.9.4\n',
      'gcc -dumpfullversion': '11.4.0\n',
      'docker --version': 'Docker version 28.1.1, build 4eba377\n',
      'docker info --format {{json .Runtimes}}': '{"io.containerd.runc.v2":{"path":"runc"},"nvidia":{"path":"nvidia-container-runtime"}}\n',
    }
    expect(await probeToolchains(recordedSystem({ commands }))).toEqual({
      pythons: [
        { command: 'python3', version: '3.10.12' },
        { command: 'python3.12', version: '3.12.3' },
      ],
      packages: { pip: '22.0.2', torch: '2.9.0', vllm: '0.33.0' },
      torchBuild: '12.9',
      cudaToolkit: '12.4',
      tools: { uv: '0.9.4', gcc: '11.4.0' },
      container: { name: 'docker', version: '28.1.1', state: 'running', hasNvidia: true },
    })
  })

  test('nothing is there', async () => {
    expect(await probeToolchains(recordedSystem())).toEqual({ pythons: [], packages: {}, tools: {} })
  })

  test('docker that this user may not use, and podman with a CDI description', async () => {
    const denied = {
      'docker --version': 'Docker version 24.0.7, build afdd53b\n',
      'docker info --format {{json .Runtimes}}': {
        code: 1,
        stderr: 'permission denied while trying to connect to the Docker daemon socket',
      },
    }
    expect((await probeToolchains(recordedSystem({ commands: denied }))).container?.state).toBe('no-permission')
    const podman = recordedSystem({ commands: { 'podman --version': 'podman version 4.9.3\n' }, files: { '/etc/cdi/nvidia.yaml': '' } })
    expect((await probeToolchains(podman)).container).toEqual({ name: 'podman', version: '4.9.3', state: 'running', hasNvidia: true })
  })

  test('the Python of this machine answers in the form that is expected', async () => {
    const { pythons, packages } = await probeToolchains(thisSystem)
    // A machine without Python has neither.
    expect(Object.keys(packages).length > 0 || packages['pip'] === undefined).toBe(true)
    for (const { version } of pythons) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  })
})

describe('what fits together', () => {
  const gpu = (facts: Partial<Gpu>): Gpu => ({ vendor: 'nvidia', name: 'card', memoryBytes: 1e10, freeBytes: 1e10, ...facts })
  const hardware = (gpus: Gpu[], platform = 'linux-x64'): Hardware => ({
    platform,
    cpu: { model: 'x', cores: 8, physicalCores: 8, features: [] },
    memory: { totalBytes: 1e11, availableBytes: 1e11 },
    disk: { path: '/', freeBytes: 1, totalBytes: 1 },
    gpus,
  })
  const tools: Toolchains = { pythons: [{ command: 'python3', version: '3.12.3' }], packages: {}, tools: {} }
  const fit = (gpus: Gpu[], more: { tools?: Toolchains; platform?: string; glibc?: string } = {}): Record<string, string> =>
    Object.fromEntries(
      fitEngines(hardware(gpus, more.platform), { limits: {}, ...(more.glibc ? { glibc: more.glibc } : {}) }, more.tools ?? tools).map(
        ({ engine, obstacles }) => [engine, obstacles.map(({ en }) => en).join(' | ')],
      ),
    )

  test('an H100 with a new driver runs all, with an older one only those of CUDA 12', () => {
    expect(Object.values(fit([gpu({ capability: '9.0', driver: '580.95.05' })]))).toEqual(['', '', '', ''])
    const older = fit([gpu({ capability: '9.0', driver: '550.54.15' })])
    expect(older).toMatchObject({ vllm: '', lmdeploy: '' })
    expect(older['sglang']).toContain('580.65.06')
  })

  test('a V100 runs LMDeploy only', () => {
    const fits = fit([gpu({ name: 'Tesla V100', capability: '7.0', driver: '580.95.05' })])
    expect(fits['lmdeploy']).toBe('')
    expect(fits['vllm']).toBe('needs compute capability 7.5, Tesla V100 has 7.0')
  })

  test('a Python that is too new is an obstacle unless uv or containers bring another', () => {
    const newer = { ...tools, pythons: [{ command: 'python3', version: '3.14.0' }] }
    const card = [gpu({ capability: '9.0', driver: '580.95.05' })]
    expect(fit(card, { tools: newer })['vllm']).toContain('needs Python 3.10 to 3.13 (found: 3.14.0)')
    expect(fit(card, { tools: { ...newer, tools: { uv: '0.9.0' } } })['vllm']).toBe('')
  })

  test('Windows, an old glibc, other makers and no card', () => {
    expect(fit([gpu({})], { platform: 'win32-x64' })['vllm']).toContain('Linux only')
    expect(fit([gpu({})], { glibc: '2.17' })['vllm']).toContain('glibc')
    expect(Object.keys(fit([gpu({ vendor: 'ascend' })]))).toEqual(['lmdeploy', 'vllm-ascend'])
    expect(fit([gpu({ vendor: 'moore-threads' })])).toEqual({ sglang: '' })
    expect(fit([])).toEqual({})
  })

  test('SGLang names no newest Python', () => {
    const newer = { ...tools, pythons: [{ command: 'python3', version: '3.14.0' }] }
    const older = { ...tools, pythons: [{ command: 'python3', version: '3.9.2' }] }
    const card = [gpu({ capability: '9.0', driver: '580.95.05' })]
    expect(fit(card, { tools: newer })['sglang']).toBe('')
    expect(fit(card, { tools: older })['sglang']).toBe('needs Python 3.10 or newer (found: 3.9.2)')
  })

  test('an engine and its torch must be of one CUDA', () => {
    const card = [gpu({ capability: '9.0', driver: '580.95.05' })]
    const beside = (vllm: string, torchBuild: string): string =>
      fit(card, { tools: { ...tools, packages: { vllm, torch: '2.13.0' }, torchBuild } })['vllm'] ?? ''
    expect(beside('0.26.0', '12.9')).toContain('its build is for CUDA 13.0, torch 2.13.0 beside it for 12.9')
    expect([beside('0.26.0', '13.2'), beside('0.26.0+cu129', '12.9'), beside('0.18.0', '12.8'), beside('0.26.0', 'cpu')]).toEqual([
      '',
      '',
      '',
      '',
    ])
  })

  test('every row tells where it was read, and names only CUDA versions whose driver is known', () => {
    for (const need of Object.values(ENGINE_REQUIREMENTS)) {
      expect(need.sources.length).toBeGreaterThan(0)
      expect((need.cuda ?? []).map((version) => LEAST_DRIVERS[version.split('.')[0] ?? ''])).not.toContain(undefined)
    }
  })

  test('versions are compared by their numbers', () => {
    expect(['3.9', '3.13', '3.10', '3.10.2'].toSorted(compareVersions)).toEqual(['3.9', '3.10', '3.10.2', '3.13'])
    expect(compareVersions('580.65.06', '580.65.6')).toBe(0)
  })
})

describe('who holds a port', () => {
  test('by ss, by lsof, by netstat', async () => {
    const ss = { ss: 'LISTEN 0 511 127.0.0.1:8400 0.0.0.0:* users:(("node",pid=4711,fd=20))\n' }
    expect(await portOwner(recordedSystem({ commands: ss }), 8400)).toBe('node (pid 4711)')
    const lsof = { lsof: 'p300\ncollama\n' }
    expect(await portOwner(recordedSystem({ platform: 'darwin', commands: lsof }), 8400)).toBe('ollama (pid 300)')
    const netstat = { netstat: '  TCP    127.0.0.1:8400   0.0.0.0:0   LISTENING       9124\r\n' }
    expect(await portOwner(recordedSystem({ platform: 'win32', commands: netstat }), 8400)).toBe('pid 9124')
  })

  test('it is not known to everybody', async () => {
    expect(await portOwner(recordedSystem({ commands: { ss: 'LISTEN 0 511 127.0.0.1:8400 0.0.0.0:*\n' } }), 8400)).toBeUndefined()
  })
})
