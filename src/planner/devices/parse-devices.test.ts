import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { deviceKey, deviceNamed, DEVICES, nearestDevices } from './device-table.ts'
import { parseGpus, parseMemory } from './parse-devices.ts'

const GIB = 2 ** 30

test('the table has some hundred devices of seven makers, each with what was read, and no name of two', () => {
  expect(DEVICES.length).toBeGreaterThanOrEqual(90)
  expect(new Set(DEVICES.map((device) => device.vendor)).size).toBeGreaterThanOrEqual(7)
  const keys = DEVICES.flatMap(({ name, aliases }) => [...new Set([name, ...aliases].map(deviceKey))])
  expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([])
  for (const { name, source, memory } of DEVICES) {
    expect(source, name).toContain(name)
    expect(source.length - name.length, name).toBeGreaterThan(12)
    for (const [gib, bandwidth] of memory) {
      expect(gib, name).toBeGreaterThan(0)
      // From the Orin Nano of 4 GB to what is sold for data centres: a wrong unit would stick out.
      expect(bandwidth, name).toBeGreaterThanOrEqual(30)
      expect(bandwidth, name).toBeLessThanOrEqual(9000)
    }
  }
})

test('few numbers were not found in public texts, and each is named', () => {
  const doubtful = DEVICES.filter((device) => device.unconfirmed.length > 0).map(
    ({ name, unconfirmed }) => `${name}: ${unconfirmed.join(' ')}`,
  )
  expect(doubtful.toSorted()).toEqual([
    'Arc A770: fp16',
    'Arc B580: fp16',
    'Ascend 910: bandwidth',
    'GH200: fp16 fp8',
    'M1: bandwidth',
    'MTT S5000: fp16',
    'RTX 2070: bandwidth',
    'RTX 2080: bandwidth',
    'RTX A5000: bandwidth',
  ])
})

test('sizes of one name that differ in bandwidth are told apart', () => {
  expect(parseGpus('A100-40G')[0]).toMatchObject({ name: 'A100 40 GiB', bandwidth: 1555e9 })
  expect(parseGpus('3080-12G')[0]).toMatchObject({ bandwidth: 912e9 })
  expect(parseGpus('M3 Max-36G')[0]).toMatchObject({ bandwidth: 300e9 })
  expect(parseGpus('M4 Max')[0]).toMatchObject({ bandwidth: 546e9 })
  expect(parseGpus('910B4')[0]).toMatchObject({ memoryBytes: 32 * GIB, bandwidth: 800e9 })
})

test('the usual Macs and the cards of two generations ago are known, and not as their larger relatives', () => {
  expect(['Apple M1', 'Apple M2 Pro', 'Apple M3', 'Apple M3 Pro'].map((name) => deviceNamed(name)?.memory[0][1])).toEqual([
    68, 200, 100, 150,
  ])
  expect(deviceNamed('NVIDIA GeForce RTX 3070')).toMatchObject({ name: 'RTX 3070', memory: [[8, 448]] })
  expect(deviceNamed('NVIDIA RTX A4000')?.name).toBe('RTX A4000')
})

test('counts and cards may be written as on Chinese keyboards', () => {
  expect(parseGpus('８张H20').map((gpu) => gpu.name)).toEqual(Array.from({ length: 8 }, () => 'H20'))
  expect(parseGpus('2块 ４０９０，1卡3090')).toHaveLength(3)
  expect(parseMemory('６４Ｇ').bytes).toBe(64 * GIB)
})

test('a card of a laptop is not the one of the same number for desktops', () => {
  expect(deviceNamed('NVIDIA GeForce RTX 4090 Laptop GPU')).toMatchObject({ name: 'RTX 4090 Laptop', memory: [[16, 576]] })
  expect(deviceNamed('NVIDIA GeForce RTX 3070 Laptop GPU')).toBeUndefined()
  expect(deviceNamed('NVIDIA GeForce RTX 5070 SUPER')).toBeUndefined()
})

test.each([
  ['4090', ['RTX 4090'], 24, 1008],
  ['8xH20-96G', Array.from({ length: 8 }, () => 'H20'), 96, 4000],
  ['2x3090+1x4090', ['RTX 3090', 'RTX 3090', 'RTX 4090'], 24, 936],
  ['RTX 4090 D', ['RTX 4090 D'], 24, 1008],
  ['4090-48G', ['RTX 4090 48 GiB'], 48, 1008],
  ['3x RTX 4060 Ti 8G', Array.from({ length: 3 }, () => 'RTX 4060 Ti 8 GiB'), 8, 288],
  ['5090 D v2', ['RTX 5090 D v2'], 24, 1344],
  ['Foo-48G@900GB/s', ['Foo'], 48, 900],
  ['910B', ['Ascend 910B'], 64, 1600],
  ['S4000', ['MTT S4000'], 48, 768],
  ['AI Max+ 395', ['Strix Halo'], 128, 256],
  ['H20-3e', ['H20-3e'], 141, 4800],
])('%s is read', (text, names, gib, bandwidth) => {
  const gpus = parseGpus(text)
  expect(gpus.map((gpu) => gpu.name)).toEqual(names)
  expect(gpus[0]).toMatchObject({ memoryBytes: gib * GIB, bandwidth: bandwidth * 1e9 })
})

test('none is no card, and more than eight are several computers', () => {
  expect(parseGpus('none')).toEqual([])
  expect(parseGpus('16xH20').map((gpu) => gpu.node)).toEqual([...Array.from({ length: 8 }, () => 0), ...Array.from({ length: 8 }, () => 1)])
})

test('a part of unified memory is all that Metal gives', () => {
  expect(parseGpus('M3 Ultra')[0]).toMatchObject({ memoryBytes: 512 * GIB, freeBytes: 384 * GIB, isUnified: true })
})

describe('what drivers report', () => {
  test.each([
    ['NVIDIA GeForce RTX 4090', 'RTX 4090'],
    ['NVIDIA A100-SXM4-80GB', 'A100'],
    ['NVIDIA H100 80GB HBM3', 'H100 SXM'],
    ['Tesla V100-SXM2-32GB', 'V100'],
    ['Ascend 910B2', 'Ascend 910B'],
    ['Ascend 910B3', 'Ascend 910B3'],
    ['Ascend 910B4-1', 'Ascend 910B4'],
    ['Ascend 310P3', 'Ascend 310P'],
    ['NVIDIA A100 80GB PCIe', 'A100 PCIe'],
    ['NVIDIA A800-SXM4-80GB', 'A800'],
    ['NVIDIA L20', 'L20'],
    ['NVIDIA Jetson AGX Orin Developer Kit', 'Jetson AGX Orin'],
    ['NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super', 'Jetson Orin Nano Super'],
    ['AMD Instinct MI300X OAM', 'MI300X'],
    ['NVIDIA RTX PRO 6000 Blackwell Workstation Edition', 'RTX PRO 6000 Blackwell'],
    ['NVIDIA H20', 'H20'],
    ['NVIDIA H20-3e', 'H20-3e'],
    ['Apple M3 Max', 'M3 Max'],
    ['AMD Radeon RX 7900 XTX', 'RX 7900 XTX'],
    ['NVIDIA GeForce RTX 4070 Ti SUPER', 'RTX 4070 Ti SUPER'],
    ['NVIDIA GB10', 'DGX Spark'],
    ['Intel(R) Arc(TM) A770 Graphics', 'Arc A770'],
  ])('%s is known', (reported, name) => {
    expect(deviceNamed(reported)?.name).toBe(name)
  })

  test('and what is not in the table is nothing else', () => {
    for (const name of ['NVIDIA GeForce GTX 1080', 'Voodoo 5', '', '4']) expect(deviceNamed(name)).toBeUndefined()
  })
})

test('an unknown card is refused with near names and the form that always works', () => {
  expect(nearestDevices('4091')).toContain('RTX 4090')
  expect(() => parseGpus('RTX 4091')).toThrow(/near: .*4090.*NAME-48G@900GB\/s/)
  for (const text of ['', '0x4090', '9999999x4090', 'x4090', '4090+', 'Foo-48G']) expect(() => parseGpus(text), text).toThrow(AppError)
})

test('memory is in GiB, as it is sold', () => {
  expect(parseMemory('64G')).toEqual({ bytes: 64 * GIB })
  expect(parseMemory('1.5 TiB')).toEqual({ bytes: 1.5 * 2 ** 40 })
  expect(parseMemory('512G@460GB/s')).toEqual({ bytes: 512 * GIB, bandwidth: 460e9 })
  for (const text of ['', 'x', '-3G', '64', '0G']) expect(() => parseMemory(text), text).toThrow(AppError)
})

test('any text is read or refused, never anything else', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9x+@GB/s -]{0,40}$/)), (text) => {
      for (const parse of [parseGpus, parseMemory]) {
        try {
          parse(text)
        } catch (error) {
          expect(error).toBeInstanceOf(AppError)
        }
      }
    }),
    { numRuns: 500 },
  )
})
