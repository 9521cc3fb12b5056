/** What the engine tests share: engines over a model file in a folder of their own, and requests in one line. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { silentLogger } from '../../src/base/logger.ts'
import type { Engine, EngineSettings } from '../../src/engine/engine.ts'
import { createLlamaEngine } from '../../src/engine/llama/engine.ts'
import { GenerateRequestSchema } from '../../src/shared/generate.ts'
import type { FinishReason, GenerateEvent, GenerateRequest, Timings, TokenLogprob, Usage, WireError } from '../../src/shared/generate.ts'

export interface Answer {
  texts: string[]
  thoughts: string[]
  reasons: (FinishReason | undefined)[]
  stopSequences: (string | undefined)[]
  logprobs: TokenLogprob[]
  usage?: Usage
  timings?: Timings
  error?: WireError
  /** How many events ended the stream: must be 1. */
  ends: number
}

let counter = 0

export function request(prompt: string | number[] | GenerateRequest['prompt'], fields: Partial<GenerateRequest> = {}): GenerateRequest {
  const resolved =
    typeof prompt === 'string'
      ? { type: 'text' as const, text: prompt }
      : Array.isArray(prompt)
        ? { type: 'tokens' as const, tokens: prompt }
        : prompt
  return GenerateRequestSchema.parse({
    id: `t${++counter}`,
    model: 'test',
    prompt: resolved,
    sampling: { temperature: 0 },
    maxTokens: 24,
    ...fields,
  })
}

export async function collect(events: AsyncIterable<GenerateEvent>, onEvent: (event: GenerateEvent) => void = () => {}): Promise<Answer> {
  const answer: Answer = { texts: [], thoughts: [], reasons: [], stopSequences: [], logprobs: [], ends: 0 }
  for await (const event of events) {
    onEvent(event)
    if (event.type === 'text-delta') answer.texts[event.choice] = (answer.texts[event.choice] ?? '') + event.text
    if (event.type === 'reasoning-delta') answer.thoughts[event.choice] = (answer.thoughts[event.choice] ?? '') + event.text
    if (event.type === 'text-delta' && event.logprobs) answer.logprobs.push(...event.logprobs)
    if (event.type === 'choice-end') {
      answer.reasons[event.choice] = event.reason
      answer.stopSequences[event.choice] = event.stopSequence
    }
    if (event.type === 'finish') {
      answer.usage = event.usage
      answer.timings = event.timings
    }
    if (event.type === 'error') answer.error = event.error
    if (event.type === 'finish' || event.type === 'error') answer.ends++
  }
  return answer
}

/** Engines of one test file; all are stopped and their folder removed by `close`. */
export async function engineBench(): Promise<{
  open(file: string, settings?: EngineSettings, folder?: string): Promise<Engine>
  folder: string
  close(): Promise<void>
}> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bendi-engine-'))
  const engines: Engine[] = []
  return {
    folder,
    async open(file, settings = {}, name = `e${engines.length}`) {
      const engine = createLlamaEngine({
        environment: process.env,
        model: 'test',
        file,
        settings: {
          threads: 1,
          parallel: 8,
          context: 1024,
          kvBytes: 2 ** 28,
          kvBytesPerToken: 23040,
          cacheBytes: 2 ** 27,
          diskCacheBytes: 0,
          ...settings,
        },
        logFile: path.join(folder, name, 'engine.log'),
        kvCacheFolder: path.join(folder, name, 'kv'),
        cacheFolder: folder,
        logger: silentLogger,
      })
      engines.push(engine)
      await engine.start()
      return engine
    },
    async close() {
      await Promise.all(engines.map((engine) => engine.stop(0)))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Two greedy texts are equal, or part where the model was nearly undecided (numbers differ with the batch's shape). */
export function partAt(a: string, b: string): number {
  let i = 0
  while (i < a.length && i < b.length && a[i] === b[i]) i++
  return i
}
