import { describe, expect, test } from 'vitest'

import { recordedSystem } from '../../test/fakes/recorded-system.ts'
import { parseAmdSmi, parseRocmSmi, probeAmd } from './amd.ts'
import { parseApple, probeApple } from './apple.ts'
import { parseNpuSmi, probeAscend } from './ascend.ts'
import { parseNvidiaSmi, probeNvidia } from './nvidia.ts'

const GIB = 1024 ** 3
const memory = { totalBytes: 128 * GIB, availableBytes: 100 * GIB }

describe('NVIDIA', () => {
  const QUERY = '--format=csv,noheader,nounits'
  const FULL = `nvidia-smi --query-gpu=name,memory.total,memory.free,driver_version,compute_cap ${QUERY}`
  const OLD = `nvidia-smi --query-gpu=name,memory.total,memory.free,driver_version ${QUERY}`

  test('cards are listed with memory in MiB, driver and capability', () => {
    const text = 'NVIDIA H100 80GB HBM3, 81559, 81008, 550.54.15, 9.0\nNVIDIA GeForce RTX 4090, 24564, 24100, 550.54.15, 8.9\n'
    expect(parseNvidiaSmi(text, memory)).toEqual([
      {
        vendor: 'nvidia',
        name: 'NVIDIA H100 80GB HBM3',
        memoryBytes: 81_559 * 1024 ** 2,
        freeBytes: 81_008 * 1024 ** 2,
        driver: '550.54.15',
        capability: '9.0',
      },
      {
        vendor: 'nvidia',
        name: 'NVIDIA GeForce RTX 4090',
        memoryBytes: 24_564 * 1024 ** 2,
        freeBytes: 24_100 * 1024 ** 2,
        driver: '550.54.15',
        capability: '8.9',
      },
    ])
  })

  test('boards that share memory with the processor report the memory of the machine', () => {
    expect(parseNvidiaSmi('NVIDIA GB10, [N/A], [N/A], 580.95.05, 12.1\n', memory)[0]).toMatchObject({
      memoryBytes: memory.totalBytes,
      freeBytes: memory.availableBytes,
    })
    expect(parseNvidiaSmi('Orin (nvgpu), [Not Supported], [Not Supported], 540.4.0, 8.7\n', memory)[0]?.memoryBytes).toBe(memory.totalBytes)
  })

  test('old drivers that do not know the capability are asked without it', async () => {
    const system = recordedSystem({ commands: { [FULL]: 2, [OLD]: 'Tesla K80, 11441, 11441, 470.82.01\n' } })
    expect(await probeNvidia(system, memory)).toEqual([
      { vendor: 'nvidia', name: 'Tesla K80', memoryBytes: 11_441 * 1024 ** 2, freeBytes: 11_441 * 1024 ** 2, driver: '470.82.01' },
    ])
  })

  test.each(['No devices were found\n', '', 'NVIDIA-SMI has failed because it couldn’t communicate with the NVIDIA driver.\n'])(
    'nothing is found in %j',
    (text) => {
      expect(parseNvidiaSmi(text, memory)).toEqual([])
    },
  )

  test('the tool is found inside WSL', async () => {
    const system = recordedSystem({ commands: { '/usr/lib/wsl/lib/nvidia-smi': 'NVIDIA GeForce RTX 3060, 12288, 11000, 551.86, 8.6\n' } })
    expect(await probeNvidia(system, memory)).toHaveLength(1)
  })
})

describe('AMD', () => {
  // As reported in marimo-team/marimo#9237.
  const rocm = JSON.stringify({
    card0: {
      'GPU use (%)': '0',
      'VRAM Total Memory (B)': '21458059264',
      'VRAM Total Used Memory (B)': '27856896',
      'Card Series': 'Radeon RX 7900 XT',
      'Card Model': '0x744c',
      'GFX Version': 'gfx1100',
    },
    card1: {
      'VRAM Total Memory (B)': '67108864',
      'VRAM Total Used Memory (B)': '26079232',
      'Card Series': 'Raphael',
      'GFX Version': 'gfx1036',
    },
    system: { 'Driver version': '6.8.5' },
  })

  test('rocm-smi: cards with their own memory, without the small part of the processor', () => {
    expect(parseRocmSmi(rocm)).toEqual([
      {
        vendor: 'amd',
        name: 'Radeon RX 7900 XT',
        memoryBytes: 21_458_059_264,
        freeBytes: 21_458_059_264 - 27_856_896,
        driver: '6.8.5',
        capability: 'gfx1100',
      },
    ])
  })

  const card = {
    gpu: 0,
    asic: { market_name: 'AMD Instinct MI300X', target_graphics_version: 'gfx942' },
    vram: { size: { value: 196_592, unit: 'MB' } },
    driver: { version: '6.12.12' },
  }
  const usage = { gpu: 0, mem_usage: { total_vram: { value: 196_592, unit: 'MB' }, free_vram: { value: 196_300, unit: 'MB' } } }
  const expected = [
    {
      vendor: 'amd',
      name: 'AMD Instinct MI300X',
      memoryBytes: 196_592 * 1024 ** 2,
      freeBytes: 196_300 * 1024 ** 2,
      driver: '6.12.12',
      capability: 'gfx942',
    },
  ]

  test.each([
    ['a list', [card], [usage]],
    ['an object with gpu_data', { gpu_data: [card] }, { gpu_data: [usage] }],
  ])('amd-smi as %s', (_, fixed, metric) => {
    expect(parseAmdSmi(JSON.stringify(fixed), JSON.stringify(metric))).toEqual(expected)
  })

  test('amd-smi is asked when rocm-smi is gone', async () => {
    const commands = {
      'amd-smi static --asic --vram --driver --json': JSON.stringify([card]),
      'amd-smi metric --mem-usage --json': JSON.stringify([usage]),
    }
    expect(await probeAmd(recordedSystem({ commands }))).toEqual(expected)
  })

  test.each(['', 'not json', '[]', '{"card0":5}', 'null'])('nothing is found in %j', (text) => {
    expect(parseRocmSmi(text)).toEqual([])
    expect(parseAmdSmi(text, text)).toEqual([])
  })
})

describe('Huawei Ascend', () => {
  // As reported in Project-HAMi/HAMi-WebUI#47.
  const single = `
+------------------------------------------------------------------------------------------------+
| npu-smi 25.2.0                   Version: 25.2.0                                               |
+---------------------------+---------------+----------------------------------------------------+
| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|
| Chip                      | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |
+===========================+===============+====================================================+
| 0     910B4-1             | OK            | 91.3        33                0    / 0             |
| 0                         | 0000:C1:00.0  | 0           0    / 0          3197 / 65536         |
+===========================+===============+====================================================+
`
  // As reported in vllm-project/vllm-ascend#2534: two chips a card.
  const double = `
| npu-smi 24.1.rc3                 Version: 24.1.rc3                                             |
| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|
| Chip  Phy-ID              | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |
| 0     Ascend910           | OK            | 178.5       36                0    / 0             |
| 0     0                   | 0000:9D:00.0  | 0           0    / 0          3416 / 65536         |
| 0     Ascend910           | OK            | -           36                0    / 0             |
| 1     1                   | 0000:9F:00.0  | 0           0    / 0          3195 / 65536         |
| NPU     Chip              | Process id    | Process name             | Process memory(MB)      |
| 0       0                 | 692318        | python3                  | 12417                   |
`
  const MIB = 1024 ** 2

  test('one chip a card', () => {
    expect(parseNpuSmi(single)).toEqual([
      { vendor: 'ascend', name: 'Ascend 910B4-1', memoryBytes: 65_536 * MIB, freeBytes: (65_536 - 3197) * MIB, driver: '25.2.0' },
    ])
  })

  test('two chips a card, and running processes are no cards', () => {
    expect(parseNpuSmi(double).map((gpu) => [gpu.name, gpu.freeBytes / MIB])).toEqual([
      ['Ascend910', 65_536 - 3416],
      ['Ascend910', 65_536 - 3195],
    ])
  })

  test('cards without HBM report their ordinary memory', () => {
    const text = '| 2     310P3   | OK | NA   45   0 / 0 |\n| 0     0   | 0000:03:00.0 | 0    1540 / 44280 |\n'
    expect(parseNpuSmi(text)[0]).toMatchObject({ name: 'Ascend 310P3', memoryBytes: 44_280 * MIB })
  })

  test('nothing where there is no tool', async () => {
    expect(await probeAscend(recordedSystem())).toEqual([])
  })
})

describe('Apple', () => {
  test('Metal may use two thirds, three quarters of a large memory, or what was set', () => {
    const name = 'machdep.cpu.brand_string: Apple M3 Max\n'
    expect(parseApple(`${name}iogpu.wired_limit_mb: 0\n`, memory)[0]).toMatchObject({
      name: 'Apple M3 Max',
      memoryBytes: 96 * GIB,
      freeBytes: 96 * GIB,
    })
    expect(parseApple(name, { totalBytes: 24 * GIB, availableBytes: 10 * GIB })[0]).toMatchObject({
      memoryBytes: 16 * GIB,
      freeBytes: 10 * GIB,
    })
    expect(parseApple(`${name}iogpu.wired_limit_mb: 120000\n`, memory)[0]?.memoryBytes).toBe(120_000 * 1024 ** 2)
  })

  test('other systems have none', async () => {
    expect(await probeApple(recordedSystem({ platform: 'linux' }), memory)).toEqual([])
    expect(await probeApple(recordedSystem({ platform: 'darwin', arch: 'x64' }), memory)).toEqual([])
  })
})
