import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { tinyModelBytes } from '../../../test/fakes/gguf-header.ts'
import { startSparseHub } from '../../../test/fakes/sparse-hub.ts'
import { createCliHome } from '../../../test/fixtures/cli-run.ts'
import type { CliHome } from '../../../test/fixtures/cli-run.ts'
import { safetensorsFile } from '../../../test/fixtures/large-models.ts'
import { recordedFile } from '../../../test/fixtures/recorded-formats.ts'

vi.setConfig({ testTimeout: 30_000 })

let home: CliHome
beforeAll(async () => {
  home = await createCliHome()
})
afterAll(() => home.remove())

async function fileWith(name: string, data: Buffer): Promise<string> {
  const file = path.join(home.folder, name)
  await writeFile(file, data)
  return file
}

describe('bendi show', () => {
  it('tells what a GGUF is, its tensors when asked, and its whole report to programs', async () => {
    const file = await fileWith('tiny.gguf', tinyModelBytes({ name: 'Tiny Model' }))
    const { code, stdout } = await home.run(['show', file, '--tensors', '--metadata'])
    expect(code).toBe(0)
    for (const text of [
      /What it is +Tiny Model/,
      /Format +GGUF 3/,
      /Licence +apache-2.0/,
      /token_embd\.weight +F32 +8 × 64/,
      /llama\.block_count = 2/,
    ])
      expect(stdout).toMatch(text)
    const report = JSON.parse((await home.run(['show', file, '--json'])).stdout)
    expect(report).toMatchObject({ format: 'gguf', architecture: 'llama', tensors: [{ name: 'token_embd.weight', shape: [8, 64] }, {}] })
  })

  it('names the program in a pickle, in both languages, and says to keep away', async () => {
    const file = await fileWith('pytorch_model.bin', recordedFile('pickle-program-2'))
    const english = await home.run(['show', file])
    expect(english.stdout).toMatch(/✗ Loading it would call posix\.system \(REDUCE\)/)
    expect(english.stdout).toContain('Do not load this file with Python')
    expect((await home.run(['show', file, '--lang', 'zh'])).stdout).toMatch(/✗ 加载时会调用 posix\.system/)
  })

  it('shows names out of a file without what could move the cursor', async () => {
    const shard = safetensorsFile([{ name: 'a\u001b[2J\u202eb', type: 'F32', shape: [1], bytes: 4 }])
    const { stdout } = await home.run(['show', await fileWith('x.bin', Buffer.concat([shard.header, Buffer.alloc(4)])), '--tensors'])
    expect(stdout).toContain('a?[2J?b')
    expect(stdout).not.toContain('\u001b[2J')
  })

  it('reads a model of a hub from its headers, and of the catalogue without asking', async () => {
    const hub = await startSparseHub()
    try {
      hub.repositories.set('org/tiny-GGUF', {
        'tiny-Q4_0.gguf': { header: tinyModelBytes({ name: 'Far' }), bytes: tinyModelBytes({}).length },
      })
      const env = { HF_ENDPOINT: hub.origin, MODELSCOPE_ENDPOINT: hub.origin }
      const { stdout } = await home.run(['show', 'hf:org/tiny-GGUF'], { env })
      expect(stdout).toMatch(/Architecture +llama/)
      expect((await home.run(['show', 'hf:org/none', '--offline'], { env })).stderr).toContain('--offline')
      hub.requests.length = 0
      expect((await home.run(['show', 'hf:deepseek-ai/DeepSeek-R1', '--offline'], { env })).stdout).toMatch(/Heads +128 \/ MLA 512/)
      expect((await home.run(['show', 'deepseek-r1:7b'], { env })).stdout).toContain("tuned on R1's outputs, not R1")
      expect(hub.requests).toEqual([])
    } finally {
      await hub.close()
    }
  })

  it.each([
    ['something that nobody knows', 'nothing', /There is no model "nothing"/],
    ['noise', 'noise.bin', /no model file that bendi knows/],
    ['a cut file', 'cut.safetensors', /not a sound safetensors file/],
  ])('explains %s and ends with 1', async (_what, name, text) => {
    await fileWith('noise.bin', Buffer.from([0x99, 1, 2, 3]))
    const { header } = safetensorsFile([{ name: 'a', type: 'F32', shape: [4], bytes: 16 }])
    await fileWith('cut.safetensors', header)
    const { code, stderr } = await home.run(['show', name === 'nothing' ? name : path.join(home.folder, name)])
    expect(code).toBe(1)
    expect(stderr).toMatch(text)
  })
})
