import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Hardware } from '../shared/hardware.ts'
import { measureDiskRead } from './disk-speed.ts'
import { measureHardware, withMeasurements } from './measurements.ts'
import { bufferBytes, measureMemoryBandwidth } from './memory-bandwidth.ts'

const MIB = 1024 ** 2
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-measure-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const hardware: Hardware = {
  platform: 'linux-x64',
  cpu: { model: 'EPYC', cores: 8, physicalCores: 4, features: [], cacheBytes: 32 * MIB },
  memory: { totalBytes: 16e9, availableBytes: 12e9 },
  disk: { path: '/data', freeBytes: 100e9, totalBytes: 200e9 },
  gpus: [],
}

describe('memory bandwidth', () => {
  test('is that of a real memory', async () => {
    const speed = await measureMemoryBandwidth({ cores: 1, cacheBytes: 16 * MIB, availableBytes: 2e9 })
    // A machine that was too busy to start tells nothing.
    expect(speed).toSatisfy((value?: number) => value === undefined || (value > 200e6 && value < 2e12))
  })

  test('buffers are four times the caches, within a quarter of what is free', () => {
    expect(bufferBytes({ cores: 4, cacheBytes: 256 * MIB, availableBytes: 64e9 }, 4) * 4).toBe(1024 * MIB)
    expect(bufferBytes({ cores: 1, cacheBytes: MIB, availableBytes: 64e9 }, 1)).toBe(256 * MIB)
    expect(bufferBytes({ cores: 4, cacheBytes: 256 * MIB, availableBytes: 400e6 }, 4) * 4).toBeLessThanOrEqual(100e6)
  })

  test('nothing is measured when memory is short', async () => {
    expect(await measureMemoryBandwidth({ cores: 4, availableBytes: 8 * MIB })).toBeUndefined()
  })
})

describe('disk speed', () => {
  test('a file is made for it and removed, and the answer is plausible where there is one', async () => {
    const scratch = path.join(folder, 'scratch')
    const speed = await measureDiskRead({ models: path.join(folder, 'none'), scratch, freeBytes: 100e9 })
    expect(await readdir(scratch).catch(() => [])).toEqual([])
    // tmpfs and other systems have no reading past the cache.
    if (speed !== undefined) expect(speed).toSatisfy((value: number) => value > 1e5 && value < 1e11)
  })

  test('nothing is written when the disk is nearly full', async () => {
    const scratch = path.join(folder, 'full')
    expect(await measureDiskRead({ models: path.join(folder, 'none'), scratch, freeBytes: 1e9 })).toBeUndefined()
    expect(await readdir(folder)).not.toContain('full')
  })
})

describe('what was measured', () => {
  test('is kept for this machine, and measured again for another', async () => {
    const cacheFolder = path.join(folder, 'cache')
    let times = 0
    const memory = async (): Promise<number> => ((times += 1), 20_000_000_000)
    const disk = async (): Promise<number> => 500_000_000
    const options = { hardware, cacheFolder, models: folder, memory, disk, now: () => 1, load: () => 0 }
    const measured = await measureHardware(options)
    expect(measured).toMatchObject({ memory: { readBytesPerSecond: 20e9 }, disk: { readBytesPerSecond: 500e6 } })
    expect(await measureHardware(options)).toEqual(measured)
    expect(await withMeasurements(hardware, cacheFolder)).toEqual(measured)
    expect(times).toBe(1)
    const resized = { ...hardware, memory: { ...hardware.memory, totalBytes: 64e9 } }
    expect(await withMeasurements(resized, cacheFolder)).toEqual(resized)
    await measureHardware({ ...options, hardware: resized })
    expect(times).toBe(2)
  })

  test('a busy machine is left alone', async () => {
    const never = async (): Promise<number> => expect.unreachable('it was measured')
    const cacheFolder = path.join(folder, 'busy')
    expect(await measureHardware({ hardware, cacheFolder, models: folder, memory: never, disk: never, load: () => 4.1 })).toEqual(hardware)
    expect(await readdir(folder)).not.toContain('busy')
  })

  test('a damaged file is no obstacle, and what could not be measured is not kept', async () => {
    const cacheFolder = await mkdtemp(path.join(folder, 'bad-'))
    await writeFile(path.join(cacheFolder, 'measurements.json'), '{"machine":5')
    const nothing = async (): Promise<undefined> => undefined
    expect(await measureHardware({ hardware, cacheFolder, models: folder, memory: nothing, disk: nothing, load: () => 0 })).toEqual(
      hardware,
    )
    expect(await withMeasurements(hardware, cacheFolder)).toEqual(hardware)
  })
})
