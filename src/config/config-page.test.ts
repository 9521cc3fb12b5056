import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { configPage } from './config-page.ts'
import { SETTING_NAMES } from './settings.ts'

it('docs/config.md tells every setting as it is (npx tsx scripts/write-config-docs.ts writes it)', () => {
  expect(readFileSync(new URL('../../docs/config.md', import.meta.url), 'utf8')).toBe(configPage())
})

it('each setting is one row of six cells', () => {
  const rows = configPage()
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  expect(rows).toHaveLength(SETTING_NAMES.length)
  for (const line of rows) expect(line.split(/(?<!\\)\|/)).toHaveLength(8)
})
