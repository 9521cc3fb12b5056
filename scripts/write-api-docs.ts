/** Writes docs/http-api.md from the table of routes. Run: npx tsx scripts/write-api-docs.ts */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { apiMarkdown } from '../src/server/api-docs.ts'
import { openApiDocument } from '../src/server/openapi.ts'

writeFileSync(fileURLToPath(new URL('../docs/http-api.md', import.meta.url)), apiMarkdown(openApiDocument('')))
