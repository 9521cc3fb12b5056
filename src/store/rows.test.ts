import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { testRows } from '../../test/store/rows-suite.ts'
import { silentLogger } from '../base/logger.ts'
import { openStore, type Store } from './store.ts'

let folder: string
let store: Store

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'bendi-rows-'))
  store = await openStore({ file: path.join(folder, 'bendi.db'), logger: silentLogger, now: () => 0 })
})

afterAll(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

describe('in SQLite', () => {
  testRows(async () => store.db)
})
