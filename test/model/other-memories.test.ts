/** Models whose memory is no plain KV cache: layers with a sliding window, and a recurrent state. What is saved of them fits only a context of one shape. */
import { afterAll, describe, expect, it } from 'vitest'
import type { EngineSettings } from '../../src/engine/engine.ts'
import { writeTinyModel } from '../fixtures/tiny-gguf.ts'
import { collect, engineBench, request } from './engine-harness.ts'
import type { Answer } from './engine-harness.ts'

const bench = await engineBench()
afterAll(() => bench.close())

const STEM = 'The quick brown fox jumps over the lazy dog. '.repeat(6)
const settings = (context: number, parallel: number): EngineSettings => ({
  context,
  parallel,
  kvBytes: 23040 * 4096,
  diskCacheBytes: 2 ** 28,
})

describe.each(['gemma2', 'mamba'] as const)('%s', (architecture) => {
  const file = writeTinyModel(bench.folder, { architecture })
  const fields = { ignoreEos: true, maxTokens: 12 }

  it('goes on where it was after the context was made again for somebody else', async () => {
    const engine = await bench.open(await file, settings(512, 2), `${architecture}-resized`)
    const { pid } = engine
    const alone = await collect(engine.generate(request(STEM, { ...fields, maxTokens: 150 })))
    const long = request(
      Array.from({ length: 900 }, (_, i) => 40 + (i % 50)),
      fields,
    )
    const others: ReturnType<typeof collect>[] = []
    const interrupted = await collect(engine.generate(request(STEM, { ...fields, maxTokens: 150 })), (event) => {
      if (event.type === 'text-delta' && others.length === 0) others.push(collect(engine.generate(long)))
    })
    expect((await others[0])?.usage?.completionTokens).toBe(12)
    expect(interrupted.usage?.completionTokens).toBe(150)
    expect(interrupted.texts[0]?.slice(0, 20)).toBe(alone.texts[0]?.slice(0, 20))
    expect(engine.info?.context).toBeGreaterThan(900)
    expect(engine.pid).toBe(pid)
  })

  it('starts again with another shape, and with the same one', async () => {
    const folder = `${architecture}-again`
    let text: string | undefined
    for (const [context, parallel] of [
      [512, 2],
      [512, 2],
      [1024, 4],
      [512, 2],
    ] as const) {
      const engine = await bench.open(await file, settings(context, parallel), folder)
      const { pid } = engine
      const answer = await collect(engine.generate(request(STEM, fields)))
      expect(answer.error).toBeUndefined()
      expect(answer.texts[0]).toBe((text ??= answer.texts[0]))
      expect(engine.pid).toBe(pid)
      await engine.stop()
    }
  })

  it('answers what shares a beginning as if it shared none', async () => {
    const engine = await bench.open(await file, { ...settings(512, 4), cacheBytes: 2 ** 26 }, `${architecture}-shared`)
    const prompts = ['Why', 'How did', 'When was it that', 'Where', 'Who'].map((end) => `${STEM}${end}`)
    const logprobs = (answer: Answer): number[] => answer.logprobs.map(({ logprob }) => logprob)
    const together = await Promise.all(prompts.map((prompt) => collect(engine.generate(request(prompt, { ...fields, logprobs: 0 })))))
    for (const [index, prompt] of [...prompts.entries()].slice(-2)) {
      const fresh = await bench.open(await file, { ...settings(512, 1), diskCacheBytes: 0 }, `${architecture}-alone-${index}`)
      const alone = await collect(fresh.generate(request(prompt, { ...fields, maxTokens: 1, logprobs: 0 })))
      await fresh.stop()
      const again = await collect(engine.generate(request(prompt, { ...fields, maxTokens: 1, logprobs: 0 })))
      expect(logprobs(together[index] as Answer)[0]).toBeCloseTo(logprobs(alone)[0] ?? 0, 1)
      expect(logprobs(again)[0]).toBeCloseTo(logprobs(alone)[0] ?? 0, 1)
    }
    await engine.stop()
  })

  it('goes on with a conversation after a restart as if nothing had been', async () => {
    const folder = `${architecture}-kept`
    const turn = async (prompt: number[]): Promise<Answer> => {
      const engine = await bench.open(await file, settings(512, 2), folder)
      const answer = await collect(engine.generate(request(prompt, { ...fields, logprobs: 1 })))
      await engine.stop()
      return answer
    }
    const prompt = Array.from({ length: 200 }, (_, i) => 40 + ((i * 7) % 50))
    await turn(prompt)
    // A prompt that begins like the saved one, but ends elsewhere.
    const shorter = await turn([...prompt.slice(0, 120), 33, 34])
    const fresh = await bench.open(await file, { ...settings(512, 1), diskCacheBytes: 0 }, `${architecture}-fresh`)
    const alone = await collect(fresh.generate(request([...prompt.slice(0, 120), 33, 34], { ...fields, logprobs: 1 })))
    await fresh.stop()
    expect(shorter.logprobs[0]?.logprob).toBeCloseTo(alone.logprobs[0]?.logprob ?? 0, 1)
    expect(shorter.texts[0]?.slice(0, 2)).toBe(alone.texts[0]?.slice(0, 2))
  })
})
