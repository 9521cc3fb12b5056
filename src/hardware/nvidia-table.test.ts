import { describe, expect, test } from 'vitest'

import { recordedSystem } from '../../test/fakes/recorded-system.ts'
import { hardwareFixture } from '../../test/fixtures/hardware.ts'
import { machineOf } from '../planner/machine.ts'
import { probeNvidia } from './nvidia.ts'
import { parseNvidiaTable } from './nvidia-table.ts'

const MIB = 1024 ** 2
const memory = { totalBytes: 128 * 1024 ** 3, availableBytes: 100 * 1024 ** 3 }
const CARDS = hardwareFixture('nvidia-table-520-mig-cards')
const PARTS = hardwareFixture('nvidia-table-mig-parts')
const QUERY = '--format=csv,noheader,nounits'
const FULL = `nvidia-smi --query-gpu=name,memory.total,memory.free,driver_version,compute_cap ${QUERY}`
const LIST = 'NVIDIA A100 80GB PCIe, 81920, 81894, 520.61.05, 8.0\n'.repeat(2)

describe('the table of nvidia-smi', () => {
  test('tells CUDA, cards in MIG mode and their parts', () => {
    const { cudaVersion, partitions } = parseNvidiaTable(CARDS + PARTS)
    expect(cudaVersion).toBe('11.8')
    expect(partitions.get(0)).toEqual([])
    expect(partitions.get(1)).toEqual([
      { id: '3/0', memoryBytes: 19_968 * MIB, freeBytes: (19_968 - 14_366) * MIB },
      { id: '5/0', memoryBytes: 19_968 * MIB, freeBytes: (19_968 - 9826) * MIB },
      { id: '6/0', memoryBytes: 19_968 * MIB, freeBytes: (19_968 - 13) * MIB },
    ])
  })

  test('has no parts where there are none, whatever else it says', () => {
    expect(parseNvidiaTable('').partitions.size).toBe(0)
    expect(parseNvidiaTable(CARDS.replaceAll('Enabled', 'Disabled')).partitions.size).toBe(0)
    expect(parseNvidiaTable(CARDS.replaceAll('Enabled', '    N/A')).partitions.size).toBe(0)
    expect(parseNvidiaTable('|  1    3   0   0  |  14366MiB / 19968MiB |').partitions.size).toBe(0)
  })

  test('noise of megabytes is read, each part once', () => {
    const { partitions } = parseNvidiaTable(CARDS + PARTS + PARTS.repeat(999))
    expect(partitions.get(1)).toHaveLength(3000)
  })
})

describe('MIG without an XML report', () => {
  test.each(['hangs', 9, '<?xml version="1.0" ?><nvidia_smi_log><gpu id="0"><mig_mode><current_mig>'] as const)(
    'is found by the table when the report is %j',
    async (report) => {
      const commands = { [FULL]: LIST, 'nvidia-smi': CARDS + PARTS, 'nvidia-smi -q -x': report, 'nvidia-smi topo -m': 'hangs' } as const
      const { gpus } = await probeNvidia(recordedSystem({ commands }), memory)
      expect(gpus.map((gpu) => gpu.partitions?.length)).toEqual([0, 3])
      expect(gpus[0]?.cudaVersion).toBe('11.8')
    },
  )

  test('a program sees one part of a split card, and none of a card without parts', async () => {
    const commands = { [FULL]: LIST, 'nvidia-smi': CARDS + PARTS }
    const { gpus } = await probeNvidia(recordedSystem({ commands }), memory)
    const machine = machineOf({
      platform: 'linux-x64',
      cpu: { model: 'x', cores: 8, physicalCores: 8, features: [] },
      memory,
      disk: { path: '/', freeBytes: 1, totalBytes: 1 },
      gpus,
    })
    expect(machine.gpus).toHaveLength(1)
    expect(machine.gpus[0]).toMatchObject({ memoryBytes: 19_968 * MIB, name: 'NVIDIA A100 80GB PCIe' })
    expect((machine.gpus[0]?.bandwidth ?? 0) / 1e9).toBeCloseTo((1935 * 19_968) / 81_920, 0)
  })
})
