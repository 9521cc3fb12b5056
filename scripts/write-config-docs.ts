/** Writes docs/config.md. Run with `npx tsx scripts/write-config-docs.ts`. */
import { writeFileSync } from 'node:fs'
import { configPage } from '../src/config/config-page.ts'

writeFileSync(new URL('../docs/config.md', import.meta.url), configPage())
