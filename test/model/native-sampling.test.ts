/** Sampling through our binding, on two tiny models with random weights, and a real one. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadModel } from '../../src/engine/llama/model.ts'
import type { SamplerSettings } from '../../src/engine/llama/batch.ts'
import type { LlamaModel } from '../../src/engine/llama/model.ts'
import { realModel } from '../fixtures/real-model.ts'
import { writeTinyModel } from '../fixtures/tiny-gguf.ts'
import { binding, GREEDY, idsOf, openRunner, proceed, runOnly, start, textOf } from './native-harness.ts'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bendi-native-test-'))
afterAll(() => fs.rmSync(folder, { recursive: true }))

const real = await realModel()
const models: Record<string, () => Promise<string>> = {
  'tiny qwen2': () => writeTinyModel(folder, { architecture: 'qwen2' }),
  'tiny deepseek2': () => writeTinyModel(folder, { architecture: 'deepseek2' }),
  ...(typeof real === 'string' ? { SmolLM2: async () => real } : {}),
}
const TEXTS = ['The capital of France is', 'Once upon a time there was', '一只猫坐在', 'def add(a, b):\n    return']

describe.each(Object.entries(models))('%s', (_name, file) => {
  let model: LlamaModel
  let prompts: number[][] = []
  let first: number[] = []

  beforeAll(async () => {
    model = await loadModel(binding, { file: await file() })
    prompts = TEXTS.map((text) => model.tokenize(text, { addSpecial: false, parseSpecial: false }))
    first = prompts[0] ?? []
  })

  test('log-probabilities fall, are at most 0, and are those of a distribution', async () => {
    const runner = await openRunner(model)
    const { next } = await start(runner, { slot: 0, tokens: first, sampling: { ...GREEDY, logprobs: 20 } })
    const top = next.logprob?.top ?? []
    expect(top).toHaveLength(20)
    expect(top[0]?.logprob).toBe(next.logprob?.logprob)
    for (const [index, { logprob }] of top.entries()) expect(logprob).toBeLessThanOrEqual(top[index - 1]?.logprob ?? 0)
    const sum = top.reduce((total, { logprob }) => total + Math.exp(logprob), 0)
    expect(sum).toBeGreaterThan(0)
    expect(sum).toBeLessThanOrEqual(1 + 1e-6)
    expect(Buffer.from(next.logprob?.bytes ?? [])).toEqual(Buffer.from(model.pieceBytes(next.token, true)))
  })

  test('a logit bias forces a token, and −100 keeps one away', async () => {
    const runner = await openRunner(model)
    const forced = await start(runner, { slot: 0, tokens: first, sampling: { ...GREEDY, logitBias: { 42: 100 } } })
    expect(forced.next.token).toBe(42)
    const plain = await start(runner, { slot: 1, tokens: first })
    const banned = await start(runner, { slot: 2, tokens: first, sampling: { ...GREEDY, logitBias: { [plain.next.token]: -100 } } })
    expect(banned.next.token).not.toBe(plain.next.token)
  })

  test('ignoreEos keeps every end-of-generation token away', async () => {
    const runner = await openRunner(model)
    const ends = model.endOfGenerationTokens()
    expect(ends).toContain(model.shape.endToken)
    const logitBias = Object.fromEntries(ends.map((token) => [token, 100]))
    expect(ends).toContain(
      (await start(runner, { slot: 0, tokens: first, sampling: { ...GREEDY, ignoreEos: false, logitBias } })).next.token,
    )
    expect(ends).not.toContain((await start(runner, { slot: 1, tokens: first, sampling: { ...GREEDY, logitBias } })).next.token)
  })

  test('a grammar holds from the first token to the last, greedy and sampled', async () => {
    const runner = await openRunner(model)
    const grammar = 'root ::= "yes " [0-9] [0-9] [0-9] "!"'
    for (const [slot, temperature] of [0, 1].entries()) {
      const chat = await start(runner, { slot, tokens: first, sampling: { temperature, seed: 5, ignoreEos: false, grammar } })
      const ids = [chat.next.token]
      while (!model.isEndOfGeneration(ids.at(-1) ?? 0) && ids.length < 20)
        ids.push(...idsOf((await proceed(runner, [chat], 1))[0] ?? []).slice(1))
      expect(textOf(model, ids)).toMatch(/^yes \d\d\d!$/)
    }
  })

  test('a grammar at its end with ignoreEos ends the sequence with a failure, not the process', async () => {
    const runner = await openRunner(model)
    const chat = await start(runner, { slot: 0, tokens: first, sampling: { ...GREEDY, grammar: 'root ::= "a"' } })
    expect(textOf(model, [chat.next.token])).toBe('a')
    const result = await runOnly(runner, [
      { sequence: chat.sequence, slot: 0, start: chat.length, tokens: [chat.next.token], sample: true, draft: 0 },
    ])
    expect(result.sampled).toEqual([])
    expect(result.failures).toMatchObject([{ sequence: chat.sequence, code: 'internal' }])
  })

  test.each([
    'root ::= (',
    'rot ::= "a"',
    'root ::= unknown',
    'root ::= root "a"',
    '',
    'root ::= ' + '('.repeat(1000),
    'root ::= "a"{99999999}',
  ])('a grammar that cannot be used fails its sequence only: %s', async (grammar) => {
    const runner = await openRunner(model)
    const result = await runOnly(
      runner,
      [
        { sequence: 1, slot: 0, start: 0, tokens: first, sample: true, draft: 0 },
        { sequence: 2, slot: 1, start: 0, tokens: first, sample: true, draft: 0 },
      ],
      [
        { type: 'open', sequence: 1, sampling: { ...GREEDY, grammar }, tokens: first },
        { type: 'open', sequence: 2, sampling: GREEDY, tokens: first },
      ],
    )
    expect(result.failures).toMatchObject([{ sequence: 1, code: 'invalid-grammar' }])
    expect(result.sampled.map(({ sequence }) => sequence)).toEqual([2])
  })

  test('the same seed gives the same tokens, another seed others', async () => {
    const runner = await openRunner(model)
    const sample = async (slot: number, seed: number): Promise<number[]> => {
      const sampling = { temperature: 1.5, topK: 0, topP: 1, minP: 0, seed, ignoreEos: true }
      const [tokens = []] = await proceed(runner, [await start(runner, { slot, tokens: first, sampling })], 12)
      await runOnly(runner, [], [{ type: 'remove', slot, start: 0 }])
      return idsOf(tokens)
    }
    expect(await sample(0, 1)).toEqual(await sample(0, 1))
    expect(await sample(0, 1)).not.toEqual(await sample(0, 2))
    // 2^32 − 1 means "random" to libllama.
    expect(await sample(0, 0xffff_ffff)).toEqual(await sample(0, 0xffff_ffff))
  })

  test('every sampler of the chain can be used, alone and all together', async () => {
    const runner = await openRunner(model)
    const base = { temperature: 0.9, seed: 3, ignoreEos: true }
    const all = {
      topK: 50,
      topP: 0.9,
      minP: 0.01,
      typicalP: 0.95,
      xtcProbability: 0.5,
      xtcThreshold: 0.05,
      dryMultiplier: 0.8,
      dryPenaltyLastN: -1,
      repetitionPenalty: 1.1,
      frequencyPenalty: 0.2,
      presencePenalty: 0.2,
      penaltyLastN: -1,
    }
    const variants = [
      ...Object.entries(all).map(([key, value]) => Object.assign({ [key]: value }, base)),
      { ...base, ...all },
      { ...base, ...all, temperature: 0 },
      { ...base, topK: 100_000 },
    ]
    for (const sampling of variants) {
      const chat = await start(runner, { slot: 0, tokens: first, sampling })
      await proceed(runner, [chat], 3)
      await runOnly(
        runner,
        [],
        [
          { type: 'close', sequence: chat.sequence },
          { type: 'remove', slot: 0, start: 0 },
        ],
      )
      expect(chat.length).toBe(first.length + 3)
    }
  })

  test('numbers beyond all that there is cost nothing, and do not come round as small ones', async () => {
    const runner = await openRunner(model)
    const textWith = async (sampling: Partial<SamplerSettings>): Promise<number[]> => {
      const chat = await start(runner, {
        slot: 0,
        tokens: first,
        sampling: { temperature: 0.9, topK: 0, seed: 3, ignoreEos: true, ...sampling },
      })
      const [tokens = []] = await proceed(runner, [chat], 8)
      const { sequence } = chat
      const end = [
        { type: 'close' as const, sequence },
        { type: 'remove' as const, slot: 0, start: 0 },
      ]
      await runOnly(runner, [], end)
      return idsOf(tokens)
    }
    const plain = await textWith({})
    const before = process.memoryUsage().rss
    const dry = { dryMultiplier: 5, dryAllowedLength: 0 }
    expect(await textWith({ ...dry, dryPenaltyLastN: 2 ** 31 - 1 })).toEqual(await textWith({ ...dry, dryPenaltyLastN: -1 }))
    expect(await textWith({ ...dry, dryPenaltyLastN: 2 ** 40 })).toEqual(await textWith({ ...dry, dryPenaltyLastN: -1 }))
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 29)
    expect(await textWith({ ...dry, dryAllowedLength: 2 ** 32 - 5 })).toEqual(plain)
    expect(await textWith({ topK: 2 ** 32 + 1 })).toEqual(plain)
  })

  test('nothing is sampled behind the end of a text, also where its guess was right', async () => {
    const runner = await openRunner(model)
    const end = model.shape.endToken ?? 0
    const sampling = { ...GREEDY, ignoreEos: false, logitBias: { [end]: 100 } }
    const tokens = [...first, end, 40, 41]
    const result = await runOnly(
      runner,
      [{ sequence: 7, slot: 0, start: 0, tokens, sample: true, draft: 3 }],
      [{ type: 'open', sequence: 7, sampling, tokens: first }],
    )
    expect(result.failures).toEqual([])
    expect(result.sampled.map((sampled) => idsOf(sampled.tokens))).toEqual([[end]])
  })

  test('a strong repetition penalty keeps a greedy text from repeating a token', async () => {
    const runner = await openRunner(model)
    const sampling = { ...GREEDY, frequencyPenalty: 2, presencePenalty: 2, repetitionPenalty: 1000, penaltyLastN: -1 }
    const [tokens = []] = await proceed(runner, [await start(runner, { slot: 0, tokens: first, sampling })], 20)
    expect(new Set(idsOf(tokens)).size).toBe(21)
  })
})
