import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createCliHome } from '../../../test/fixtures/cli-run.ts'
import type { CliHome } from '../../../test/fixtures/cli-run.ts'
import { PlanReportSchema, RecommendReportSchema } from '../../shared/plan.ts'

let home: CliHome
beforeAll(async () => {
  home = await createCliHome()
})
afterAll(() => home.remove())

const OFFLINE = { env: { BENDI_OFFLINE: '1' } }
// V4 is a shape that libllama cannot try by a made header, so that no child is started for it.
const V4 = ['plan', 'DeepSeek-V4-Flash', '--gpu', '2xH20', '--engine', 'vllm', '--context', '131072']

describe('bendi plan REF', () => {
  it('draws a bar for each device, and says what is needed and how fast it would be', async () => {
    const { code, stdout } = await home.run(V4, OFFLINE)
    expect(stdout).toMatch(/2 × H20 \[█+▓+▒*░*·* *\] [\d.]+ GB \/ [\d.]+ GB/)
    expect(stdout).toMatch(/KV cache +[\d.]+ [MG]B +\(V4, 3,850\.25 B\/token\)/)
    expect(stdout).toContain('built-in catalogue')
    expect(code).toBe(0)
  })

  it('speaks Chinese', async () => {
    const { stdout } = await home.run([...V4, '--lang', 'zh'], OFFLINE)
    for (const text of ['放得下', 'KV 缓存', '最长上下文', '估算']) expect(stdout).toContain(text)
  })

  it('explains each term with its numbers and source', async () => {
    const { stdout } = await home.run([...V4, '--explain'], OFFLINE)
    for (const text of ['[formula]', 'source: ', 'llama-kv-cache-dsv4', '21 × ']) expect(stdout).toContain(text)
  })

  it('ends with 1 when it does not fit, and ranks what would', async () => {
    const { code, stdout } = await home.run(['plan', 'DeepSeek-V4-Pro', '--gpu', '8xH20', '--engine', 'vllm'], OFFLINE)
    expect(code).toBe(1)
    expect(stdout).toMatch(/✗ does not fit[^]*least loss first[^]*1\. /)
    expect(stdout).toMatch(/missing [\d.]+ GB/)
    // As they are typed: what is advised can be followed.
    expect(stdout).toMatch(/--gpu "?[\w ]+"? --ram \d+G --engine (vllm|llama) --quant \S+ --kv \w+/)
  })

  it('gives programs the whole report', async () => {
    const { stdout } = await home.run([...V4, '--json'], OFFLINE)
    expect(PlanReportSchema.parse(JSON.parse(stdout))).toMatchObject({ fits: true, parallelism: { tensor: 2 } })
  })

  it.each([
    [['--gpu', 'Voodoo'], 'NAME-48G@900GB/s'],
    [['--context', '0'], '--context'],
    [['--quant', 'Q9'], 'Q9'],
    [['--kv-layout', 'round'], '--kv-layout'],
    [['--for', 'code'], 'leave the model out'],
  ])('refuses %j', async (flags, text) => {
    const { code, stderr } = await home.run(['plan', 'DeepSeek-V4-Flash', ...flags], OFFLINE)
    expect(code).toBe(1)
    expect(stderr).toContain(text)
  })
})

describe('bendi plan without a model', () => {
  it('recommends by flags', async () => {
    const { stdout } = await home.run(['plan', '--for', 'code', '--gpu', '4090', '--ram', '64G', '--json'], OFFLINE)
    expect(RecommendReportSchema.parse(JSON.parse(stdout)).models.length).toBeGreaterThan(2)
  })

  it('refuses flags that would change nothing', async () => {
    const { code, stderr } = await home.run(['plan', '--engine', 'vllm', '--lang', 'zh'], OFFLINE)
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('仅用于规划单个模型；请写 bendi plan 模型') })
  })

  it('asks at a terminal when nothing is said, and takes the usual for an empty answer', async () => {
    const { stdout } = await home.run(['plan'], { ...OFFLINE, input: 'math\n\n3\n4096\n', isTty: { stdin: true, stdout: true } })
    expect(stdout).toContain('For math, 3 user(s), 4096 tokens')
  })

  it('prints the R1 family with the myths', async () => {
    const { code, stdout } = await home.run(['plan', '--table', 'r1', '--lang', 'zh'], OFFLINE)
    expect(code).toBe(0)
    for (const text of ['R1 本体', '9.2 GB', '→ R1 只有一个 671B 模型']) expect(stdout).toContain(text)
    expect((await home.run(['plan', '--table', 'r9'], OFFLINE)).code).toBe(1)
  })
})
