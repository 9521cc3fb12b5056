import { mkdtemp, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../base/logger.ts'
import { DiskCache } from './disk-cache.ts'

let folder = ''
const openCache = (identity = 'model-a', limitBytes = 1e6) => new DiskCache({ folder, identity, limitBytes, logger: silentLogger })
const openBeside = (limitBytes: number) =>
  new DiskCache({ folder: path.join(path.dirname(folder), 'other'), identity: 'model-b', limitBytes, logger: silentLogger })
const state = (size: number, fill: number) => new Uint8Array(size).fill(fill)

describe('DiskCache', () => {
  beforeEach(async () => {
    folder = path.join(await mkdtemp(path.join(tmpdir(), 'bendi-kv-')), 'kv')
  })

  it('gives back after a restart what was written before, readable by the owner only', async () => {
    const cache = openCache()
    await cache.open()
    const written = await cache.write([1, 2, 3], state(100, 7))
    const again = openCache()
    expect(await again.open()).toEqual([{ name: written?.name, tokens: [1, 2, 3], bytes: 100 }])
    expect(await again.read(written?.name ?? '')).toEqual(Buffer.from(state(100, 7)))
    if (process.platform !== 'win32') expect((await stat(path.join(folder, written?.name ?? ''))).mode & 0o777).toBe(0o600)
  })

  it('leaves alone what belongs to another model, which has a folder of its own', async () => {
    const cache = openCache()
    await cache.open()
    const written = await cache.write([1, 2, 3], state(100, 7))
    const other = openBeside(1e6)
    expect(await other.open()).toEqual([])
    await other.write([1, 2, 3], state(100, 8))
    expect(await openCache().open()).toMatchObject([{ name: written?.name }])
    expect(await openBeside(1e6).open()).toMatchObject([{ name: written?.name }])
  })

  it('shares its limit with other models: the oldest goes, whosever it is', async () => {
    // Three of them, and room for the header of the next.
    const limit = 17_000
    const cache = openCache('model-a', limit)
    await cache.open()
    const first = await cache.write([1], state(4000, 1))
    await cache.write([2], state(4000, 2))
    const long = new Date(Date.now() - 60_000)
    await utimes(path.join(folder, first?.name ?? ''), long, long)
    const other = openBeside(limit)
    await other.open()
    for (const id of [3, 4]) expect(await other.write([id], state(4000, id))).toMatchObject({ evicted: [] })
    expect((await openCache('model-a', limit).open()).map(({ tokens }) => tokens)).toEqual([[2]])
    expect((await openBeside(limit).open()).length).toBe(2)
  })

  it('keeps to a limit that became lower', async () => {
    const cache = openCache()
    await cache.open()
    for (const id of [1, 2, 3]) await cache.write([id], state(4000, id))
    expect((await openCache('model-a', 9000).open()).length).toBe(2)
    expect((await readdir(folder)).length).toBe(2)
  })

  it('deletes files of another model, damaged ones and left-overs', async () => {
    const cache = openCache()
    await cache.open()
    await cache.write([1, 2, 3], state(100, 7))
    await writeFile(path.join(folder, 'garbage.kv'), 'x')
    await writeFile(path.join(folder, 'half.kv.part'), 'x')
    expect(await openCache('model-b').open()).toEqual([])
    expect(await readdir(folder)).toEqual([])
  })

  it('refuses a state whose bytes changed', async () => {
    const cache = openCache()
    await cache.open()
    const { name } = (await cache.write([1, 2, 3], state(100, 7))) ?? { name: '' }
    const content = await readFile(path.join(folder, name))
    content[content.length - 1] = 8
    await writeFile(path.join(folder, name), content)
    expect(await cache.read(name)).toBeUndefined()
    expect(await readdir(folder)).toEqual([])
  })

  it('stays within its limit, forgetting the least recently used first', async () => {
    const cache = openCache('model-a', 3 * (1000 + 4096 + 12))
    await cache.open()
    const names: string[] = []
    for (let i = 0; i < 5; i++) names.push((await cache.write([i, i, i], state(1000 + 3000, i)))?.name ?? '')
    expect(cache.bytes).toBeLessThanOrEqual(3 * (1000 + 4096 + 12))
    expect(await cache.read(names[0] ?? '')).toBeUndefined()
    expect(await cache.read(names[4] ?? '')).toBeDefined()
    expect(await cache.write([9], state(1e5, 1))).toBeUndefined()
  })
})
