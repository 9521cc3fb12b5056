/** The real server over a scripted engine, on a port of its own, until it is ended: what schemathesis is let loose on. Prints its address. */
import type { Platform } from '../../src/platform/platform.ts'
import { createApp } from '../../src/server/app.ts'
import { listen } from '../../src/server/listen.ts'
import { silentLogger } from '../../src/base/logger.ts'
import type { GenerateEvent, GenerateRequest } from '../../src/shared/generate.ts'
import { answer, createScriptedEngine } from '../fakes/scripted-engine.ts'
import { createScriptedPlatform } from '../fakes/scripted-platform.ts'

/** Thoughts, text, log-probabilities and calls, as far as they are asked for. */
function* script({ id, choices, logprobs, toolChoice, prompt }: GenerateRequest): Generator<GenerateEvent> {
  const tool = prompt.type === 'messages' ? prompt.tools?.[0] : undefined
  const isCalled = tool && (toolChoice?.type === 'required' || toolChoice?.type === 'named')
  const name = toolChoice?.type === 'named' ? toolChoice.name : tool?.name
  const calls = isCalled && name !== undefined ? [{ id: `call_${id}`, name, arguments: '{"input":"a b"}' }] : []
  yield { type: 'prefill', done: 4, total: 12 }
  yield* answer('Hello from the script.', { choices, reasoning: 'let me think', calls, logprobs })
}

const port = Number(process.argv[2] ?? 0)
const engine = createScriptedEngine({ script, info: { canEmbed: true } })
await engine.start()
// Every name is a model's, deleted ones too: made-up requests would all end with "no such model" otherwise.
const platform: Platform = {
  ...createScriptedPlatform({ engine }),
  resolveName: async () => 'scripted',
  generate: (request, signal) => engine.generate(request, signal),
  embed: (request, signal) => engine.embed(request, signal),
  rerank: (request, signal) => engine.rerank(request, signal),
  tokenize: (_, prompt) => engine.tokenize(prompt),
  detokenize: (_, tokens) => engine.detokenize(tokens),
  render: (_, prompt) => engine.render(prompt),
  ready: () => true,
}
const app = createApp({ platform, logger: silentLogger, version: '0.0.0-test', corsOrigins: [], allowedHosts: () => [] })
const listening = await listen(app, { host: '127.0.0.1', port, logger: silentLogger })
console.log(listening.address)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void listening.close(0).then(() => process.exit(0)))
}
