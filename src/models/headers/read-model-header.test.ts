import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { runCommand } from '../../base/child-process.ts'
import { createHttp } from '../../base/http.ts'
import type { Http } from '../../base/http.ts'
import { silentLogger } from '../../base/logger.ts'
import { tinyModelBytes } from '../../../test/fakes/gguf-header.ts'
import { startSparseHub } from '../../../test/fakes/sparse-hub.ts'
import type { SparseHub } from '../../../test/fakes/sparse-hub.ts'
import { largeGguf, largeSafetensors, safetensorsFile } from '../../../test/fixtures/large-models.ts'
import { parseReference } from '../reference.ts'
import type { ModelHeader } from './model-header.ts'
import { readModelHeader } from './read-model-header.ts'

// Headers of 671B parameters take a second to make, and more where others work too.
vi.setConfig({ testTimeout: 60_000 })

let hub: SparseHub
let http: Http
let folder: string
beforeEach(async () => {
  hub = await startSparseHub()
  http = createHttp()
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-headers-'))
})
afterEach(async () => {
  await Promise.all([hub.close(), http.close(), rm(folder, { recursive: true, force: true })])
})

function read(reference: string, options: { quantization?: string; offline?: boolean; token?: string } = {}): Promise<ModelHeader> {
  const { token, ...rest } = options
  const env = { hfEndpoint: hub.origin, modelscopeEndpoint: hub.origin, ...(token ? { hfToken: token } : {}) }
  return readModelHeader(parseReference(reference), { context: { env, http, run: runCommand, logger: silentLogger }, ...rest })
}

function weights(header: ModelHeader): number {
  return (header.tensors ?? []).reduce((total, tensor) => total + tensor.bytes, 0)
}

it('48 safetensors files of 671B parameters are known from less than 20 MB and few requests', async () => {
  hub.repositories.set('org/large', largeSafetensors())
  const header = await read('hf:org/large')
  expect(header).toMatchObject({ source: 'safetensors', architecture: 'deepseek2', quantization: 'FP8', trainedContext: 163_840 })
  expect(header.files).toHaveLength(48)
  expect(header.shape).toMatchObject({ kv_lora_rank: 512, num_hidden_layers: 61 })
  // Parameters of the main model as published, FP8 with F32 scales: 671,026,419,200 − scales.
  expect(weights(header)).toBeGreaterThan(671e9)
  expect(weights(header)).toBeLessThan(674e9)
  const sent = hub.requests.reduce((total, request) => total + request.sentBytes, 0)
  expect(sent).toBeLessThan(20_000_000)
  expect(header.readBytes).toBeLessThan(20_000_000)
  // The list, config.json, and for each file the redirect, its first piece and the rest of its header.
  expect(hub.requests.length).toBeLessThanOrEqual(2 + 48 * 3)
})

it('48 GGUF files of 671B parameters are known from less than 20 MB and few requests', async () => {
  hub.repositories.set('org/large-GGUF', largeGguf())
  const header = await read('hf:org/large-GGUF:Q8_0')
  expect(header).toMatchObject({
    source: 'gguf',
    architecture: 'deepseek2',
    quantization: 'Q8_0',
    mlaLayout: 'latent',
    title: 'DeepSeek R1',
  })
  expect(header.shape).toMatchObject({
    num_attention_heads: 128,
    kv_lora_rank: 512,
    qk_rope_head_dim: 64,
    qk_nope_head_dim: 128,
    v_head_dim: 128,
    n_routed_experts: 256,
    first_k_dense_replace: 3,
    vocab_size: 129_280,
  })
  // 671B × 34 / 32, norms and routers in F32.
  expect(weights(header)).toBeGreaterThan(712.9e9)
  expect(weights(header)).toBeLessThan(713.5e9)
  expect(hub.requests.reduce((total, request) => total + request.sentBytes, 0)).toBeLessThan(20_000_000)
  expect(hub.requests.length).toBeLessThanOrEqual(1 + 48 * 2 + 6)
})

it('a file name like 00001-of-00002 alone is not trusted: with a shard missing the index decides', async () => {
  const shard = safetensorsFile([{ name: 'a', type: 'F16', shape: [2, 3], bytes: 12 }])
  const index = Buffer.from(JSON.stringify({ metadata: { total_size: 12 }, weight_map: { a: 'model-00001-of-00002.safetensors' } }))
  hub.repositories.set('org/part', {
    'model-00001-of-00002.safetensors': shard,
    'model.safetensors.index.json': { header: index, bytes: index.length },
    'config.json': config({ model_type: 'qwen2', num_hidden_layers: 1, hidden_size: 3 }),
  })
  expect((await read('hf:org/part')).tensors).toEqual([
    { name: 'a', type: 'F16', shape: [2, 3], bytes: 12, file: 'model-00001-of-00002.safetensors' },
  ])
})

it('a repository with pickles and config.json only gives the shape, and says so', async () => {
  hub.repositories.set('org/old', {
    'config.json': config({ model_type: 'llama', num_hidden_layers: 2, hidden_size: 64, num_attention_heads: 4, torch_dtype: 'float16' }),
    'pytorch_model.bin': { header: Buffer.from('PK'), bytes: 1000 },
  })
  const header = await read('org/old')
  expect(header).toMatchObject({ source: 'config', quantization: 'F16', files: [{ path: 'pytorch_model.bin', bytes: 1000 }] })
  expect(header.tensors).toBeUndefined()
  expect(header.shape.num_key_value_heads).toBe(4)
})

it('without an answer, and offline, the catalogue speaks for what it knows', async () => {
  const unreachable = await read('hf:deepseek-ai/DeepSeek-R1')
  expect(unreachable).toMatchObject({ source: 'catalogue', architecture: 'deepseek2', files: [] })
  expect(hub.requests.length).toBeGreaterThan(0)
  hub.requests.length = 0
  expect(await read('hf:deepseek-ai/DeepSeek-R1', { offline: true })).toMatchObject({ source: 'catalogue' })
  expect(hub.requests).toHaveLength(0)
  await expect(read('hf:org/unheard-of', { offline: true })).rejects.toMatchObject({ code: 'offline' })
  await expect(read('hf:org/unheard-of')).rejects.toMatchObject({ code: 'source-unreachable' })
})

it('a server without ranges is read from the start, and no further than needed', async () => {
  hub.repositories.set('org/tiny-GGUF', { 'tiny-Q4_0.gguf': whole(tinyModelBytes({ vocabulary: 2000 }), 50_000_000) })
  hub.behaviour = 'no-ranges'
  const header = await read('hf:org/tiny-GGUF')
  expect(header.shape.vocab_size).toBe(2000)
  expect(header.readBytes).toBeLessThan(5_000_000)
})

it.each([
  ['changes', /changed the file/],
  ['wrong-range', /answers ranges wrongly/],
  ['short', /of \d+ bytes/],
  ['web-page', /web page/],
] as const)('a server that %s is named, not believed', async (behaviour, reason) => {
  hub.repositories.set('org/tiny-GGUF', { 'tiny-Q4_0.gguf': whole(largeVocabulary()) })
  hub.behaviour = behaviour
  await expect(read('hf:org/tiny-GGUF')).rejects.toMatchObject({
    code: 'download-failed',
    data: { reason: expect.stringMatching(reason) },
  })
})

it.each(['expired', 'busy-once'] as const)('a storage that is %s is asked again', async (behaviour) => {
  hub.repositories.set('org/tiny-GGUF', { 'tiny-Q4_0.gguf': whole(largeVocabulary()) })
  hub.behaviour = behaviour
  expect((await read('hf:org/tiny-GGUF')).shape.vocab_size).toBe(90_000)
})

it('a token goes to its hub', async () => {
  hub.repositories.set('org/tiny-GGUF', { 'tiny-Q4_0.gguf': whole(tinyModelBytes()) })
  await read('hf:org/tiny-GGUF', { token: 'secret' })
  expect(hub.requests[0]?.authorization).toBe('Bearer secret')
})

it('a folder here is read as a repository, a file by its content whatever its name', async () => {
  const shard = safetensorsFile([{ name: 'a', type: 'BF16', shape: [4], bytes: 8 }])
  const model = path.join(folder, 'model')
  await mkdir(model)
  await writeFile(path.join(model, 'weights.dat'), Buffer.concat([shard.header, Buffer.alloc(8)]))
  await writeFile(path.join(model, 'config.json'), config({ model_type: 'qwen3', num_hidden_layers: 1, hidden_size: 4 }).header)
  expect(await read(`file:${path.join(model, 'weights.dat')}`)).toMatchObject({
    source: 'safetensors',
    architecture: 'qwen3',
    quantization: 'BF16',
  })
  expect(await read(`file:${model}`)).toMatchObject({ source: 'config' })
  await writeFile(path.join(model, 'm.gguf'), tinyModelBytes({ name: 'Here' }))
  expect(await read(`file:${model}`)).toMatchObject({ source: 'gguf', title: 'Here', shape: { num_attention_heads: 4, head_dim: 16 } })
  await expect(read(`file:${path.join(folder, 'nothing')}`)).rejects.toMatchObject({ code: 'file-not-found' })
})

function config(value: Record<string, unknown>): { header: Buffer; bytes: number } {
  const header = Buffer.from(JSON.stringify(value))
  return { header, bytes: header.length }
}

function whole(data: Buffer, bytes = data.length): { header: Buffer; bytes: number } {
  return { header: data, bytes }
}

/** More than the first piece. */
function largeVocabulary(): Buffer {
  return tinyModelBytes({ vocabulary: 90_000 })
}
