import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { tinyModelBytes } from '../../test/fakes/gguf-header.ts'
import { sha256Of, startHubServer } from '../../test/fakes/hub-server.ts'
import type { HubServer } from '../../test/fakes/hub-server.ts'
import { silentLogger } from '../base/logger.ts'
import { openLibrary } from './library.ts'
import { pullModel } from './pull.ts'
import { parseReference } from './reference.ts'

const gguf = tinyModelBytes({ extraBytes: 4_000_000 })

let hub: HubServer
let folder = ''
beforeEach(async () => {
  hub = await startHubServer()
  hub.repositories.set('org/repo', { files: { 'x-Q4_K_M.gguf': gguf } })
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-crash-'))
})
afterEach(async () => {
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

const options = { env: () => ({ hfEndpoint: hub.origin, hfMirror: false as const }), models: () => path.join(folder, 'models') }

/** Pulls in a process of its own; answers once it has at least `bytes`, after kill -9. */
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
       library: openLibrary(${JSON.stringify(options.models())}),
       env: ${JSON.stringify(options.env())},
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
        .map(Number)
        .some((done) => done >= bytes)
    )
      child.kill('SIGKILL')
  })
  const signal = await new Promise((resolve) => child.once('close', (_, name) => resolve(name)))
  expect(signal).toBe('SIGKILL')
}

test('after kill -9, twice, the next pull takes the lock over, goes on, and has the right bytes', async () => {
  hub.order(/^\/cdn/, { kind: 'slow', pauseMs: 4 }, 2)
  await pullAndKill(800_000)
  await pullAndKill(1_600_000)
  const before = hub.sentBytes()
  const model = await pullModel(parseReference('hf:org/repo'), {
    library: openLibrary(options.models()),
    env: options.env(),
    logger: silentLogger,
  })
  expect(model.files[0]).toMatchObject({ bytes: gguf.length, sha256: sha256Of(gguf) })
  expect(hub.requests.at(-1)?.range).toMatch(/^bytes=\d{7}-$/)
  expect(hub.sentBytes() - before).toBeLessThan(gguf.length - 1_500_000)
})
