import { mkdtemp, mkdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startSparseHub } from '../../test/fakes/sparse-hub.ts'
import type { SparseHub } from '../../test/fakes/sparse-hub.ts'
import { manyQuantizations, QUANTIZED_GB } from '../../test/fixtures/many-quantizations.ts'
import { silentLogger } from '../base/logger.ts'
import { openLibrary } from '../models/library.ts'
import { readGgufSet } from '../models/headers/gguf-model-header.ts'
import { remoteFileSet } from '../models/headers/file-set.ts'
import type { ModelHeader } from '../models/headers/model-header.ts'
import { sourceHttp } from '../models/hubs/source-http.ts'
import { openJournal } from '../models/part-journal.ts'
import { downloadFolder } from '../models/pull-remote.ts'
import { formatReference, parseReference } from '../models/reference.ts'
import type { Gpu, Hardware } from '../shared/api.ts'
import { rateQuantizations } from './plan-quantization.ts'
import { chooseQuantization } from './pull-quantization.ts'
import type { ChosenQuantization, QuantizationContext } from './pull-quantization.ts'

const GIB = 2 ** 30
let hub: SparseHub
let folder = ''

beforeEach(async () => {
  hub = await startSparseHub()
  hub.repositories.set('org/Seven-7B-GGUF', manyQuantizations())
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-quantization-'))
})
afterEach(async () => {
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

function machine(gib: number, gbPerSecond: number, gpus: Gpu[] = []): Hardware {
  return {
    platform: 'linux-x64',
    cpu: { model: 'test', cores: 8, physicalCores: 8, features: ['avx512f'] },
    memory: { totalBytes: gib * GIB, availableBytes: gib * GIB, readBytesPerSecond: gbPerSecond * 1e9 },
    disk: { path: '/', freeBytes: 1e12, totalBytes: 1e12 },
    gpus,
  }
}

const card = (name: string, gib: number): Gpu => ({ vendor: 'nvidia', name, memoryBytes: gib * GIB, freeBytes: gib * GIB })

function choose(
  hardware: Hardware,
  more: Partial<QuantizationContext> = {},
  text = 'hf:org/Seven-7B-GGUF',
): Promise<ChosenQuantization | undefined> {
  return chooseQuantization(parseReference(text), {
    library: openLibrary(path.join(folder, 'models')),
    env: { hfEndpoint: hub.origin, hfMirror: false, modelscopeEndpoint: hub.origin },
    logger: silentLogger,
    hardware: async () => hardware,
    wishes: {},
    ...more,
  })
}

const chosenText = async (...given: Parameters<typeof choose>): Promise<string | undefined> => {
  const choice = await choose(...given)
  return choice && formatReference(choice.reference)
}

test.each([
  ['much memory and bandwidth: hardly any loss, and not the twice as large original', machine(64, 200), 'Q8_0'],
  ['slow memory: what is still read at a pleasant speed', machine(64, 70), 'Q6_K'],
  ['very slow memory: speed is worth more than quality', machine(64, 20), 'Q4_K_M'],
  ['little memory: the best that fits', machine(6, 200), 'Q5_K_M'],
  ['a card that holds all: fast', machine(16, 40, [card('NVIDIA GeForce RTX 4090', 24)]), 'Q8_0'],
  ['a small card: what fits on it, and not what spills over', machine(32, 30, [card('NVIDIA GeForce RTX 4060', 8)]), 'Q6_K'],
])('%s', async (_, hardware, quantization) => {
  expect(await chosenText(hardware)).toBe(`hf:org/Seven-7B-GGUF:${quantization}`)
})

test('a longer context leaves less room for the weights', async () => {
  const hardware = machine(8.5, 200)
  expect(await chosenText(hardware, { wishes: { context: 4096 } })).toBe('hf:org/Seven-7B-GGUF:Q8_0')
  expect(await chosenText(hardware, { wishes: { context: 32_768 } })).toBe('hf:org/Seven-7B-GGUF:Q6_K')
})

test('the reason is told in both languages, with what the next larger one would do', async () => {
  const choice = await choose(machine(6, 200))
  expect(choice?.reason.en).toMatch(
    /^Q5_K_M \(5\.2 GB\): the best of 8 quantisations here \(needs .* GB, about \d+ token\/s; Q6_K would not fit\)\.$/,
  )
  expect(choice?.reason.zh).toMatch(/^Q5_K_M（5\.2 GB）：8 种量化中最适合本机/)
})

test('one header of one file is read, whatever there is to choose among', async () => {
  await choose(machine(64, 200))
  const read = hub.requests.filter(({ range }) => range !== undefined)
  expect(new Set(read.map((request) => path.basename(request.path)))).toEqual(new Set(['Seven-7B-Q4_K_M.gguf']))
  expect(read.reduce((sum, request) => sum + request.sentBytes, 0)).toBeLessThan(4_000_000)
})

test('where nothing fits the usual one is taken, and it is said', async () => {
  const choice = await choose(machine(1, 200))
  expect(choice && formatReference(choice.reference)).toBe('hf:org/Seven-7B-GGUF:Q4_K_M')
  expect(choice?.reason.en).toContain('none of 8 quantisations fits here')
})

test('a header that cannot be read leaves the choice to the size, and that is said', async () => {
  hub.behaviour = 'web-page'
  const choice = await choose(machine(64, 200))
  expect(choice && formatReference(choice.reference)).toBe('hf:org/Seven-7B-GGUF')
  expect(choice?.reason.en).toMatch(/by file size alone, for the header could not be read \(.+\)/)
  expect(choice?.reason.zh).toContain('仅按文件大小')
})

test('there is nothing to choose when the reference says it, one file is there, or nobody answers', async () => {
  expect(await choose(machine(64, 200), {}, 'hf:org/Seven-7B-GGUF:Q2_K')).toBeUndefined()
  hub.repositories.set('org/one', manyQuantizations(['Q6_K']))
  expect(await choose(machine(64, 200), {}, 'hf:org/one')).toBeUndefined()
  expect(await choose(machine(64, 200), {}, 'hf:org/unknown')).toBeUndefined()
})

test('files that are left out cannot be chosen', async () => {
  expect(await chosenText(machine(64, 200), { selection: { exclude: ['*Q8_0*', '*BF16*'] } })).toBe('hf:org/Seven-7B-GGUF:Q6_K')
})

test('a download that was begun is finished, whatever would be chosen today', async () => {
  const library = openLibrary(path.join(folder, 'models'))
  const begun = downloadFolder('hf:org/Seven-7B-GGUF:Q3_K_M', library)
  await mkdir(begun, { recursive: true })
  const bytes = Math.round((QUANTIZED_GB['Q3_K_M'] ?? 0) * 1e9)
  const journal = await openJournal(path.join(begun, 'Seven-7B-Q3_K_M.gguf'), {
    identity: { totalBytes: bytes },
    arrived: new Map([['x', [{ start: 0, end: 1_000_000 }]]]),
    verdicts: new Map(),
  })
  await journal.flush()
  await journal.close()
  const choice = await choose(machine(64, 200))
  expect(choice && formatReference(choice.reference)).toBe('hf:org/Seven-7B-GGUF:Q3_K_M')
  expect(choice?.reason.en).toMatch(/it was begun before \(1\.0 MB of 3\.6 GB are here\)/)
})

test('faster memory never makes the choice worse, nor does more of it', async () => {
  const header = await headerOf()
  const options = Object.entries(QUANTIZED_GB).map(([name, gb]) => ({ name, bytes: gb * 1e9 }))
  const order = ['too-large', 'slow', 'good']
  const best = (gib: number, speed: number): { score: number; rank: number } => {
    const rated = rateQuantizations(options, { header, headerBytes: 4.43e9 }, machine(gib, speed), {})
    const ranks = rated.map(({ verdict }) => order.indexOf(verdict))
    expect(ranks[0]).toBe(Math.max(...ranks))
    return { score: rated[0]?.score ?? Number.NaN, rank: ranks[0] ?? -1 }
  }
  const gib = fc.integer({ min: 2, max: 64 })
  const speed = fc.integer({ min: 5, max: 400 })
  fc.assert(
    fc.property(gib, gib, speed, speed, (some, more, slow, fast) => {
      const from = best(some, slow)
      const faster = best(some, slow + fast)
      expect(faster.rank > from.rank || (faster.rank === from.rank && faster.score >= from.score - 1e-9)).toBe(true)
      expect(best(some + more, slow).rank).toBeGreaterThanOrEqual(from.rank)
    }),
    { numRuns: 40 },
  )
})

async function headerOf(): Promise<ModelHeader> {
  const http = sourceHttp({})
  try {
    const name = 'Seven-7B-Q4_K_M.gguf'
    const url = `${hub.origin}/org/Seven-7B-GGUF/resolve/main/${name}`
    return await readGgufSet(remoteFileSet([{ path: name, urls: [{ name: 'hub', url }] }], { http }), [name])
  } finally {
    await http.close()
  }
}
