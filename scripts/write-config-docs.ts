/** Writes docs/config.md and docs/config.zh.md. Run with `npx tsx scripts/write-config-docs.ts`. */
import { writeFileSync } from 'node:fs'
import { configPage } from '../src/config/config-page.ts'
import { LANGUAGES } from '../src/shared/language.ts'

for (const language of LANGUAGES) {
  const name = language === 'en' ? 'config.md' : `config.${language}.md`
  writeFileSync(new URL(`../docs/${name}`, import.meta.url), configPage(language))
}
