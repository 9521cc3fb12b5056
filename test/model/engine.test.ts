import { randomInt } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { realModel } from '../fixtures/real-model.ts'
import { writeTinyModel } from '../fixtures/tiny-gguf.ts'
import { collect, engineBench, partAt, request } from './engine-harness.ts'
import type { Answer } from './engine-harness.ts'

const STEM = 'The quick brown fox jumps over the lazy dog. '.repeat(8)
const bench = await engineBench()
const real = await realModel()

const models = [
  { name: 'tiny qwen2', file: async () => writeTinyModel(bench.folder, { architecture: 'qwen2' }) },
  { name: 'tiny deepseek2 (MLA, experts)', file: async () => writeTinyModel(bench.folder, { architecture: 'deepseek2' }) },
  { name: 'SmolLM2', file: async () => (typeof real === 'string' ? real : ''), skip: typeof real === 'string' ? undefined : real.skip },
]

afterAll(() => bench.close())

for (const model of models) {
  describe.skipIf(model.skip)(`the embedded engine with ${model.name}${model.skip ? ` (skipped: ${model.skip})` : ''}`, () => {
    let file = ''
    let engine: Engine

    beforeAll(async () => {
      file = await model.file()
      engine = await bench.open(file)
    })

    it('tells what it loaded', () => {
      expect(engine.state).toBe('ready')
      expect(engine.info?.context).toBeGreaterThanOrEqual(512)
      expect(engine.info?.memory.weights).toBeGreaterThan(0)
      expect(engine.info?.memory.kv).toBeGreaterThan(0)
    })

    it('answers the same alone and among eight, up to a near tie', async () => {
      const prompts = Array.from({ length: 8 }, (_, i) => `${STEM}Number ${i} says:`)
      const fields = { ignoreEos: true, logprobs: 2 }
      const alone: Answer[] = []
      for (const prompt of prompts) alone.push(await collect(engine.generate(request(prompt, fields))))
      const other = await bench.open(file)
      const together = await Promise.all(prompts.map((prompt) => collect(other.generate(request(prompt, fields)))))
      together.forEach((answer, i) => {
        const [a, b] = [alone[i]?.texts[0] ?? '', answer.texts[0] ?? '']
        expect(answer.usage?.completionTokens).toBe(24)
        if (a === b) return
        const at = partAt(a, b)
        let length = 0
        const token = answer.logprobs.find((t) => (length += Buffer.from(t.bytes).toString().length) > at)
        const [first, second] = token?.top ?? []
        expect(Math.abs((first?.logprob ?? 0) - (second?.logprob ?? 9))).toBeLessThan(0.35)
      })
      await other.stop()
    })

    it('computes a prefix once when eight ask at the same time', async () => {
      const prompts = Array.from({ length: 8 }, (_, i) => `${STEM}${STEM}And ${i}`)
      const fresh = await bench.open(file)
      const answers = await Promise.all(
        prompts.map((prompt) => collect(fresh.generate(request(prompt, { maxTokens: 4, ignoreEos: true })))),
      )
      const cached = answers.map((a) => a.usage?.cachedTokens ?? 0).toSorted((a, b) => a - b)
      const total = answers[0]?.usage?.promptTokens ?? 0
      expect(cached[0]).toBe(0)
      for (const count of cached.slice(1)) expect(count).toBeGreaterThan(total * 0.9)
      await fresh.stop()
    })

    it('keeps stop strings in, also across tokens', async () => {
      const free = await collect(engine.generate(request(STEM, { ignoreEos: true })))
      const text = free.texts[0] ?? ''
      const stop = text.slice(5, 9)
      const stopped = await collect(engine.generate(request(STEM, { ignoreEos: true, stop: [stop] })))
      expect(stopped.texts[0] ?? '').toBe(text.slice(0, text.indexOf(stop)))
      expect(stopped.reasons).toEqual(['stop'])
      expect(stopped.stopSequences).toEqual([stop])
    })

    it('obeys a grammar, with Chinese and emoji split over tokens, and refuses a broken one', async () => {
      const grammar = 'root ::= "本地" "👩‍🚀" [🙂🙃] "é"'
      const pieces: string[] = []
      const answer = await collect(engine.generate(request(STEM, { sampling: { temperature: 0, grammar }, maxTokens: 80 })), (event) => {
        if (event.type === 'text-delta') pieces.push(event.text)
      })
      expect(answer.texts[0]).toMatch(/^本地👩‍🚀[🙂🙃]é$/u)
      for (const piece of pieces) expect(piece).not.toContain('\ufffd')
      const broken = await collect(engine.generate(request(STEM, { sampling: { grammar: 'root ::= (((' } })))
      expect(broken.error?.code).toBe('invalid-grammar')
      expect(broken.ends).toBe(1)
      const after = await collect(engine.generate(request(STEM)))
      expect(after.error).toBeUndefined()
    })

    it('gives the same bytes for the same seed in deterministic mode, alone and among eight busy neighbours', async () => {
      const fields = { deterministic: true, ignoreEos: true, sampling: { temperature: 1, seed: 42 }, maxTokens: 40 }
      const alone = await collect(engine.generate(request(`${STEM}Once`, fields)))
      const neighbours = Array.from({ length: 8 }, (_, i) =>
        collect(engine.generate(request(`${i} ${STEM}`, { maxTokens: 60, ignoreEos: true }))),
      )
      const among = await collect(engine.generate(request(`${STEM}Once`, fields)))
      await Promise.all(neighbours)
      expect(alone.texts[0]?.length).toBeGreaterThan(10)
      expect(among.texts).toEqual(alone.texts)
    })

    it('answers the same with and without speculation', async () => {
      const prompt = `${STEM}Repeat: ${STEM}Repeat: `
      const plain = await bench.open(file, { speculation: false })
      const [with_, without] = [
        await collect(engine.generate(request(prompt, { maxTokens: 60, ignoreEos: true, logprobs: 2 }))),
        await collect(plain.generate(request(prompt, { maxTokens: 60, ignoreEos: true }))),
      ]
      expect(without.timings?.draftedTokens).toBe(0)
      const [a, b] = [with_.texts[0] ?? '', without.texts[0] ?? '']
      if (a !== b) {
        const at = partAt(a, b)
        let length = 0
        const token = with_.logprobs.find((t) => (length += Buffer.from(t.bytes).toString().length) > at)
        expect(Math.abs((token?.top[0]?.logprob ?? 0) - (token?.top[1]?.logprob ?? 9))).toBeLessThan(0.35)
      }
      await plain.stop()
    })

    it('gives several choices for one prompt, which is computed and counted once', async () => {
      const answer = await collect(
        engine.generate(
          request(`${STEM}${STEM}Choose`, { choices: 3, maxTokens: 12, ignoreEos: true, sampling: { temperature: 1.5, seed: 7 } }),
        ),
      )
      expect(answer.reasons).toEqual(['length', 'length', 'length'])
      expect(answer.usage?.completionTokens).toBe(36)
      expect(new Set(answer.texts).size).toBeGreaterThan(1)
    })

    it('says how long a prompt may be, and makes a longer window when the machine has it', async () => {
      const tokens = Array.from({ length: 1100 }, (_, i) => 40 + (i % 50))
      const small = await bench.open(file, { context: 512, kvBytes: 23040 * 2048, parallel: 2 })
      const busy = collect(small.generate(request(STEM, { maxTokens: 100, ignoreEos: true })))
      const grown = await collect(small.generate(request(tokens, { maxTokens: 4, ignoreEos: true })))
      expect(grown.error).toBeUndefined()
      expect(grown.usage).toMatchObject({ promptTokens: 1100, completionTokens: 4 })
      expect((await busy).usage?.completionTokens).toBe(100)
      expect(small.info?.context).toBeGreaterThanOrEqual(1104)
      const refused = await collect(small.generate(request(Array.from({ length: 5000 }, () => 50))))
      expect(refused.error).toMatchObject({ code: 'prompt-too-long', data: { needed: 5001, possible: small.info?.largestContext ?? 0 } })
      await small.stop()
    })

    it('goes on past its window when nobody set a limit and memory allows', async () => {
      const small = await bench.open(file, { context: 512, kvBytes: 23040 * 4096, parallel: 1, speculation: false })
      const [tokens, abort] = [Array.from({ length: 400 }, (_, i) => 40 + (i % 50)), new AbortController()]
      let length = 0
      const answer = await collect(small.generate(request(tokens, { maxTokens: undefined, ignoreEos: true }), abort.signal), (event) => {
        if (event.type === 'text-delta' && ++length === 200) abort.abort()
      })
      expect(answer.error?.code).toBe('cancelled')
      expect(small.info?.context).toBeGreaterThanOrEqual(512 + 64)
      await small.stop()
    })

    it('refuses tokens that do not exist and empty prompts', async () => {
      expect((await collect(engine.generate(request([1, 99_999_999])))).error?.code).toBe('invalid-token')
      expect((await collect(engine.generate(request([])))).error?.code).toBe('empty-prompt')
    })

    it('frees everything when a thousand requests are aborted at any moment', async () => {
      for (let round = 0; round < 10; round++) {
        await Promise.all(
          Array.from({ length: 100 }, async (_, i) => {
            const abort = new AbortController()
            const afterEvents = randomInt(4)
            let seen = 0
            const answer = await collect(
              engine.generate(request(`${STEM}${round} ${i % 7}`, { maxTokens: 3 + (i % 9), ignoreEos: true }), abort.signal),
              () => {
                if (seen++ === afterEvents) abort.abort()
              },
            )
            expect(answer.ends).toBe(1)
          }),
        )
      }
      // A request after all of them is served: every slot came back.
      const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => collect(engine.generate(request(`${STEM}end ${i}`)))))
      for (const answer of answers) expect(answer.error).toBeUndefined()
      const { running, waiting, cells } = await engine.stats()
      expect({ running, waiting, cellsRunning: cells.running, sum: cells.cached + cells.free }).toEqual({
        running: 0,
        waiting: 0,
        cellsRunning: 0,
        sum: cells.total,
      })
    })

    it('ends running requests once when its process is killed, serves the waiting ones, and is back', async () => {
      const victim = await bench.open(file, { parallel: 2, context: 4096 })
      const pid = (victim as Engine & { pid: number }).pid
      const answering = new Set<number>()
      const running = [0, 1].map((index) =>
        collect(victim.generate(request(STEM, { maxTokens: 3600, ignoreEos: true })), (event) => {
          if (event.type !== 'text-delta' || answering.has(index)) return
          answering.add(index)
          if (answering.size === 2) process.kill(pid, 'SIGKILL')
        }),
      )
      await Promise.race(running)
      const waiting = await collect(victim.generate(request('Hello', { maxTokens: 5, ignoreEos: true })))
      for (const answer of await Promise.all(running)) expect(answer).toMatchObject({ ends: 1, error: { code: 'engine-crashed' } })
      expect(waiting).toMatchObject({ ends: 1, usage: { completionTokens: 5 } })
      expect((victim as Engine & { pid: number }).pid).not.toBe(pid)
      await victim.stop()
    })

    it('does not compute a known prompt again after a restart', async () => {
      const settings = { diskCacheBytes: 1e9 }
      const prompt = `${STEM}${STEM}`
      const first = await bench.open(file, settings, 'kept')
      const cold = await collect(first.generate(request(`${prompt}one`, { maxTokens: 3, ignoreEos: true })))
      await first.stop()
      const second = await bench.open(file, settings, 'kept')
      const warm = await collect(second.generate(request(`${prompt}two`, { maxTokens: 3, ignoreEos: true })))
      expect(cold.usage?.cachedTokens).toBe(0)
      expect(warm.usage?.cachedTokens).toBeGreaterThan((warm.usage?.promptTokens ?? 0) * 0.9)
      await second.stop()
    })

    it('embeds, each input alone or together to the same vector', async () => {
      const inputs = ['a cat', 'a completely different sentence about databases', 'a cat']
      const together = await engine.embed({ id: 'e', model: 'test', inputs, normalize: true })
      const alone = await engine.embed({ id: 'e', model: 'test', inputs: ['a cat'], normalize: true })
      const dot = (a: Float32Array = new Float32Array(), b?: Float32Array) => a.reduce((sum, value, i) => sum + value * (b?.[i] ?? 0), 0)
      expect(together.vectors).toHaveLength(3)
      expect(dot(together.vectors[0], together.vectors[0])).toBeCloseTo(1, 4)
      expect(dot(together.vectors[0], together.vectors[2])).toBeGreaterThan(0.999)
      expect(dot(together.vectors[0], alone.vectors[0])).toBeGreaterThan(0.999)
      expect(together.promptTokens).toBeGreaterThan(alone.promptTokens)
    })

    it('lets answers through while it embeds many texts, and stops when nobody waits for them any more', async () => {
      const gone = new AbortController()
      const inputs = Array.from({ length: 10_000 }, (_, i) => `${STEM}${i}`)
      let hasEnded = false
      const embedding = engine.embed({ id: 'many', model: 'test', inputs, normalize: false }, gone.signal).finally(() => (hasEnded = true))
      embedding.catch(() => {})
      const answer = await collect(engine.generate(request('A short question')))
      expect({ ends: answer.ends, hasEnded }).toEqual({ ends: 1, hasEnded: false })
      gone.abort(new Error('gone'))
      await expect(embedding).rejects.toThrow('gone')
      // It would have to wait for all the others, which takes minutes.
      expect((await engine.embed({ id: 'one', model: 'test', inputs: ['a cat'], normalize: false })).vectors).toHaveLength(1)
    })

    it('refuses a file that is damaged, without harm to itself', async () => {
      const content = await readFile(file)
      const damaged = path.join(bench.folder, 'damaged.gguf')
      await writeFile(damaged, content.subarray(0, Math.floor(content.length / 2)))
      await expect(bench.open(damaged)).rejects.toMatchObject({ code: 'invalid-model-file' })
      await writeFile(damaged, Buffer.alloc(4096, 7))
      await expect(bench.open(damaged)).rejects.toMatchObject({ code: 'invalid-model-file' })
    })
  })
}
