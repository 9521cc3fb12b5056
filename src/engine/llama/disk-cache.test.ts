import { mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../base/logger.ts'
import { DiskCache } from './disk-cache.ts'

let folder = ''
const openCache = (identity = 'model-a', limitBytes = 1e6) => new DiskCache({ folder, identity, limitBytes, logger: silentLogger })
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
