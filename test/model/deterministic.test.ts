import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { writeTinyModel } from '../fixtures/tiny-gguf.ts'
import { collect, engineBench, request } from './engine-harness.ts'
import type { Answer } from './engine-harness.ts'

const bench = await engineBench()
afterAll(() => bench.close())

const PROMPT = 'The quick brown fox jumps over the lazy dog. '.repeat(3)
const fields = { deterministic: true, ignoreEos: true, sampling: { temperature: 1, seed: 42 } }

async function contextsMade(folder: string): Promise<number> {
  const log = await readFile(path.join(bench.folder, folder, 'engine.log'), 'utf8')
  return log.split('constructing llama_context').length - 1
}

it('makes one context for all deterministic requests, however many come at the same time', async () => {
  const file = await writeTinyModel(bench.folder, { architecture: 'qwen2' })
  const engine = await bench.open(file, {}, 'crowd')
  const before = await contextsMade('crowd')
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => collect(engine.generate(request(PROMPT, { ...fields, maxTokens: 12 })))),
  )
  expect(new Set(answers.map((answer) => answer.texts[0])).size).toBe(1)
  expect(answers[0]?.usage?.completionTokens).toBe(12)
  expect((await contextsMade('crowd')) - before).toBe(1)
})

it.each(['qwen2', 'deepseek2'] as const)(
  'answers beyond its first window with the same bytes as in a long one (%s)',
  async (architecture) => {
    const file = await writeTinyModel(bench.folder, { architecture })
    const ask = async (context: number): Promise<Answer> => {
      const engine = await bench.open(file, { context, kvBytes: 23040 * 4096, parallel: 1 }, `${architecture}-${context}`)
      const answer = await collect(engine.generate(request(PROMPT, { ...fields, maxTokens: 700, logprobs: 0 })))
      await engine.stop()
      return answer
    }
    const [short, long] = [await ask(256), await ask(2048)]
    expect(long.usage?.completionTokens).toBe(700)
    expect(short.texts).toEqual(long.texts)
    expect(short.logprobs).toEqual(long.logprobs)
    expect(await contextsMade(`${architecture}-256`)).toBeGreaterThan(await contextsMade(`${architecture}-2048`))
  },
)

it('serves long and short deterministic prompts that come together', async () => {
  const file = await writeTinyModel(bench.folder, { architecture: 'qwen2' })
  const engine = await bench.open(file, { context: 256, kvBytes: 23040 * 4096, parallel: 2 }, 'mixed')
  const lengths = [20, 900, 30, 1500, 40, 300]
  const prompts = lengths.map((length) => Array.from({ length }, (_, i) => 40 + ((i * 7 + length) % 50)))
  const ask = (prompt: number[]): Promise<Answer> => collect(engine.generate(request(prompt, { ...fields, maxTokens: 10 })))
  const together = await Promise.all(prompts.map(ask))
  expect(together.map((answer) => answer.usage?.completionTokens)).toEqual(lengths.map(() => 10))
  for (const [index, prompt] of prompts.entries()) expect((await ask(prompt)).texts).toEqual(together[index]?.texts)
})
