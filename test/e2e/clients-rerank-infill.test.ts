/** Ranking and filling in, through the real server and the real engine, with tiny models of random weights that can. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { createApp } from '../../src/server/app.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { RerankReplySchema, type RerankReply } from '../../src/shared/openai/rerank.ts'
import { InfillReplySchema } from '../../src/shared/openai/tokens.ts'
import { createScriptedPlatform } from '../fakes/scripted-platform.ts'
import { TINY_INFILL_TOKENS, writeTinyModel, type TinyModelOptions } from '../fixtures/tiny-gguf.ts'
import { engineBench } from '../model/engine-harness.ts'

type Bench = Awaited<ReturnType<typeof engineBench>>
type App = ReturnType<typeof createApp>

let bench: Bench

beforeAll(async () => {
  bench = await engineBench()
}, 60_000)

afterAll(() => bench.close())

/** An app over the real engine with one tiny model. */
async function serve(options: TinyModelOptions): Promise<App> {
  const engine = await bench.open(await writeTinyModel(bench.folder, options), { context: 1024, parallel: 2 })
  const platform = {
    ...createScriptedPlatform(),
    generate: engine.generate.bind(engine),
    embed: engine.embed.bind(engine),
    rerank: engine.rerank.bind(engine),
    tokenize: (_: string, prompt: Parameters<Engine['tokenize']>[0]) => engine.tokenize(prompt),
    detokenize: (_: string, tokens: readonly number[]) => engine.detokenize(tokens),
  }
  return createApp({ platform, logger: silentLogger, version: '0.0.0-test', corsOrigins: [], allowedHosts: () => [] })
}

async function post(app: App, path: string, body: object): Promise<Response> {
  return app.request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
}

describe('ranking', () => {
  let app: App
  const DOCUMENTS = ['the red fox', 'a list of planets', 'nothing here', 'water and the wind', 'the red fox']
  const rank = async (more: object = {}, path = '/v1/rerank'): Promise<RerankReply> => {
    const response = await post(app, path, { model: 'scripted', query: 'the fox', documents: DOCUMENTS, ...more })
    expect(response.status).toBe(200)
    return RerankReplySchema.parse(await response.json())
  }

  beforeAll(async () => {
    app = await serve({ architecture: 'qwen3', ranks: true })
  }, 60_000)

  test('every document has a score, the best comes first', async () => {
    const { results, usage } = await rank()
    expect(results.map(({ index }) => index).toSorted()).toEqual([0, 1, 2, 3, 4])
    const scores = results.map(({ relevance_score }) => relevance_score)
    expect(scores).toEqual(scores.toSorted((one, other) => other - one))
    expect(new Set(scores.map((score) => score.toFixed(5))).size).toBeGreaterThan(2)
    for (const score of scores) expect(score).toBeGreaterThanOrEqual(0)
    for (const score of scores) expect(score).toBeLessThanOrEqual(1)
    expect(usage.total_tokens).toBeGreaterThan(DOCUMENTS.length * 5)
    expect(results[0]).not.toHaveProperty('document')
  })

  test('a score depends on the pair alone, not on what is ranked beside it', async () => {
    const all = new Map((await rank()).results.map(({ index, relevance_score }) => [index, relevance_score]))
    expect(all.get(0)).toBeCloseTo(all.get(4) ?? NaN, 4)
    const [alone] = (await rank({ documents: [DOCUMENTS[3]] })).results
    expect(alone?.relevance_score).toBeCloseTo(all.get(3) ?? NaN, 3)
    const [other] = (await rank({ documents: [DOCUMENTS[3]], query: 'planets' })).results
    expect(other?.relevance_score).not.toBeCloseTo(all.get(3) ?? NaN, 4)
  })

  test("Jina's shape: documents as objects, the best few, and their texts with them", async () => {
    const { results } = await rank({ documents: DOCUMENTS.map((text) => ({ text })), top_n: 2, return_documents: true })
    expect(results).toHaveLength(2)
    for (const { index, document } of results) expect(document).toEqual({ text: DOCUMENTS[index] })
    expect((await rank({ top_n: 99 })).results).toHaveLength(DOCUMENTS.length)
  })

  test("Cohere's shape: another path and its own way to count", async () => {
    const { meta, results } = await rank({ top_n: 1, max_tokens_per_doc: 4096 }, '/v2/rerank')
    expect(meta).toMatchObject({ billed_units: { search_units: 1 } })
    expect(results).toEqual((await rank({ top_n: 1 })).results)
  })

  test('a pair that is longer than the window, and a model that cannot rank, are told', async () => {
    const long = await post(app, '/v1/rerank', { model: 'scripted', query: 'a', documents: ['the '.repeat(9000)] })
    expect([long.status, (await long.json()) as unknown]).toMatchObject([400, { error: { code: 'context_length_exceeded' } }])
    const embedding = await post(app, '/v1/embeddings', { model: 'scripted', input: 'a' })
    expect(embedding.status).toBe(400)
  })
})

describe('filling in', () => {
  let app: App
  const PREFIX = 'def add(a, b):\n    return '
  const SUFFIX = '\n\nprint(add(1, 2))'
  const text = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const response = await post(app, path, { model: 'scripted', temperature: 0, ...body })
    expect(response.status).toBe(200)
    return (await response.json()) as Record<string, unknown>
  }
  const completed = async (body: object): Promise<string | undefined> => {
    const { choices } = (await text('/v1/completions', { max_tokens: 12, ...body })) as { choices: { text: string }[] }
    return choices[0]?.text
  }
  const tokensOf = async (content: string): Promise<number[]> => ((await text('/tokenize', { content })) as { tokens: number[] }).tokens
  /** What the model says after prefix, suffix and middle, put together by hand. */
  const expected = async (prefix = PREFIX): Promise<string | undefined> => {
    const { prefix: before, suffix: after, middle } = TINY_INFILL_TOKENS
    return completed({ prompt: [before, ...(await tokensOf(prefix)), after, ...(await tokensOf(SUFFIX)), middle] })
  }

  beforeAll(async () => {
    app = await serve({ architecture: 'qwen2', infill: true })
  }, 60_000)

  test('a completion with a suffix is what the model writes between the two', async () => {
    const filled = await completed({ prompt: PREFIX, suffix: SUFFIX })
    expect(filled).toBeTruthy()
    expect(filled).toBe(await expected())
    expect(filled).not.toBe(await completed({ prompt: PREFIX }))
  })

  test("llama-server's infill writes the same, with what is known of other files before it", async () => {
    const ask = { input_prefix: PREFIX, input_suffix: SUFFIX, n_predict: 12 }
    const reply = InfillReplySchema.parse(await text('/infill', ask))
    expect(reply).toMatchObject({ content: await expected(), stop: true, tokens_predicted: 12, stop_type: 'limit' })
    const more = await text('/infill', { ...ask, input_extra: [{ filename: 'x.py', text: 'X = 1' }] })
    expect(more['content']).toBe(await expected(`x.py\nX = 1\n\n${PREFIX}`))
  })

  test('an infill streams the same text', async () => {
    const response = await post(app, '/infill', {
      model: 'scripted',
      temperature: 0,
      input_prefix: PREFIX,
      input_suffix: SUFFIX,
      n_predict: 12,
      stream: true,
    })
    const lines = (await response.text()).split('\n').filter((line) => line.startsWith('data: '))
    const events = lines.map((line) => InfillReplySchema.parse(JSON.parse(line.slice(6))))
    expect(events.map(({ content }) => content).join('')).toBe(await expected())
    expect(events.at(-1)).toMatchObject({ stop: true })
  })

  test('markup in what a user wrote stays text', async () => {
    const promptTokens = async (prompt: string): Promise<number> =>
      ((await text('/v1/completions', { prompt, suffix: SUFFIX, max_tokens: 1 })) as { usage: { prompt_tokens: number } }).usage
        .prompt_tokens
    const markup = '<|fim_suffix|>'
    expect(await tokensOf(markup)).toEqual([TINY_INFILL_TOKENS.suffix])
    expect(await promptTokens(PREFIX + markup)).toBeGreaterThan((await promptTokens(PREFIX)) + 5)
  })
})

test('a model without the tokens says so, by the field', async () => {
  const app = await serve({ architecture: 'llama' })
  const response = await post(app, '/v1/completions', { model: 'scripted', prompt: 'a', suffix: 'b' })
  expect([response.status, (await response.json()) as unknown]).toMatchObject([
    400,
    { error: { param: 'suffix', code: 'infill_unsupported' } },
  ])
  const rank = await post(app, '/v1/rerank', { model: 'scripted', query: 'a', documents: ['b'] })
  expect([rank.status, (await rank.json()) as unknown]).toMatchObject([400, { error: { param: 'model', code: 'cannot_rerank' } }])
}, 60_000)
