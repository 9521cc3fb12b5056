import { describe, expect, test } from 'vitest'

import { effortOf } from '../../test/fixtures/effort.ts'
import { recordedSystem } from '../../test/fakes/recorded-system.ts'
import { hardwareFixture } from '../../test/fixtures/hardware.ts'
import { GpuSchema } from '../shared/hardware.ts'
import { capabilityFacts, parseNvidiaSmi, probeNvidia } from './nvidia.ts'
import { parseTopology } from './nvidia-topology.ts'
import { parseNvidiaXml } from './nvidia-xml.ts'

/** A moment; what grows with the square takes hundreds. */
const EFFORT_MAX = 40

const GIB = 1024 ** 3
const MIB = 1024 ** 2
const memory = { totalBytes: 128 * GIB, availableBytes: 100 * GIB }
const QUERY = '--format=csv,noheader,nounits'
const FULL = `nvidia-smi --query-gpu=name,memory.total,memory.free,driver_version,compute_cap ${QUERY}`
const OLD = `nvidia-smi --query-gpu=name,memory.total,memory.free,driver_version ${QUERY}`

describe('the list of cards', () => {
  test('has memory in MiB, driver, capability and the number that the tool gives', () => {
    const gpus = parseNvidiaSmi(hardwareFixture('nvidia-csv-580-h100'), memory)
    expect(gpus).toHaveLength(2)
    expect(gpus[1]).toEqual({
      vendor: 'nvidia',
      name: 'NVIDIA H100 80GB HBM3',
      memoryBytes: 81_559 * MIB,
      freeBytes: 81_559 * MIB,
      driver: '580.126.20',
      capability: '9.0',
      fastInt8: true,
      index: 1,
    })
  })

  test.each(['nvidia-csv-580-gb10', 'nvidia-csv-540-orin'])('%s shares the memory of the machine', (name) => {
    expect(parseNvidiaSmi(hardwareFixture(name), memory)).toMatchObject([
      { memoryBytes: memory.totalBytes, freeBytes: memory.availableBytes, sharedMemory: true },
    ])
  })

  test.each(['nvidia-error-no-devices', 'nvidia-error-no-driver', 'nvidia-error-mismatch', 'nvidia-error-wsl-blocked'])(
    'is empty for %s',
    (name) => {
      expect(parseNvidiaSmi(hardwareFixture(name), memory)).toEqual([])
    },
  )

  test.each([
    ['5.3', false],
    ['6.0', false],
    ['6.1', true],
    ['6.2', false],
    ['7.0', true],
    ['7.2', true],
    ['12.1', true],
  ])('capability %s computes INT8 fast: %s', (capability, fast) => {
    expect(capabilityFacts(capability).fastInt8).toBe(fast)
  })
})

describe('the XML report', () => {
  test('tells CUDA and partitions with their memory', () => {
    expect(parseNvidiaXml(hardwareFixture('nvidia-xml-575-mig'))).toEqual({
      cudaVersion: '12.9',
      gpus: [{ partitions: [{ id: '1/0', memoryBytes: 40_448 * MIB, freeBytes: 40_151 * MIB }] }],
    })
  })

  test('knows cards with and without partitions apart', () => {
    const { gpus } = parseNvidiaXml(hardwareFixture('nvidia-xml-535-mixed'))
    expect(gpus.map((gpu) => gpu.partitions?.map(({ id }) => id))).toEqual([undefined, ['1/0', '5/0', '13/0']])
  })

  test('processes are no partitions in drivers before MIG', () => {
    expect(parseNvidiaXml(hardwareFixture('nvidia-xml-515-p620'))).toEqual({ cudaVersion: '11.7', gpus: [{}] })
  })

  test('ECC is told when the card has it', () => {
    const card = (mode: string): string =>
      `<cuda_version>Not Found</cuda_version><gpu id="0"><ecc_mode><current_ecc>${mode}</current_ecc></ecc_mode></gpu>`
    expect(parseNvidiaXml(card('Enabled'))).toEqual({ gpus: [{ ecc: true }] })
    expect(parseNvidiaXml(card('Disabled')).gpus).toEqual([{ ecc: false }])
    expect(parseNvidiaXml(card('N/A')).gpus).toEqual([{}])
  })

  test.each([
    ['gpu', '<gpu id='.repeat(200_000)],
    ['mig_device', `<gpu id="0"><mig_mode><current_mig>Enabled</current_mig></mig_mode><mig_devices>${'<mig_device>'.repeat(100_000)}`],
  ])('is read in a blink however often %s begins without an end', async (_, xml) => {
    expect(await effortOf(() => parseNvidiaXml(xml), EFFORT_MAX)).toBeLessThan(EFFORT_MAX)
  })
})

describe('the topology', () => {
  test('eight cards with NVLink, beside network cards', () => {
    const links = parseTopology(hardwareFixture('nvidia-topo-535-h100'))
    expect([...links.keys()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    for (const [from, to] of links) {
      expect(to.map((link) => link.to)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].filter((index) => index !== from))
      expect(to.every((link) => link.type === 'nvlink' && link.lanes === 18)).toBe(true)
    }
  })

  test('two cards on PCIe', () => {
    expect(parseTopology(hardwareFixture('nvidia-topo-two-phb'))).toEqual(
      new Map([
        [0, [{ to: 1, type: 'pcie-host' }]],
        [1, [{ to: 0, type: 'pcie-host' }]],
      ]),
    )
  })

  test('columns of spaces, and an older driver', () => {
    const links = parseTopology(hardwareFixture('nvidia-topo-384-dgx'))
    expect(links.get(0)?.map((link) => link.type)).toEqual([
      'pcie-switch',
      'pcie-host',
      'pcie-host',
      'system',
      'system',
      'system',
      'system',
    ])
  })

  test('the underlined header of newer drivers', () => {
    expect(parseTopology('\t\u001b[4mGPU0\tGPU1\tCPU Affinity\u001b[0m\nGPU0\t X \tNV4\t0-7\nGPU1\tNV4\t X \t0-7\n').get(0)).toEqual([
      { to: 1, type: 'nvlink', lanes: 4 },
    ])
  })

  test.each(['', 'Failed to initialize NVML: Unknown Error', 'GPU0\nGPU0 X'])('nothing in %j', (text) => {
    expect([...parseTopology(text).values()].flat()).toEqual([])
  })
})

describe('the probe', () => {
  test('puts list, report and topology together', async () => {
    const system = recordedSystem({
      commands: {
        [FULL]: hardwareFixture('nvidia-csv-580-h100'),
        [OLD]: hardwareFixture('nvidia-csv-580-h100'),
        'nvidia-smi -q -x':
          '<cuda_version>13.0</cuda_version><gpu id="a"><ecc_mode><current_ecc>Enabled</current_ecc></ecc_mode></gpu><gpu id="b"></gpu>',
        'nvidia-smi topo -m': '\tGPU0\tGPU1\tCPU Affinity\nGPU0\t X \tNV18\t0\nGPU1\tNV18\t X \t0\n',
      },
    })
    const { gpus, troubles } = await probeNvidia(system, memory)
    expect(troubles).toEqual([])
    expect(gpus.map((gpu) => GpuSchema.parse(gpu))).toMatchObject([
      { cudaVersion: '13.0', ecc: true, links: [{ to: 1, type: 'nvlink', lanes: 18 }] },
      { cudaVersion: '13.0', links: [{ to: 0, type: 'nvlink', lanes: 18 }] },
    ])
  })

  test('drivers that do not know the capability are asked without it', async () => {
    const system = recordedSystem({ commands: { [FULL]: 2, [OLD]: hardwareFixture('nvidia-csv-470-k80') } })
    expect(await probeNvidia(system, memory)).toMatchObject({
      gpus: [{ name: 'Tesla K80', driver: '470.82.01', memoryBytes: 11_441 * MIB }],
    })
  })

  test('the tool is found inside WSL', async () => {
    const system = recordedSystem({ commands: { '/usr/lib/wsl/lib/nvidia-smi': 'NVIDIA GeForce RTX 3060, 12288, 11000, 551.86, 8.6\n' } })
    expect((await probeNvidia(system, memory)).gpus).toHaveLength(1)
  })

  test.each([
    ['nvidia-error-mismatch', 18, 'driver-mismatch'],
    ['nvidia-error-no-driver', 9, 'no-driver'],
    ['nvidia-error-wsl-blocked', 255, 'no-driver'],
    ['nvidia-error-permission', 4, 'no-permission'],
    ['nvidia-error-no-devices', 6, 'no-devices'],
    // As some versions do: the complaint on stdout, and 0.
    ['nvidia-error-unknown', 0, 'failed'],
    ['nvidia-error-no-devices', 0, 'no-devices'],
  ])('%s with exit code %i is told as %s', async (name, code, reason) => {
    const system = recordedSystem({ commands: { 'nvidia-smi': { code, stdout: hardwareFixture(name) } } })
    expect(await probeNvidia(system, memory)).toMatchObject({ gpus: [], troubles: [{ vendor: 'nvidia', tool: 'nvidia-smi', reason }] })
  })

  test('without the tool there is nothing to tell', async () => {
    expect(await probeNvidia(recordedSystem(), memory)).toEqual({ gpus: [], troubles: [] })
    expect(await probeNvidia(recordedSystem({ platform: 'darwin' }), memory)).toEqual({ gpus: [], troubles: [] })
  })
})
