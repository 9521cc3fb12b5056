/**
 * The gateway over a scripted engine, in a process of its own; told over IPC how much memory it has.
 * What a question says is what the engine does: `open` one word and then silence, `flow N` N words, one a turn of the event loop, `word` one word.
 */
import { silentLogger } from '../src/base/logger.ts'
import { createApp } from '../src/server/app.ts'
import { listen } from '../src/server/listen.ts'
import type { GenerateEvent, GenerateRequest } from '../src/shared/generate.ts'
import { answer, createScriptedEngine } from '../test/fakes/scripted-engine.ts'
import { createScriptedPlatform } from '../test/fakes/scripted-platform.ts'

/** As an engine's steps: all streams get their next word in the same turn. */
let step: Promise<void> | undefined
function nextStep(): Promise<void> {
  return (step ??= new Promise((resolve) => {
    setImmediate(() => {
      step = undefined
      resolve()
    })
  }))
}

async function* generate({ prompt }: GenerateRequest, signal?: AbortSignal): AsyncGenerator<GenerateEvent> {
  const [order = '', count = '1'] = (prompt.type === 'messages' ? (prompt.messages.at(-1)?.content ?? '') : '').split(' ')
  for (let sent = 0; sent < Number(count) && !signal?.aborted; sent++) {
    yield { type: 'text-delta', choice: 0, text: 'word ' }
    await nextStep()
  }
  if (order === 'open') await new Promise((resolve) => signal?.addEventListener('abort', resolve))
  yield* answer('')
}

const platform = createScriptedPlatform({ engine: Object.assign(createScriptedEngine(), { generate }) })
const app = createApp({ platform, logger: silentLogger, version: 'bench', corsOrigins: [], allowedHosts: () => [] })
const { address } = await listen(app, { host: '127.0.0.1', port: 0, logger: silentLogger })

process.on('message', () => {
  globalThis.gc?.()
  process.send?.({ residentBytes: process.memoryUsage().rss })
})
process.on('disconnect', () => process.exit(0))
process.send?.({ address })
