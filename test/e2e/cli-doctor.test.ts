import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { createCliHome } from '../fixtures/cli-run.ts'
import type { CliHome } from '../fixtures/cli-run.ts'
import { FindingSchema } from '../../src/shared/api.ts'

let home: CliHome
beforeAll(async () => {
  home = await createCliHome()
})
afterAll(() => home.remove())

it('lists findings in the language that is asked for, and writes a report for supporters, once', { timeout: 120_000 }, async () => {
  const file = path.join(home.folder, 'report.json')
  const doctor = ['doctor', '--offline', '--port', '0', '--report', file]
  const first = await home.run([...doctor, '--lang', 'zh'], { env: { HF_TOKEN: 'hf_plantedPlanted1' } })
  expect(first.stdout).toMatch(/^[✓!✗] Node\.js: v\d+/)
  expect(first.stdout).toMatch(/[✓!✗] 内存: /)
  expect(first.code).toBe(/^✗/m.test(first.stdout) ? 1 : 0)
  expect(first.stderr).toContain(file)
  const text = await readFile(file, 'utf8')
  expect(z.array(FindingSchema).parse((JSON.parse(text) as { findings: unknown }).findings).length).toBeGreaterThan(5)
  expect(text).not.toContain('plantedPlanted1')

  const second = await home.run([...doctor, '--lang', 'en'])
  expect(second).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('--force') })
  expect(await readFile(file, 'utf8')).toBe(text)

  const third = await home.run([...doctor, '--force', '--json'])
  expect(z.array(FindingSchema).parse(JSON.parse(third.stdout)).length).toBeGreaterThan(5)
  expect(third.stderr).toBe('')
})
