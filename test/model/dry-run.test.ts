/** The engine's dry run over headers that are large, wrong or slow. */
import { writeFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { dryRun } from '../../src/engine/llama/dry-run.ts'
import { catalogueHeader } from '../../src/models/headers/catalogue-header.ts'
import { syntheticGguf } from '../../src/models/headers/synthetic-gguf.ts'
import type { SyntheticGguf } from '../../src/models/headers/synthetic-value.ts'

const WISH = { context: 4096, parallel: 1, kvType: 'f16', kvLayout: 'split' } as const

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-dry-test-'))
  // Others may try models at the same time.
  vi.stubEnv('TMPDIR', folder)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})

it('measures a model of 671B parameters that is not here, and leaves nothing behind', async () => {
  const [small, large] = await dryRun(made('deepseek-ai/DeepSeek-R1'), [WISH, { ...WISH, context: 131_072 }])
  // 61 layers × (512 + 64) × 2 bytes a token (shared facts models.md 7.2): 9.21 GB at 131,072 tokens.
  expect(small?.kv).toBeCloseTo(70_272 * 4096, -5)
  expect(large?.kv).toBeCloseTo(70_272 * 131_072, -5)
  expect(large?.compute).toBeGreaterThan(small?.compute ?? Number.POSITIVE_INFINITY)
  expect(large).toMatchObject({ allocatedKv: 0, allocatedWeights: 0 })
  // 671,026,419,200 parameters, all in F16 but the norms.
  expect(large?.weights).toBeGreaterThan(1.342e12)
  expect((await readdir(folder)).filter((name) => name.startsWith('bendi-dry-run-'))).toEqual([])
}, 60_000)

it.each([
  ['an architecture that libllama does not know', { 'general.architecture': { type: 'string', value: 'unheard-of' } }],
  ['heads that do not divide', { 'qwen2.attention.head_count': { type: 'u32', value: 7 } }],
  ['more layers than tensors', { 'qwen2.block_count': { type: 'u32', value: 500 } }],
  ['a value of another type', { 'qwen2.block_count': { type: 'string', value: 'many' } }],
] satisfies [string, SyntheticGguf['metadata']][])(
  'says no to %s, and lives',
  async (_what, metadata) => {
    const model = made('deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B')
    await expect(dryRun({ ...model, metadata: { ...model.metadata, ...metadata } }, [WISH])).rejects.toMatchObject({
      code: expect.stringMatching(/^(invalid-model-file|engine-start-failed)$/),
    })
  },
  60_000,
)

it('says no to a file that is none, ends what takes too long, and stops when told', async () => {
  const file = path.join(folder, 'noise.gguf')
  await writeFile(file, 'GGUF and nothing else')
  await expect(dryRun({ file }, [WISH])).rejects.toMatchObject({ code: 'invalid-model-file' })
  const model = made('deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B')
  await expect(dryRun(model, [WISH], { limitMs: 1 })).rejects.toMatchObject({
    code: 'engine-start-failed',
    data: { reason: expect.stringMatching(/longer than/) },
  })
  await expect(dryRun(model, [WISH], { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
}, 60_000)

function made(repository: string): SyntheticGguf {
  const header = catalogueHeader(repository)
  const model = header && syntheticGguf(header)
  if (model === undefined) throw new Error(`the catalogue does not have ${repository}`)
  return model
}
