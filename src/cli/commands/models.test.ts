import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCliHome } from '../../../test/fixtures/cli-run.ts'
import type { CliHome } from '../../../test/fixtures/cli-run.ts'
import { CatalogueAnswerSchema, CatalogueModelSchema } from '../../shared/api.ts'

let home: CliHome
beforeAll(async () => {
  home = await createCliHome()
})
afterAll(() => home.remove())

describe('bendi models', () => {
  it('lists what matches, with names to pull and what each really is', async () => {
    const { code, stdout } = await home.run(['models', 'r1', '--max-size', '6GB'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/DeepSeek-R1-Distill-Qwen-7B +deepseek-r1:7b +128K +~4\.7 GB .*not DeepSeek-R1 itself/)
    expect(stdout).not.toContain('Distill-Qwen-14B')
    expect((await home.run(['models', '--family', 'ocr', '--lang', 'zh'])).stdout).toMatch(/模型 +下载名[^]*文档/)
  })

  it('tells everything about one that is named', async () => {
    const { stdout } = await home.run(['models', 'deepseek-r1:7b'])
    for (const text of ["Qwen2.5-Math-7B tuned on R1's outputs, not R1", 'temperature 0.6', '7,615,616,512', 'Runs on llama.cpp'])
      expect(stdout).toContain(text)
  })

  it('says when a name means another model as a short name', async () => {
    const { stdout, stderr } = await home.run(['models', 'deepseek-r1'])
    expect(stdout).toContain('685B = 671B + 14B')
    expect(stderr).toContain('bendi pull deepseek-r1 takes DeepSeek-R1-Distill-Qwen-1.5B')
  })

  it('gives programs a list for words, and a model for a name', async () => {
    const list = await home.run(['models', 'distill', 'llama-70b', '--json'])
    expect(CatalogueAnswerSchema.parse(JSON.parse(list.stdout)).models).toHaveLength(1)
    const one = await home.run(['models', 'DeepSeek-V3', '--json'])
    expect(CatalogueModelSchema.parse(JSON.parse(one.stdout)).id).toBe('DeepSeek-V3')
  })

  it('explains a name that it does not know, and ends with 1', async () => {
    const { code, stderr } = await home.run(['models', 'deepseek-coder-33b-instruct-v1.5'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/33b +33 billion parameters[^]*Near: deepseek-coder/)
  })

  it('refuses a task that is none', async () => {
    const { code, stderr } = await home.run(['models', '--task', 'cooking'])
    expect(code).toBe(1)
    expect(stderr).toContain('none of chat, code')
  })
})
