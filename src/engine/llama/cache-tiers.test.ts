import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { silentLogger } from '../../base/logger.ts'
import { FakeRunner } from '../../../test/fakes/fake-runner.ts'
import { CacheTiers } from './cache-tiers.ts'
import { DiskCache } from './disk-cache.ts'
import { SnapshotStore } from './snapshot-store.ts'

it('goes on without a disk tier when its folder cannot be used', async () => {
  const taken = path.join(await mkdtemp(path.join(tmpdir(), 'bendi-tiers-')), 'taken')
  await writeFile(taken, 'a file where the folder should be')
  const snapshots = new SnapshotStore({ memoryLimit: 1e6, bytesPerToken: 4 })
  const runner = new FakeRunner({ layout: 'unified', slots: 1, window: 256, cells: 256, vocabulary: 5 })
  const disk = new DiskCache({ folder: taken, identity: 'a', limitBytes: 1e6, logger: silentLogger })
  const tiers = new CacheTiers({ snapshots, runner, disk, logger: silentLogger })
  await tiers.open(256)
  const tokens = Array.from({ length: 100 }, (_, i) => i % 4)
  const snapshot = snapshots.add(tokens)
  runner.addBlob(snapshot.key, new Uint8Array(Int32Array.from(tokens).buffer))
  expect(await tiers.writeOne()).toBe(false)
  expect(tiers.diskBytes).toBe(0)
  expect(snapshot).toMatchObject({ inMemory: true, onDisk: false, refused: false })
})
