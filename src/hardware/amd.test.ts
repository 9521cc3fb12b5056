import { expect, test } from 'vitest'

import { recordedSystem } from '../../test/fakes/recorded-system.ts'
import { hardwareFixture } from '../../test/fixtures/hardware.ts'
import { parseAmdSmi, parseRocmSmi, probeAmd } from './amd.ts'

test('rocm-smi of ROCm 6', () => {
  expect(parseRocmSmi(hardwareFixture('rocm-smi-6-rx7900'))).toEqual([
    {
      vendor: 'amd',
      name: 'Radeon RX 7900 XT',
      memoryBytes: 21_458_059_264,
      freeBytes: 21_458_059_264 - 27_856_896,
      capability: 'gfx1100',
      index: 0,
    },
  ])
})

test('rocm-smi of ROCm 7 names the card by its series where the model is a number', () => {
  expect(parseRocmSmi(hardwareFixture('rocm-smi-7-rx7900xt'))).toMatchObject([
    { name: 'Radeon RX 7900 XT', memoryBytes: 21_458_059_264, capability: 'gfx1100' },
  ])
})

test('amd-smi of ROCm 7 tells what is used, not what is free', () => {
  const [fixed, metric] = ['amd-smi-7-static-rx7800xt', 'amd-smi-7-metric-rx7800xt'].map((name) => hardwareFixture(name))
  expect(parseAmdSmi(fixed ?? '', metric ?? '')).toEqual([
    {
      vendor: 'amd',
      name: 'AMD Radeon RX 7800 XT',
      memoryBytes: 16_368 * 1024 ** 2,
      freeBytes: (16_368 - 14_569) * 1024 ** 2,
      index: 0,
    },
  ])
})

test('rocm-smi of ROCm 5 warns first, and the small part of the processor is left out', () => {
  expect(parseRocmSmi(hardwareFixture('rocm-smi-5-rx6800'))).toMatchObject([
    { name: 'Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]', memoryBytes: 17_163_091_968, freeBytes: 17_163_091_968 - 692_142_080 },
  ])
})

const card = {
  gpu: 0,
  asic: { market_name: 'AMD Instinct MI300X', target_graphics_version: 'gfx942', num_compute_units: 304 },
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
    cores: 304,
    index: 0,
  },
]

test.each([
  ['a list', [card], [usage]],
  ['an object with gpu_data', { gpu_data: [card] }, { gpu_data: [usage] }],
])('amd-smi as %s', (_, fixed, metric) => {
  expect(parseAmdSmi(JSON.stringify(fixed), JSON.stringify(metric))).toEqual(expected)
})

test('sections that amd-smi does not know are N/A', () => {
  const partition = { gpu: 1, asic: { market_name: 'N/A', num_compute_units: 'N/A' }, vram: 'N/A', driver: 'N/A' }
  expect(parseAmdSmi(JSON.stringify([card, partition]), JSON.stringify([usage]))).toEqual(expected)
})

test('amd-smi is asked when rocm-smi is gone', async () => {
  const commands = {
    'amd-smi static --asic --vram --driver --json': JSON.stringify([card]),
    'amd-smi metric --mem-usage --json': JSON.stringify([usage]),
  }
  expect(await probeAmd(recordedSystem({ commands }))).toEqual({ gpus: expected, troubles: [] })
})

test("without any tool the kernel's list tells name and memory", async () => {
  const device = '/sys/class/drm/card1/device'
  const files = {
    [`${device}/vendor`]: '0x1002\n',
    [`${device}/mem_info_vram_total`]: '17163091968\n',
    [`${device}/mem_info_vram_used`]: '163091968\n',
    '/sys/class/drm/card0/device/vendor': '0x8086\n',
    '/sys/class/drm/card1-DP-1/status': 'connected\n',
  }
  expect(await probeAmd(recordedSystem({ files }))).toMatchObject({ gpus: [{ name: 'AMD GPU', freeBytes: 17_000_000_000 }], troubles: [] })
})

test('a tool without permission is told', async () => {
  const commands = {
    'rocm-smi': {
      code: 1,
      stderr: 'ERROR: User is missing the following required groups: render. Please add user to these groups.\npermission denied',
    },
  }
  expect((await probeAmd(recordedSystem({ commands }))).troubles).toMatchObject([{ tool: 'rocm-smi', reason: 'no-permission' }])
})

test.each(['', 'not json', '[]', '{"card0":5}', 'null', '{"gpu_data":{}}'])('nothing is found in %j', (text) => {
  expect(parseRocmSmi(text)).toEqual([])
  expect(parseAmdSmi(text, text)).toEqual([])
})
