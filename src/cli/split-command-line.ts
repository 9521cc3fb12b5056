/** Finds the command in argv. `bendi` alone, or with flags only, is `bendi up`; the common flags may stand before the command. */
import { settingOf } from '../config/settings.ts'
import { COMMON_SETTINGS } from './command.ts'

export interface SplitCommandLine {
  /** Absent = the default command. `--help` and `--version` are told as such. */
  name?: string
  rest: string[]
}

export function splitCommandLine(argv: readonly string[]): SplitCommandLine {
  const position = skipCommonFlags(argv)
  const word = argv[position]
  const others = [...argv.slice(0, position), ...argv.slice(position + 1)]
  if (word === undefined || (word.startsWith('-') && !isGeneral(word))) return { rest: [...argv] }
  if (word === '-h' || word === '--help') return { name: '--help', rest: others }
  if (word === '-v' || word === '--version') return { name: '--version', rest: others }
  return { name: word, rest: others }
}

function isGeneral(word: string): boolean {
  return ['-h', '--help', '-v', '--version'].includes(word)
}

function skipCommonFlags(argv: readonly string[]): number {
  let position = 0
  for (let width = commonFlagWidth(argv[position]); width > 0; width = commonFlagWidth(argv[position])) position += width
  return position
}

/** How many words a common flag takes; 0 for anything else. */
function commonFlagWidth(word: string | undefined): number {
  if (word === '--json') return 1
  const setting = COMMON_SETTINGS.map(settingOf).find(({ flag }) => word === `--${flag}` || word?.startsWith(`--${flag}=`))
  if (!setting || word === undefined) return 0
  return setting.kind.isBoolean || word.includes('=') ? 1 : 2
}
