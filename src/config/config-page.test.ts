import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { LANGUAGES } from '../shared/language.ts'
import { COMMON_SETTINGS } from '../cli/command.ts'
import { COMMAND_NAMES, loadCommand } from '../cli/commands.ts'
import { configPage } from './config-page.ts'
import { SETTING_NAMES } from './settings.ts'

it.each(LANGUAGES)('docs/config in "%s" tells every setting as it is (npx tsx scripts/write-config-docs.ts writes it)', (language) => {
  const name = language === 'en' ? 'config.md' : `config.${language}.md`
  expect(readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')).toBe(configPage(language))
})

it('every flag of the page is taken by a command', async () => {
  const commands = await Promise.all(COMMAND_NAMES.map(loadCommand))
  const taken = new Set([...COMMON_SETTINGS, ...commands.flatMap(({ settings }) => settings)])
  expect(SETTING_NAMES.filter((name) => !taken.has(name))).toEqual([])
})

it.each(LANGUAGES)('in "%s" each setting is one row of six cells', (language) => {
  const rows = configPage(language)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  expect(rows).toHaveLength(SETTING_NAMES.length)
  for (const line of rows) expect(line.split(/(?<!\\)\|/)).toHaveLength(8)
})

it('the page of one language has no words of the other', () => {
  expect(configPage('en').replace('[中文]', '')).not.toMatch(/[\u4e00-\u9fff]/)
  for (const line of configPage('zh')
    .split('\n')
    .filter((row) => row.startsWith('| `')))
    expect(line).toMatch(/[\u4e00-\u9fff]/)
})
