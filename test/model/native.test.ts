/** libllama through our binding: two tiny models with random weights, and a real one. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AppError } from '../../src/shared/errors.ts'
import type { SampledToken } from '../../src/engine/llama/batch.ts'
import { createEmbedder } from '../../src/engine/llama/embedder.ts'
import { loadModel } from '../../src/engine/llama/model.ts'
import type { LlamaModel } from '../../src/engine/llama/model.ts'
import { realModel } from '../fixtures/real-model.ts'
import { TINY_TOKENS, TINY_VOCABULARY_SIZE, writeTinyModel } from '../fixtures/tiny-gguf.ts'
import { binding, GREEDY, idsOf, openRunner, proceed, runOnly, start, textOf } from './native-harness.ts'

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bendi-native-test-'))
afterAll(() => fs.rmSync(folder, { recursive: true }))

const real = await realModel()
const models: Record<string, () => Promise<string>> = {
  'tiny qwen2': () => writeTinyModel(folder, { architecture: 'qwen2' }),
  'tiny deepseek2': () => writeTinyModel(folder, { architecture: 'deepseek2' }),
  ...(typeof real === 'string' ? { SmolLM2: async () => real } : {}),
}
test('the real model is there (skipped, with the reason, where it cannot be had)', (context) => {
  if (typeof real !== 'string') context.skip(real.skip)
  expect(fs.existsSync(String(real))).toBe(true)
})

const TEXTS = ['The capital of France is', 'Once upon a time there was', '一只猫坐在', 'def add(a, b):\n    return']
/** Two computations of the same thing in other batches round differently. */
const TOLERANCE = 0.05

describe.each(Object.entries(models))('%s', (_name, file) => {
  let model: LlamaModel
  let prompts: number[][] = []
  let first: number[] = []

  beforeAll(async () => {
    model = await loadModel(binding, { file: await file() })
    prompts = TEXTS.map((text) => model.tokenize(text, { addSpecial: false, parseSpecial: false }))
    first = prompts[0] ?? []
  })
  // No free(): runners of this file are closed after all tests, and contexts must go before their model.

  const greedyWithGaps = { ...GREEDY, logprobs: 2 }

  test('the greedy text alone is the text in a batch of four, up to a near tie', async () => {
    const runner = await openRunner(model)
    const alone: SampledToken[][] = []
    for (const tokens of prompts) {
      const chat = await start(runner, { slot: 0, tokens, sampling: greedyWithGaps })
      alone.push(...(await proceed(runner, [chat], 8)))
      await runOnly(runner, [], [{ type: 'remove', slot: 0, start: 0 }])
    }
    for (const layout of ['split', 'unified'] as const) {
      const shared = await openRunner(model, { layout })
      const chats = []
      for (const [slot, tokens] of prompts.entries()) chats.push(await start(shared, { slot, tokens }))
      for (const [index, tokens] of (await proceed(shared, chats, 8)).entries()) {
        expect(gapAtDifference(alone[index] ?? [], idsOf(tokens))).toBeLessThan(TOLERANCE)
      }
    }
  })

  test.each(['split', 'unified'] as const)(
    'a copied, a cut, and a saved and loaded sequence go on with the same logits (%s)',
    async (layout) => {
      const runner = await openRunner(model, { layout })
      const tokens = [...first, ...first]
      const sampling = { ...GREEDY, logprobs: 5 }
      const whole = await start(runner, { slot: 0, tokens, sampling })
      const half = tokens.length - 2

      await runOnly(
        runner,
        [],
        [
          { type: 'copy', from: 0, to: 1, length: tokens.length },
          { type: 'remove', slot: 1, start: half },
        ],
      )
      expect(runner.sequenceLength(1)).toBe(half)
      expectClose((await start(runner, { slot: 1, tokens, sampling, from: half })).next, whole.next)

      await runOnly(
        runner,
        [],
        [
          { type: 'save', slot: 0, key: 7 },
          { type: 'remove', slot: 0, start: 0 },
          { type: 'load', slot: 3, key: 7 },
        ],
      )
      expect(runner.sequenceLength(0)).toBe(0)
      expect(runner.sequenceLength(3)).toBe(tokens.length)
      expect(runner.savedBytes(7)).toBeGreaterThan(100)
      await runOnly(runner, [], [{ type: 'remove', slot: 3, start: half }])
      expectClose((await start(runner, { slot: 3, tokens, sampling, from: half })).next, whole.next)
      runner.dropBlob(7)
      expect(runner.savedBytes(7)).toBe(0)
    },
  )

  test('a sequence saved in one shape of the context goes on in another, also as bytes from a disk', async () => {
    const runner = await openRunner(model, { layout: 'split', slots: 4 })
    const sampling = { ...GREEDY, logprobs: 5 }
    const whole = await start(runner, { slot: 2, tokens: first, sampling })
    const cut = first.length - 1
    await runOnly(runner, [], [{ type: 'save', slot: 2, key: 1 }])
    const bytes = Uint8Array.from(runner.savedBlob(1) ?? [])
    for (const [layout, slots, slot] of [
      ['unified', 3, 2],
      ['split', 2, 1],
      ['split', 1, 0],
    ] as const) {
      await runner.reshape({
        layout,
        slots,
        cells: 512 * slots,
        kvType: 'f16',
        batchTokens: 256,
        microBatchTokens: 256,
        threads: 1,
        batchThreads: 1,
      })
      expect(runner.sequenceLength(slot)).toBe(0)
      runner.addBlob(2, bytes)
      for (const key of [1, 2]) {
        await runOnly(
          runner,
          [],
          [
            { type: 'load', slot, key },
            { type: 'remove', slot, start: cut },
          ],
        )
        expectClose((await start(runner, { slot, tokens: first, sampling, from: cut })).next, whole.next)
        await runOnly(runner, [], [{ type: 'remove', slot, start: 0 }])
      }
      expect(Buffer.compare(runner.savedBlob(1) ?? bytes, bytes)).toBe(0)
    }
  })

  test('drafts give the tokens that come without them, and stop at the first wrong one', async () => {
    const runner = await openRunner(model)
    const [plain = []] = await proceed(runner, [await start(runner, { slot: 0, tokens: first, sampling: greedyWithGaps })], 8)
    const ids = idsOf(plain)
    await runOnly(runner, [], [{ type: 'remove', slot: 0, start: 0 }])
    const chat = await start(runner, { slot: 0, tokens: first })
    const wrong = ((ids[4] ?? 0) + 1) % model.shape.vocabularySize
    const tokens = [chat.next.token, ...ids.slice(1, 4), wrong, 0]
    const result = await runOnly(runner, [{ sequence: chat.sequence, slot: 0, start: chat.length, tokens, sample: true, draft: 5 }])
    const sampled = idsOf(result.sampled[0]?.tokens ?? [])
    expect(gapAtDifference(plain.slice(1, 1 + sampled.length), sampled)).toBeLessThan(TOLERANCE)
    expect(sampled.length).toBeLessThanOrEqual(4)
    expect(result.failures).toEqual([])
  })

  test('many drafts of all slots at once have their rows in the right order', async () => {
    const runner = await openRunner(model, { layout: 'split' })
    const plain: SampledToken[][] = []
    for (const [slot, tokens] of prompts.entries()) {
      const chat = await start(runner, { slot, tokens, sampling: greedyWithGaps })
      plain.push(...(await proceed(runner, [chat], 6)))
      await runOnly(runner, [], [{ type: 'remove', slot, start: tokens.length }])
    }
    const runs = prompts.map((tokens, slot) => ({
      sequence: 100 + slot,
      slot,
      start: tokens.length,
      tokens: idsOf(plain[slot] ?? []).slice(0, 6),
      sample: true,
      draft: 5,
    }))
    const { sampled } = await runOnly(runner, runs)
    expect(sampled.map(({ sequence }) => sequence)).toEqual([100, 101, 102, 103])
    for (const [slot, { tokens }] of sampled.entries()) {
      expect(gapAtDifference((plain[slot] ?? []).slice(1), idsOf(tokens))).toBeLessThan(TOLERANCE)
    }
  })

  test('text survives tokens: the pieces of any text are its bytes', async () => {
    for (const text of [...TEXTS, '😀👩‍👩‍👧 é — ¡olé!', 'a\n\n\tb', '']) {
      const tokens = model.tokenize(text, { addSpecial: false, parseSpecial: false })
      expect(textOf(model, tokens)).toBe(text)
      expect(await model.tokenizeAsync(text, { addSpecial: false, parseSpecial: false })).toEqual(tokens)
    }
  })

  test('a long text is tokenised on a thread, whole', async () => {
    const text = 'The quick brown fox. '.repeat(5000)
    const tokens = await model.tokenizeAsync(text, { addSpecial: false, parseSpecial: false })
    expect(textOf(model, tokens)).toBe(text)
  })

  test('embeddings are the same in a batch and alone, of any length, and not of one length', async () => {
    const embedder = await createEmbedder(model, { context: 400, threads: 1 })
    // Longer than one computation (256 tokens), where that does not take a minute.
    const long = Array.from({ length: model.shape.parameters < 1e7 ? 300 : 60 }, (_, index) => first[index % first.length] ?? 0)
    const inputs = [...prompts, long, ...prompts]
    const now = <T>(action: () => Promise<T>): Promise<T> => action()
    const together = await embedder.embed(inputs, now)
    expect(together).toHaveLength(inputs.length)
    expect(embedder.dimensions).toBe(model.shape.embeddingLength)
    for (const index of [0, 4]) {
      const [alone] = await embedder.embed([inputs[index] ?? []], now)
      expect(cosine(alone ?? new Float32Array(1), together[index] ?? new Float32Array(1))).toBeGreaterThan(0.999)
    }
    expect(cosine(together[0] ?? long, together[5] ?? long)).toBeGreaterThan(0.999)
    expect(cosine(together[0] ?? long, together[1] ?? long)).toBeLessThan(0.999)
    await expect(embedder.embed([Array.from({ length: 401 }, () => 1)], now)).rejects.toMatchObject({
      code: 'prompt-too-long',
      data: { needed: 401 },
    })
    embedder.close()
  })

  test('a quantised KV cache works, and close is idempotent', async () => {
    const runner = await openRunner(model, { kvType: 'q8_0' })
    const [tokens = []] = await proceed(runner, [await start(runner, { slot: 0, tokens: first })], 4)
    expect(tokens).toHaveLength(5)
    runner.close()
    runner.close()
    await expect(runner.run({ operations: [], runs: [], tokenCount: 0 })).rejects.toThrow(/closed/)
  })

  test('parts of a sequence can be removed, and the cache refuses what does not fit', async () => {
    const runner = await openRunner(model, { cells: 256, slots: 1 })
    expect(runner.canRemove).toBe(true)
    expect(runner.cells).toBe(256)
    const tooMany = Array.from({ length: 257 }, () => first[0] ?? 0)
    const run = { sequence: 1, slot: 0, start: 0, tokens: tooMany, sample: false, draft: 0 }
    await expect(runOnly(runner, [run])).rejects.toThrow(/batch of more than|no room/)
    await start(runner, { slot: 0, tokens: first })
    runner.clear()
    expect(runner.sequenceLength(0)).toBe(0)
  })
})

describe('loading', () => {
  test('a file that is no model is refused with a code, and the process lives', async () => {
    const file = path.join(folder, 'broken.gguf')
    fs.writeFileSync(file, 'GGUF but not really')
    await expect(loadModel(binding, { file })).rejects.toMatchObject({ code: 'invalid-model-file' })
    await expect(loadModel(binding, { file: path.join(folder, 'missing.gguf') })).rejects.toBeInstanceOf(AppError)
  })

  test('the shape of a tiny model is the one that was written, and progress ends at 1', async () => {
    const file = await writeTinyModel(folder, {
      architecture: 'qwen2',
      layers: 2,
      context: 777,
      seed: 9,
      addBos: true,
      template: false,
      name: 'Nine',
    })
    const seen: number[] = []
    const model = await loadModel(binding, { file, onProgress: (fraction) => seen.push(fraction) })
    expect(model.shape).toMatchObject({
      architecture: 'qwen2',
      name: 'Nine',
      layers: 2,
      trainedContext: 777,
      vocabularySize: TINY_VOCABULARY_SIZE,
      addsBegin: true,
      beginToken: TINY_TOKENS['<|begin|>'],
      endToken: TINY_TOKENS['<|im_end|>'],
      isRecurrent: false,
      chatTemplate: undefined,
    })
    expect(seen.at(-1)).toBe(1)
    expect(model.tokenize('in', { addSpecial: true, parseSpecial: false })[0]).toBe(TINY_TOKENS['<|begin|>'])
    const [think] = model.tokenize('<think>', { addSpecial: false, parseSpecial: true })
    expect(think).toBe(TINY_TOKENS['<think>'])
    expect(Buffer.from(model.pieceBytes(TINY_TOKENS['<think>'])).toString()).toBe('<think>')
    expect(model.pieceBytes(TINY_TOKENS['<|im_end|>'])).toHaveLength(0)
    expect(Buffer.from(model.pieceBytes(TINY_TOKENS['<|im_end|>'], true)).toString()).toBe('<|im_end|>')
    expect(model.tokenize('<|im_end|>', { addSpecial: false, parseSpecial: false }).length).toBeGreaterThan(1)
    model.free()
    model.free()
  })
})

/** Where the tokens first differ: by how much the reference preferred its own. 0 when they do not differ. */
function gapAtDifference(reference: readonly SampledToken[], tokens: readonly number[]): number {
  const at = tokens.findIndex((token, index) => token !== reference[index]?.token)
  if (at === -1) return 0
  const [best, second] = reference[at]?.logprob?.top ?? []
  return (best?.logprob ?? 0) - (second?.logprob ?? Number.NEGATIVE_INFINITY)
}

function expectClose(actual: SampledToken, expected: SampledToken): void {
  const top = actual.logprob?.top ?? []
  expect(top.length).toBeGreaterThan(0)
  for (const { bytes, logprob } of expected.logprob?.top.slice(0, 3) ?? []) {
    const same = top.find((other) => String(other.bytes) === String(bytes))
    expect(Math.abs((same?.logprob ?? 0) - logprob), `log-probability of bytes ${bytes}`).toBeLessThan(TOLERANCE)
  }
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0
  let left = 0
  let right = 0
  for (let index = 0; index < a.length; index++) {
    dot += (a[index] ?? 0) * (b[index] ?? 0)
    left += (a[index] ?? 0) ** 2
    right += (b[index] ?? 0) ** 2
  }
  return dot / Math.sqrt(left * right)
}
