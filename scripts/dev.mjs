/** `npm run dev`: the command line straight from src/, restarted on changes (needs tsx). */
import { main } from '../src/cli/main.ts'

await main(process.argv.slice(2))
