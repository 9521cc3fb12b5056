import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'

import { recordedSystem } from '../../test/fakes/recorded-system.ts'
import { HARDWARE_FIXTURES, hardwareFixture } from '../../test/fixtures/hardware.ts'
import { GpuSchema } from '../shared/hardware.ts'
import { parseAmdSmi, parseRocmSmi } from './amd.ts'
import { parseApple, parseGpuCores, probeApple } from './apple.ts'
import { parseNpuSmi, probeAscend } from './ascend.ts'
import { probeGpus } from './gpus.ts'
import { parseXpuSmi, parseXpuSmiTable, probeIntel } from './intel.ts'
import { parseJetson, parseJtop, parseTegraRelease, parseTegrastats } from './jetson.ts'
import { parseMthreadsGmi, probeMooreThreads } from './moore-threads.ts'
import { parseNvidiaSmi } from './nvidia.ts'
import { parseTopology } from './nvidia-topology.ts'
import { parseNvidiaXml } from './nvidia-xml.ts'

const GIB = 1024 ** 3
const MIB = 1024 ** 2
const memory = { totalBytes: 128 * GIB, availableBytes: 100 * GIB }

describe('Huawei Ascend', () => {
  test('one chip a card', () => {
    expect(parseNpuSmi(hardwareFixture('npu-smi-25.2-910b4'))).toEqual([
      {
        vendor: 'ascend',
        name: 'Ascend 910B4-1',
        memoryBytes: 65_536 * MIB,
        freeBytes: (65_536 - 3197) * MIB,
        driver: '25.2.0',
        index: 0,
      },
    ])
  })

  test('two chips a card, and running processes are no cards', () => {
    expect(parseNpuSmi(hardwareFixture('npu-smi-24.1-910-two-chips')).map((gpu) => [gpu.name, gpu.freeBytes / MIB])).toEqual([
      ['Ascend910', 65_536 - 3416],
      ['Ascend910', 65_536 - 3195],
    ])
  })

  test('drivers of 2023: cards with gaps in their numbers', () => {
    expect(parseNpuSmi(hardwareFixture('npu-smi-23.0-910b1')).map((gpu) => [gpu.name, gpu.freeBytes / MIB, gpu.driver])).toEqual([
      ['Ascend 910B1', 65_536 - 4175, '23.0.rc2'],
      ['Ascend 910B1', 65_536 - 4175, '23.0.rc2'],
      ['Ascend 910B1', 65_536 - 4174, '23.0.rc2'],
    ])
  })

  test("910ProB: the card's memory is the HBM, not the host's beside it", () => {
    expect(
      parseNpuSmi(hardwareFixture('npu-smi-24.1-910prob')).map((gpu) => [gpu.name, gpu.memoryBytes / MIB, gpu.freeBytes / MIB]),
    ).toEqual([
      ['Ascend 910ProB', 32_768, 32_750],
      ['Ascend 910ProB', 32_768, 32_760],
    ])
  })

  test('the wide table of 2026, two chips a card', () => {
    expect(parseNpuSmi(hardwareFixture('npu-smi-26.0-910-wide')).map((gpu) => [gpu.name, gpu.freeBytes / MIB, gpu.driver])).toEqual([
      ['Ascend910', 65_536 - 3419, '26.0.rc2'],
      ['Ascend910', 65_536 - 2874, '26.0.rc2'],
    ])
  })

  test('300I Duo: two chips without HBM report their ordinary memory', () => {
    expect(parseNpuSmi(hardwareFixture('npu-smi-25.2-310p3-duo')).map((gpu) => [gpu.name, gpu.memoryBytes / MIB, gpu.index])).toEqual([
      ['Ascend 310P3', 44_280, 0],
      ['Ascend 310P3', 43_693, 1],
    ])
  })

  test('310B: the chip of a small board is on no bus, and its memory is the processor’s too', () => {
    const table = [
      '| npu-smi 23.0.rc3                                 Version: 23.0.rc3                                     |',
      '| NPU     Name                  | Health          | Power(W)     Temp(C)           Hugepages-Usage(page) |',
      '| Chip    Device                | Bus-Id          | AICore(%)    Memory-Usage(MB)                        |',
      '+===============================+=================+======================================================+',
      '| 0       310B1                 | OK              | 8.9          54                15    / 15            |',
      '| 0       0                     | NA              | 0            4974 / 11577                            |',
      '+===============================+=================+======================================================+',
    ].join('\n')
    expect(parseNpuSmi(table)).toEqual([
      {
        vendor: 'ascend',
        name: 'Ascend 310B1',
        memoryBytes: 11_577 * MIB,
        freeBytes: (11_577 - 4974) * MIB,
        index: 0,
        driver: '23.0.rc3',
        sharedMemory: true,
      },
    ])
  })

  test('a driver that does not come up is told', async () => {
    const commands = { 'npu-smi info': { code: 1, stdout: 'dcmi module initialize failed. ret is -8005\n' } }
    expect(await probeAscend(recordedSystem({ commands }))).toMatchObject({ gpus: [], troubles: [{ reason: 'no-driver' }] })
    expect(await probeAscend(recordedSystem())).toEqual({ gpus: [], troubles: [] })
  })
})

describe('Moore Threads', () => {
  test('S80 and S5000', () => {
    expect(parseMthreadsGmi(hardwareFixture('mthreads-gmi-1.14-s80'))).toEqual([
      { vendor: 'moore-threads', name: 'MTT S80', memoryBytes: 16_384 * MIB, freeBytes: 16_382 * MIB, driver: '2.7.0', index: 0 },
    ])
    expect(parseMthreadsGmi(hardwareFixture('mthreads-gmi-2.3-s5000')).map((gpu) => [gpu.name, gpu.freeBytes / MIB, gpu.driver])).toEqual([
      ['MTT S5000', 81_920 - 66_641, '3.3.5-server'],
      ['MTT S5000', 81_920 - 64_889, '3.3.5-server'],
    ])
  })

  test('nothing where there is no tool', async () => {
    expect(await probeMooreThreads(recordedSystem())).toEqual({ gpus: [], troubles: [] })
  })
})

describe('Intel', () => {
  test('the list in JSON', () => {
    expect(parseXpuSmi(hardwareFixture('xpu-smi-1.3-b60'))).toEqual([
      {
        vendor: 'intel',
        name: 'Intel(R) Graphics [0xe211]',
        memoryBytes: 25_669_140_480,
        freeBytes: 25_447_600_128,
        driver: '7B7A46009E666C4D10E1134',
        index: 0,
        ecc: false,
        fastInt8: true,
      },
    ])
  })

  test('the table of one device', () => {
    expect(parseXpuSmiTable(hardwareFixture('xpu-smi-2.0-b580-table'))).toMatchObject([
      { name: 'Intel(R) Arc(TM) B580 Graphics', memoryBytes: 12_216 * MIB, cores: 160, ecc: false },
    ])
  })

  test('a list without memory is completed device by device', async () => {
    const commands = {
      'xpu-smi discovery -j': '{"device_list":[{"device_id":3,"device_name":"Intel(R) Data Center GPU Flex 170"}]}',
      'xpu-smi discovery -d 3 -j': '{"device_id":3,"memory_physical_size_byte":"14940110848"}',
    }
    expect((await probeIntel(recordedSystem({ commands }))).gpus).toMatchObject([
      { name: 'Intel(R) Data Center GPU Flex 170', index: 3, memoryBytes: 14_940_110_848 },
    ])
  })

  test('graphics of a processor are left out, cards of the kernel are not', async () => {
    const files = {
      '/sys/class/drm/card0/device/vendor': '0x8086\n',
      '/sys/class/drm/card1/device/vendor': '0x8086\n',
      '/sys/class/drm/card1/device/tile0/physical_vram_size_bytes': '12809404416\n',
    }
    expect((await probeIntel(recordedSystem({ files }))).gpus).toMatchObject([{ name: 'Intel GPU', memoryBytes: 12_809_404_416 }])
  })
})

describe('Apple', () => {
  test('Metal may use two thirds, three quarters of a large memory, or what was set', () => {
    const name = 'machdep.cpu.brand_string: Apple M3 Max\n'
    expect(parseApple(`${name}iogpu.wired_limit_mb: 0\n`, memory)[0]).toMatchObject({
      name: 'Apple M3 Max',
      memoryBytes: 96 * GIB,
      freeBytes: 96 * GIB,
      sharedMemory: true,
    })
    expect(parseApple(name, { totalBytes: 24 * GIB, availableBytes: 10 * GIB })[0]).toMatchObject({
      memoryBytes: 16 * GIB,
      freeBytes: 10 * GIB,
    })
    expect(parseApple(`${name}iogpu.wired_limit_mb: 120000\n`, memory)[0]?.memoryBytes).toBe(120_000 * MIB)
    expect(parseApple(`${name}debug.iogpu.wired_limit: 100000000000\n`, memory)[0]?.memoryBytes).toBe(100_000_000_000)
    expect(parseApple(`${name}iogpu.wired_limit_mb: 999999\n`, memory)[0]?.memoryBytes).toBe(memory.totalBytes)
  })

  test('cores by system_profiler', async () => {
    expect(parseGpuCores('{"SPDisplaysDataType":[{"_name":"Apple M1","sppci_model":"Apple M1","sppci_cores":"7"}]}')).toBe(7)
    expect(parseGpuCores('nonsense')).toBeUndefined()
    const commands = {
      sysctl: { code: 1, stdout: 'machdep.cpu.brand_string: Apple M4 Pro\n', stderr: "unknown oid 'iogpu.wired_limit_mb'" },
      system_profiler: '{"SPDisplaysDataType":[{"sppci_cores":"20"}]}',
    }
    expect((await probeApple(recordedSystem({ platform: 'darwin', arch: 'arm64', commands }), memory)).gpus).toMatchObject([
      { name: 'Apple M4 Pro', cores: 20 },
    ])
  })

  test('other systems have none', async () => {
    expect((await probeApple(recordedSystem({ platform: 'linux' }), memory)).gpus).toEqual([])
    expect((await probeApple(recordedSystem({ platform: 'darwin', arch: 'x64' }), memory)).gpus).toEqual([])
  })
})

describe('Jetson', () => {
  test('releases of JetPack 4, 5 and 6', () => {
    expect(['32', '35', '36'].map((release) => parseTegraRelease(hardwareFixture(`tegra-release-${release}`)))).toEqual([
      '32.6.1',
      '35.3.1',
      '36.4.0',
    ])
    expect(parseTegraRelease('Ubuntu')).toBeUndefined()
  })

  test('the load by tegrastats', () => {
    expect(parseTegrastats(hardwareFixture('tegra-stats-tx2'))).toEqual({ usedMegabytes: 1685, totalMegabytes: 7854, gpuPercent: 0 })
    expect(parseTegrastats(hardwareFixture('tegra-stats-xavier-5'))).toEqual({ usedMegabytes: 3480, totalMegabytes: 15_691, gpuPercent: 0 })
    expect(parseTegrastats(hardwareFixture('tegra-stats-orin-6'))).toEqual({ usedMegabytes: 2847, totalMegabytes: 7772 })
    expect(parseTegrastats(hardwareFixture('tegra-stats-orin-7'))).toEqual({ usedMegabytes: 20_642, totalMegabytes: 62_817, gpuPercent: 0 })
    expect(parseTegrastats('not a line')).toBeUndefined()
  })

  test('the load by jtop, in KiB', () => {
    expect(parseJtop('{"used": 2097152, "total": 8388608, "load": 42.4}')).toEqual({
      usedMegabytes: 2048,
      totalMegabytes: 8192,
      gpuPercent: 42,
    })
    expect(parseJtop('{"used": 2097152, "total": 8388608, "load": null}')).toEqual({ usedMegabytes: 2048, totalMegabytes: 8192 })
    expect(['', '{}', '{"used": -1, "total": 5}', 'Traceback (most recent call last):'].map(parseJtop)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  test('the board by its device tree', () => {
    expect(parseJetson('', 'NVIDIA Jetson TX2\0', 'nvidia,p2597\0nvidia,tegra186\0')).toEqual({
      name: 'NVIDIA Jetson TX2',
      capability: '6.2',
    })
    expect(parseJetson('', 'Raspberry Pi 5\0', 'brcm,bcm2712\0')).toBeUndefined()
  })

  test('without nvidia-smi its GPU is found all the same, with one memory and no fast INT8 on old chips', async () => {
    const files = {
      '/etc/nv_tegra_release': hardwareFixture('tegra-release-32'),
      '/proc/device-tree/model': 'NVIDIA Jetson Nano Developer Kit\0',
      '/proc/device-tree/compatible': 'nvidia,p3450-0000\0nvidia,tegra210\0',
    }
    const { gpus } = await probeGpus(recordedSystem({ arch: 'arm64', files }), memory)
    expect(gpus).toEqual([
      {
        vendor: 'nvidia',
        index: 0,
        name: 'NVIDIA Jetson Nano Developer Kit',
        memoryBytes: memory.totalBytes,
        freeBytes: memory.availableBytes,
        sharedMemory: true,
        board: 'jetson',
        capability: '5.3',
        fastInt8: false,
        driver: 'L4T 32.6.1',
      },
    ])
  })

  test('with nvidia-smi it is one card, not two', async () => {
    const files = { '/etc/nv_tegra_release': hardwareFixture('tegra-release-36'), '/proc/device-tree/model': 'NVIDIA Jetson Orin Nano\0' }
    const commands = { 'nvidia-smi': hardwareFixture('nvidia-csv-540-orin') }
    const { gpus } = await probeGpus(recordedSystem({ arch: 'arm64', files, commands }), memory)
    expect(gpus).toMatchObject([{ name: 'NVIDIA Jetson Orin Nano', driver: '540.4.0', capability: '8.7', fastInt8: true, board: 'jetson' }])
  })
})

describe('all of them', () => {
  test('a tool that hangs is given up after 3 s, and the others are heard', async () => {
    vi.useFakeTimers()
    try {
      const commands = { 'nvidia-smi': 'hangs', 'mthreads-gmi': hardwareFixture('mthreads-gmi-1.14-s80') } as const
      let answer: Awaited<ReturnType<typeof probeGpus>> | undefined
      const probing = probeGpus(recordedSystem({ commands }), memory).then((value) => (answer = value))
      await vi.advanceTimersByTimeAsync(2900)
      expect(answer).toBeUndefined()
      await vi.advanceTimersByTimeAsync(300)
      expect(answer).toMatchObject({ gpus: [{ vendor: 'moore-threads' }], troubles: [{ vendor: 'nvidia', reason: 'timed-out' }] })
      await probing
    } finally {
      vi.useRealTimers()
    }
  })

  test('a report that hangs does not cost the list of cards', async () => {
    vi.useFakeTimers()
    try {
      const csv = hardwareFixture('nvidia-csv-580-h100')
      const commands = { 'nvidia-smi': csv, 'nvidia-smi -q -x': 'hangs', 'nvidia-smi topo -m': 'hangs' } as const
      const probing = probeGpus(recordedSystem({ commands }), memory)
      await vi.advanceTimersByTimeAsync(3200)
      expect((await probing).gpus).toHaveLength(2)
    } finally {
      vi.useRealTimers()
    }
  })

  test('an empty tool of another vendor is no trouble beside a card', async () => {
    const commands = {
      'nvidia-smi': { code: 6, stdout: hardwareFixture('nvidia-error-no-devices') },
      'mthreads-gmi': hardwareFixture('mthreads-gmi-1.14-s80'),
    }
    expect((await probeGpus(recordedSystem({ commands }), memory)).troubles).toEqual([])
    expect((await probeGpus(recordedSystem({ commands: { 'nvidia-smi': commands['nvidia-smi'] } }), memory)).troubles).toHaveLength(1)
  })

  const PARSERS = [
    (text: string) => parseNvidiaSmi(text, memory),
    (text: string) => parseRocmSmi(text),
    (text: string) => parseAmdSmi(text, text),
    (text: string) => parseXpuSmi(text),
    (text: string) => parseXpuSmiTable(text),
    (text: string) => parseNpuSmi(text),
    (text: string) => parseMthreadsGmi(text),
    (text: string) => parseApple(text, memory),
  ]

  test.each(HARDWARE_FIXTURES)('no parser stumbles over %s, whole or damaged', (name) => {
    const text = hardwareFixture(name)
    const damaged = fc
      .tuple(fc.nat(text.length), fc.nat(60), fc.string({ maxLength: 30 }))
      .map(([at, gone, put]) => text.slice(0, at) + put + text.slice(at + gone))
    fc.assert(
      fc.property(fc.oneof(fc.constant(text), damaged), (sample) => {
        const gpus = PARSERS.flatMap((parse) => parse(sample))
        expect(gpus.map((gpu) => GpuSchema.parse(gpu))).toEqual(gpus)
        expect([...parseTopology(sample).keys()].every(Number.isInteger)).toBe(true)
        for (const parse of [parseNvidiaXml, parseTegrastats, parseTegraRelease]) parse(sample)
        parseJetson(sample, sample, sample)
      }),
      { numRuns: 20 },
    )
  })
})
