import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { tinyModelBytes } from '../../test/fakes/gguf-header.ts'
import { loadConfig } from '../config/load-config.ts'
import { modelFromFile } from '../models/library.ts'
import type { Hardware } from '../shared/api.ts'
import type { DeploymentPlan } from './make-room.ts'
import { createPlanDeployment } from './plan-deployment.ts'

const hardware: Hardware = {
  platform: 'linux-x64',
  cpu: { model: 'test', cores: 2, physicalCores: 2, features: [] },
  memory: { totalBytes: 16e9, availableBytes: 8e9 },
  disk: { path: '/', freeBytes: 1e9, totalBytes: 1e9 },
  gpus: [],
}

let folder = ''
let file = ''
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-plan-'))
  file = path.join(folder, 'tiny.gguf')
  await writeFile(file, tinyModelBytes({ name: 'Tiny Model' }))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function planner(): Promise<() => Promise<DeploymentPlan>> {
  const config = loadConfig({ env: { BENDI_HOME: folder }, platform: 'linux', cwd: folder })
  const model = await modelFromFile(file, () => 1)
  const plan = createPlanDeployment(config, () => file)
  return () => plan(model, hardware, {})
}

it('plans again from what it has read, while the file is the same', async () => {
  const plan = await planner()
  expect(await plan()).toMatchObject({ fits: true })
  expect(await plan()).toEqual(await plan())
})

it('checks a file again that has changed since the last plan, before any engine gets it', async () => {
  const plan = await planner()
  await plan()
  await writeFile(file, tinyModelBytes({ name: 'Tiny Model' }).subarray(0, 200))
  await expect(plan()).rejects.toMatchObject({ code: 'invalid-model-file' })
})

it('says that the file has gone', async () => {
  const plan = await planner()
  await plan()
  await rm(file)
  await expect(plan()).rejects.toMatchObject({ code: 'file-not-found', data: { path: file } })
})
