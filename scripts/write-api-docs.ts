/** Writes docs/http-api.md and docs/http-api.zh.md from the table of routes. Run: npx tsx scripts/write-api-docs.ts */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { apiMarkdown } from '../src/server/api-docs.ts'
import { openApiDocument } from '../src/server/openapi.ts'
import { LANGUAGES } from '../src/shared/language.ts'

for (const language of LANGUAGES) {
  const name = language === 'en' ? 'http-api.md' : `http-api.${language}.md`
  writeFileSync(fileURLToPath(new URL(`../docs/${name}`, import.meta.url)), apiMarkdown(openApiDocument('', language), language))
}
