import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../base/logger.ts'
import { correctionOf, planHistory } from './plan-history.ts'
import type { PlanLoad } from './plan-history.ts'
import { observedGenerate } from './plan-observer.ts'
import type { GenerateEvent } from '../shared/generate.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'bendi-history-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

function load(model: string, actual: Partial<PlanLoad['actual']> = {}): PlanLoad {
  const nothing = { kv: 0, compute: 0, decode: 0, prefill: 0 }
  return { model, engine: 'llama', at: 1, predicted: { kv: 100, compute: 100, decode: 10, prefill: 50 }, actual: { ...nothing, ...actual } }
}

describe('the history of loads', () => {
  test('outlives the process', async () => {
    const first = planHistory(home, silentLogger)
    await first.add(load('a', { compute: 80 }))
    await first.measured('a', { decode: 8 })
    expect(await planHistory(home, silentLogger).loads()).toEqual([load('a', { compute: 80, decode: 8 })])
  })

  test('keeps the best speed that was seen, of the newest load', async () => {
    const history = planHistory(home, silentLogger)
    await history.add(load('a', { decode: 99 }))
    await history.add(load('a'))
    for (const decode of [5, 9, 7]) await history.measured('a', { decode })
    await history.measured('unknown', { decode: 1000 })
    expect((await history.loads()).map((item) => item.actual.decode)).toEqual([99, 9])
  })

  test('starts again when its file is damaged', async () => {
    await writeFile(path.join(home, 'plan-history.json'), '{"version":1,"loads":[{"model":3}]}')
    const history = planHistory(home, silentLogger)
    expect(await history.loads()).toEqual([])
    await history.add(load('b'))
    expect(JSON.parse(await readFile(path.join(home, 'plan-history.json'), 'utf8'))).toMatchObject({ loads: [{ model: 'b' }] })
  })

  test('forgets all but the newest two hundred', async () => {
    const history = planHistory(home, silentLogger)
    for (let index = 0; index < 205; index += 1) await history.add({ ...load('a'), at: index })
    expect((await history.loads()).map((item) => item.at).slice(0, 1)).toEqual([5])
  })
})

describe('the correction', () => {
  test('is the middle of measured ÷ predicted of the same model', () => {
    const loads = [load('a', { decode: 5, compute: 90 }), load('a', { decode: 8 }), load('a', { decode: 40 }), load('b', { decode: 1 })]
    expect(correctionOf(loads, 'a')).toEqual({ samples: 3, decode: 0.8, compute: 0.9 })
  })

  test('of a model that was never loaded is that of all', () => {
    expect(correctionOf([load('b', { prefill: 25 })], 'a')).toEqual({ samples: 1, prefill: 0.5 })
  })

  test('is bounded, and absent when nothing was measured', () => {
    expect(correctionOf([load('a', { decode: 10_000 })], 'a')?.decode).toBe(4)
    expect(correctionOf([load('a')], 'a')).toBeUndefined()
    expect(correctionOf([], 'a')).toBeUndefined()
  })
})

describe('an observed answer', () => {
  const finish = (decodeTokens: number): GenerateEvent => ({
    type: 'finish',
    usage: { promptTokens: 100, cachedTokens: 0, completionTokens: decodeTokens, reasoningTokens: 0 },
    timings: { queuedMs: 0, promptMs: 1000, promptTokens: 100, decodeMs: 4000, decodeTokens, draftedTokens: 0, acceptedTokens: 0 },
  })

  async function* events(decodeTokens: number): AsyncIterable<GenerateEvent> {
    yield { type: 'text-delta', choice: 0, text: 'a' } as GenerateEvent
    yield finish(decodeTokens)
  }

  test('passes every event on, and tells the speeds', async () => {
    const history = planHistory(home, silentLogger)
    await history.add(load('a'))
    const seen: string[] = []
    for await (const event of observedGenerate(events(40), { model: 'a' }, history)) seen.push(event.type)
    await history.measured('a', {})
    expect(seen).toEqual(['text-delta', 'finish'])
    expect((await history.loads())[0]?.actual).toMatchObject({ decode: 10, prefill: 100 })
  })

  test('that is too short tells no speed of decoding', async () => {
    const history = planHistory(home, silentLogger)
    await history.add(load('a'))
    for await (const event of observedGenerate(events(5), { model: 'a' }, history)) expect(event.type).toBeDefined()
    await history.measured('a', {})
    expect((await history.loads())[0]?.actual.decode).toBe(0)
  })
})
