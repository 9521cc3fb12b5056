import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { silentLogger } from '../src/base/logger.ts'
import { createApp } from '../src/server/app.ts'
import { listen } from '../src/server/listen.ts'
import { createScriptedEngine } from '../test/fakes/scripted-engine.ts'
import { createScriptedPlatform } from '../test/fakes/scripted-platform.ts'
import type { Bench } from './bench.ts'
import { createInstantEngine } from './instant-engine.ts'
import { median } from './statistics.ts'

const USERS = 8
const LIMIT_MS = 1

/** Processor time of everything around llama_decode, a step of 8 users: scheduler, messages, dialect, Server-Sent Events, sockets. The readers are another process. */
export const overhead: Bench = {
  name: 'overhead',
  models: ['smollm2'],
  run: async ({ rounds, quick }) => {
    const engine = createInstantEngine(USERS)
    const platform = createScriptedPlatform({ engine: Object.assign(createScriptedEngine(), { generate: engine.generate }) })
    const app = createApp({ platform, logger: silentLogger, version: 'bench', corsOrigins: [], allowedHosts: () => [] })
    const server = await listen(app, { host: '127.0.0.1', port: 0, logger: silentLogger })
    const measure = async (): Promise<number> => {
      const [before, steps] = [process.cpuUsage(), engine.fullSteps()]
      await readers(server.address, quick ? 100 : 2000)
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1000 / (engine.fullSteps() - steps)
    }
    try {
      await measure()
      const results: number[] = []
      for (let round = 0; round < rounds; round++) results.push(await measure())
      const ms = median(results)
      const what = `processor time around llama_decode, ${USERS} users, a step`
      return [
        { what, unit: 'ms', better: 'lower', values: { bendi: ms, limit: LIMIT_MS }, ratio: ms / LIMIT_MS, against: 'limit', target: 1 },
      ]
    } finally {
      engine.close()
      await server.close(0)
    }
  },
}

async function readers(base: string, tokens: number): Promise<void> {
  const program = fileURLToPath(new URL('./readers.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', program, base, String(USERS), String(tokens)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`the readers ended with ${code}`)
}
