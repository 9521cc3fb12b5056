import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { shapeParameters } from '../../../test/fixtures/shape-parameters.ts'
import { DEEPSEEK_REPOSITORIES, REPOSITORIES, repositoryOf } from './repositories.ts'
import { LICENSE_KEYS, SOURCES, TASKS, USES } from './repository.ts'
import type { CatalogueModel, SourceKey } from './repository.ts'

const text = z.string().min(1)
const count = z.number().int().positive()
const ModelSchema = z.strictObject({
  id: text,
  owner: text,
  family: text,
  released: z.string().regex(/^20\d\d(-(0[1-9]|1[0-2])(-[0-3]\d)?)?$/),
  use: z.enum(USES),
  tasks: z.array(z.enum(TASKS)),
  base: text.nullable(),
  modality: z.enum(['text', 'text+image in', 'text+image in, image out', 'image in, text out']),
  parameters: z.strictObject({
    total: text,
    activated: text.nullable(),
    exact: count.nullable(),
    extra: text.nullable(),
    hub: text.nullable(),
  }),
  architecture: text,
  modelType: text,
  shape: z
    .looseObject({
      num_hidden_layers: count,
      hidden_size: count,
      num_attention_heads: count,
      num_key_value_heads: count,
      vocab_size: count,
      max_position_embeddings: count,
    })
    .nullable(),
  context: count.nullable(),
  weights: z.strictObject({
    format: text,
    bytes: count.nullable(),
    bytesAre: z.enum(['seen', 'computed', 'same-layout', 'rounded']).nullable(),
  }),
  kv: z.strictObject({ scheme: text, bytesPerToken: count.nullable() }).nullable(),
  license: z.enum(LICENSE_KEYS),
  baseLicense: z.enum(LICENSE_KEYS).nullable(),
  thinking: z.enum(['always', 'switch', 'effort', 'effort-number']).nullable(),
  toolFormat: text.nullable(),
  template: text.nullable(),
  systemPrompt: z.enum(['yes', 'no', 'discouraged', 'unknown']),
  sampling: z.strictObject({
    temperature: z.number().min(0).max(2).nullable(),
    topP: z.number().positive().max(1).nullable(),
    note: text.nullable(),
  }),
  systemAdvice: text.nullable(),
  llamaCpp: z.strictObject({ support: z.enum(['yes', 'partly', 'fork', 'no']), arch: text.nullable(), preTokenizer: text.nullable() }),
  engines: z.record(text, z.union([z.boolean(), text])),
  q4Bytes: count.nullable(),
  gguf: z.array(text),
  modelscope: z.enum(['seen', 'expected', 'unknown']),
  verification: text,
  sources: z.array(z.enum(Object.keys(SOURCES) as [SourceKey, ...SourceKey[]])).min(1),
  notes: text.nullable(),
})

test('every repository has exactly the fields of the schema', () => {
  for (const model of REPOSITORIES) expect(ModelSchema.safeParse(model).error?.message, model.id).toBeUndefined()
})

test('names are unique in any case, and are found with and without their owner', () => {
  expect(new Set(REPOSITORIES.map((model) => model.id.toLowerCase())).size).toBe(REPOSITORIES.length)
  for (const model of REPOSITORIES) {
    expect(repositoryOf(model.id.toUpperCase())).toBe(model)
    expect(repositoryOf(`${model.owner}/${model.id}`)).toBe(model)
  }
  expect(repositoryOf('DeepSeek-R2')).toBeUndefined()
})

test('the exact parameter count is what the shape gives', () => {
  const counted = REPOSITORIES.filter((model) => model.shape && model.parameters.exact !== null)
  expect(counted.length).toBeGreaterThan(80)
  for (const model of counted) expect(shapeParameters(model.modelType, model.shape), model.id).toBe(model.parameters.exact)
})

test('the exact parameter count agrees with the published one', () => {
  for (const model of REPOSITORIES.filter((item) => item.parameters.exact !== null && item.modality === 'text')) {
    const [, value = '0', unit] = /^([\d.]+)([BT])/.exec(model.parameters.total) ?? []
    const published = Number(value) * (unit === 'T' ? 1e12 : 1e9)
    expect(Math.abs((model.parameters.exact ?? 0) / published - 1), model.id).toBeLessThan(0.04)
  }
})

test('a model with experts says how many parameters are activated, and they are fewer', () => {
  const experts = REPOSITORIES.filter(
    ({ shape }) => shape && ['n_routed_experts', 'num_experts', 'num_local_experts'].some((key) => key in shape),
  )
  expect(experts.length).toBeGreaterThan(40)
  for (const { id, parameters } of experts) expect(parameters.activated, id).not.toBe(parameters.total)
})

const factsFile = fileURLToPath(new URL('../../../../shared/facts/models.json', import.meta.url))

interface Fact {
  id: string
  hub: { huggingface: string; modelscope: string | null; modelscope_seen_in_a_source: boolean }
  family: string
  release_date: string
  is_base: boolean
  base_model: string | null
  modality: string
  params: Record<'total' | 'activated' | 'mtp_or_draft_extra' | 'hub_displayed', string | null> & { exact_main_computed: number | null }
  architecture: string
  model_type: string
  config: Record<string, unknown> | null
  context_length: number | null
  weights: { dtype: string; bytes_on_disk: number | null }
  license: string
  sampling: { temperature?: number | null; top_p?: number | null; note?: string | null } | null
  system_prompt_advice: string | null
  llama_cpp: { arch: string | null; pre_tokenizer: string | null }
  kv_cache: { scheme?: string; llamacpp_f16_bytes_per_token?: number } | null
  gguf_repos: string[] | null
  gguf_size_estimate_bytes: Record<string, number> | null
  reasoning: unknown
  tool_calls: { name: string } | null
  verification: string
}

const inHouse = existsSync(factsFile)
describe.skipIf(!inHouse)(`against shared/facts/models.json${inHouse ? '' : ' (skipped: the facts lie beside our checkout only)'}`, () => {
  const facts: Fact[] = inHouse ? (JSON.parse(readFileSync(factsFile, 'utf8')) as Fact[]) : []

  test('the same repositories are there, 81 of them', () => {
    expect(DEEPSEEK_REPOSITORIES.map((model) => model.id).toSorted()).toEqual(facts.map((fact) => fact.id).toSorted())
    expect(facts).toHaveLength(81)
  })

  test('every field says what the facts say', () => {
    for (const fact of facts) expect(ours(repositoryOf(fact.id)), fact.id).toEqual(theirs(fact))
  })
})

function ours(model: CatalogueModel | undefined): unknown {
  if (!model) return undefined
  const { parameters, weights, sampling, llamaCpp, kv } = model
  return {
    repository: `${model.owner}/${model.id}`,
    modelscope: model.modelscope,
    family: model.family,
    released: model.released,
    isBase: model.use === 'base',
    base: model.base,
    modality: model.modality,
    parameters,
    architecture: model.architecture,
    modelType: model.modelType,
    shape: model.shape,
    context: model.context,
    weights: [weights.format, weights.bytes],
    isMit: model.license === 'mit',
    sampling,
    advice: model.systemAdvice,
    llamaCpp: [llamaCpp.arch, llamaCpp.preTokenizer],
    kv,
    gguf: model.gguf,
    q4: model.q4Bytes,
    thinks: model.thinking !== null,
    tools: model.toolFormat,
    verification: model.verification,
  }
}

function theirs(fact: Fact): unknown {
  const { params, sampling, kv_cache: kv } = fact
  const shape = Object.fromEntries(Object.entries(fact.config ?? {}).filter(([key]) => key !== '_note'))
  return {
    repository: fact.hub.huggingface,
    modelscope: fact.hub.modelscope_seen_in_a_source ? 'seen' : fact.hub.modelscope ? 'expected' : 'unknown',
    family: fact.family,
    released: fact.release_date,
    isBase: fact.is_base,
    base: fact.base_model,
    modality: fact.modality,
    parameters: {
      total: params.total,
      activated: params.activated,
      exact: params.exact_main_computed,
      extra: params.mtp_or_draft_extra,
      hub: params.hub_displayed,
    },
    architecture: fact.architecture.split(' ')[0],
    modelType: fact.model_type,
    shape: Object.keys(shape).length > 0 ? shape : null,
    context: fact.context_length,
    weights: [fact.weights.dtype, fact.weights.bytes_on_disk],
    isMit: fact.license === 'MIT',
    sampling: { temperature: sampling?.temperature ?? null, topP: sampling?.top_p ?? null, note: sampling?.note ?? null },
    advice: fact.system_prompt_advice,
    llamaCpp: [fact.llama_cpp.arch, fact.llama_cpp.pre_tokenizer],
    kv: kv?.scheme ? { scheme: kv.scheme, bytesPerToken: kv.llamacpp_f16_bytes_per_token ?? null } : null,
    gguf: fact.gguf_repos ?? [],
    q4: fact.gguf_size_estimate_bytes?.['Q4_K_M'] ?? null,
    thinks: fact.reasoning !== null,
    tools: fact.tool_calls?.name ?? null,
    verification: fact.verification,
  }
}
