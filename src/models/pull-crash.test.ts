import { spawn } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { tinyModelBytes } from '../../test/fakes/gguf-header.ts'
import { sha256Of, startHubServer } from '../../test/fakes/hub-server.ts'
import type { HubServer } from '../../test/fakes/hub-server.ts'
import { silentLogger } from '../base/logger.ts'
import { openLibrary } from './library.ts'
import { pullModel } from './pull.ts'
import type { PullOptions } from './pull-options.ts'
import { parseReference } from './reference.ts'

const gguf = tinyModelBytes({ extraBytes: 60_000_000 })

let hub: HubServer
let liar: HubServer
let dying: HubServer
let folder = ''
beforeEach(async () => {
  ;[hub, liar, dying] = await Promise.all([startHubServer(), startHubServer(), startHubServer()])
  for (const server of [hub, liar, dying]) server.repositories.set('org/repo', { files: { 'x-Q4_K_M.gguf': gguf } })
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-crash-'))
})
afterEach(async () => {
  await Promise.all([hub.close(), liar.close(), dying.close()])
  await rm(folder, { recursive: true, force: true })
})

function options(): Pick<PullOptions, 'env'> & { models: string } {
  return { env: { hfEndpoint: hub.origin, hfMirror: liar.origin, modelscopeEndpoint: dying.origin }, models: path.join(folder, 'models') }
}

/** Pulls in a process of its own; kill -9 as soon as it has at least `bytes`. */
async function pullAndKill(bytes: number): Promise<void> {
  const script = path.join(folder, 'pull.mts')
  const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href)
  await writeFile(
    script,
    `import { openLibrary } from ${module('./library.ts')}
     import { pullModel } from ${module('./pull.ts')}
     import { parseReference } from ${module('./reference.ts')}
     import { silentLogger } from ${module('../base/logger.ts')}
     await pullModel(parseReference('hf:org/repo'), {
       library: openLibrary(${JSON.stringify(options().models)}),
       env: ${JSON.stringify(options().env)},
       logger: silentLogger,
       onProgress: (progress) => console.log(progress.doneBytes),
     })`,
  )
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script], { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.on('data', (text: Buffer) => {
    if (
      text
        .toString()
        .split('\n')
        .some((done) => Number(done) >= bytes)
    )
      child.kill('SIGKILL')
  })
  const signal = await new Promise((resolve) => child.once('close', (_, name) => resolve(name)))
  expect(signal).toBe('SIGKILL')
}

test('after kill -9, again and again, with one source that lies and one that dies, the bytes are right and hardly any came twice', async () => {
  hub.order(/^\/cdn/, { kind: 'slow', pauseMs: 24 }, 10_000)
  liar.order(/^\/cdn/, { kind: 'corrupt', everyBytes: 4096, pauseMs: 24 }, 10_000)
  dying.order(/^\/api\/v1\/models\/org\/repo\/repo\?/, { kind: 'slow', pauseMs: 24 }, 10_000)
  for (const bytes of [12e6, 26e6, 43e6]) {
    await pullAndKill(bytes)
    if (bytes === 26e6) await dying.close()
  }
  const model = await pullModel(parseReference('hf:org/repo'), {
    library: openLibrary(options().models),
    env: options().env,
    logger: silentLogger,
  })
  const file = openLibrary(options().models).fileOf(model)
  expect(sha256Of(await readFile(file))).toBe(sha256Of(gguf))
  expect(await readdir(path.join(options().models, '.downloads'))).toEqual([])
  const sent = hub.sentBytes() + liar.sentBytes() + dying.sentBytes()
  // What the hubs sent, whether it reached us or not: the liar's bytes, samples, and what was on its way when we were killed.
  expect(sent / gguf.length).toBeLessThan(1.05)
}, 120_000)
