/** `npm start [-- ARGUMENTS]`: installs and builds what is missing, then is `bendi up ARGUMENTS`. */
import { build } from './build.mjs'
import { ensureInstalled } from './ensure.mjs'

await ensureInstalled()
const code = await build()
if (code !== 0) process.exit(code)

// In this process: signals reach it as they are sent, and its exit code is ours.
const program = new URL('../bin/bendi.js', import.meta.url)
process.argv = [process.execPath, program.pathname, 'up', ...process.argv.slice(2)]
await import(program.href)
