/** argv → flags and positionals of one command, with suggestions for what is misspelt. */
import { parseArgs } from 'node:util'
import { tokens as tokenCount } from '../config/kinds.ts'
import type { FlagValues } from '../config/load-config.ts'
import { SETTING_NAMES, settingOf } from '../config/settings.ts'
import type { SettingName } from '../config/settings.ts'
import { AppError } from '../shared/errors.ts'
import type { Language, Localized } from '../shared/language.ts'
import { COMMON_SETTINGS } from './command.ts'
import type { Command, Flag, Positional } from './command.ts'
import { nearest } from './suggest.ts'

export interface ParsedArguments {
  /** The command's own flags, every boolean present. */
  flags: Record<string, string | number | boolean | undefined>
  settings: FlagValues
  positionals: Record<string, string>
  json: boolean
  help: boolean
}

interface Known {
  type: 'boolean' | 'string'
  short?: string
  isList?: boolean
  take(value: string | boolean): void
}

/** Throws AppError `usage`. */
export function parseArguments(argv: readonly string[], command: Command, language: Language): ParsedArguments {
  const result: ParsedArguments = { flags: {}, settings: {}, positionals: {}, json: false, help: false }
  const known = knownFlags(command, result, language)
  const options = Object.fromEntries(
    [...known].map(([name, flag]) => [name, { type: flag.type, ...(flag.short ? { short: flag.short } : {}) }]),
  )
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true })
  const words: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind === 'option') takeOption(token, known, command, language)
  }
  if (!result.help) result.positionals = assignPositionals(words, command, language)
  return result
}

interface OptionToken {
  name: string
  rawName: string
  value?: string | undefined
  inlineValue?: boolean | undefined
}

function takeOption(token: OptionToken, known: ReadonlyMap<string, Known>, command: Command, language: Language): void {
  const flag = known.get(token.name)
  const positive = token.name.startsWith('no-') ? known.get(token.name.slice(3)) : undefined
  if (flag?.type === 'boolean') {
    if (token.value !== undefined) throw noValue(token, language)
    flag.take(true)
  } else if (flag) {
    // `--model --json`: parseArgs would take the second as the first's value.
    if (token.value === undefined || (!token.inlineValue && token.value.startsWith('--'))) throw missingValue(token, language)
    flag.take(token.value)
  } else if (positive?.type === 'boolean' && token.value === undefined) positive.take(false)
  else throw unknownFlag(token.rawName, known, command, language)
}

function knownFlags(command: Command, result: ParsedArguments, language: Language): Map<string, Known> {
  const known = new Map<string, Known>()
  known.set('json', { type: 'boolean', take: (value) => (result.json = value === true) })
  known.set('help', { type: 'boolean', short: 'h', take: (value) => (result.help = value === true) })
  for (const name of acceptedSettings(command)) known.set(settingOf(name).flag, settingFlag(name, result))
  for (const [name, flag] of Object.entries(command.flags ?? {})) {
    if (flag.type === 'boolean') result.flags[name] = false
    known.set(dashed(name), ownFlag(name, flag, result, language))
  }
  return known
}

function settingFlag(name: SettingName, result: ParsedArguments): Known {
  const { kind } = settingOf(name)
  const take = (value: string | boolean): void => {
    const before = result.settings[name]
    result.settings[name] = kind.isList ? [...(Array.isArray(before) ? (before as string[]) : []), String(value)] : value
  }
  return { type: kind.isBoolean ? 'boolean' : 'string', take }
}

function ownFlag(name: string, flag: Flag, result: ParsedArguments, language: Language): Known {
  const take = (value: string | boolean): void => {
    result.flags[name] = flag.type === 'boolean' || flag.type === 'text' ? value : numberOf(name, flag.type, String(value), language)
  }
  return { type: flag.type === 'boolean' ? 'boolean' : 'string', ...(flag.short ? { short: flag.short } : {}), take }
}

/** The settings whose flags a command takes, the common ones included. */
export function acceptedSettings(command: Command): SettingName[] {
  return SETTING_NAMES.filter((name) => COMMON_SETTINGS.includes(name) || command.settings.includes(name))
}

/** `maxTokens` → `max-tokens`. */
export function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function numberOf(name: string, type: 'number' | 'tokens', text: string, language: Language): number {
  const value = type === 'tokens' ? tokenCount(0, Number.MAX_SAFE_INTEGER).schema.safeParse(text).data : Number(text)
  if (text.trim() !== '' && value !== undefined && Number.isFinite(value)) return value
  throw usage({ en: `--${dashed(name)}: "${text}" is not a number.`, zh: `--${dashed(name)}："${text}" 不是数字。` }, language)
}

function assignPositionals(words: string[], command: Command, language: Language): Record<string, string> {
  const values: Record<string, string> = {}
  const left = [...words]
  for (const positional of command.positionals ?? []) {
    const value = positional.rest ? left.splice(0).join(' ') : left.shift()
    if (value) values[positional.name] = value
    else if (positional.required) throw missingPositional(positional, command, language)
  }
  const extra = left[0]
  if (extra === undefined) return values
  throw usage(
    { en: `"${extra}" is one argument too many for bendi ${command.name}.`, zh: `bendi ${command.name} 不接受多余的参数 "${extra}"。` },
    language,
  )
}

function missingPositional(positional: Positional, command: Command, language: Language): AppError {
  return usage(
    {
      en: `bendi ${command.name} needs ${positional.name} (${positional.description.en}). See: bendi ${command.name} --help`,
      zh: `bendi ${command.name} 需要 ${positional.name}（${positional.description.zh}）。参见：bendi ${command.name} --help`,
    },
    language,
  )
}

function unknownFlag(rawName: string, known: ReadonlyMap<string, Known>, command: Command, language: Language): AppError {
  const negatives = [...known].filter(([, flag]) => flag.type === 'boolean').map(([name]) => `no-${name}`)
  const near = nearest(rawName.replace(/^-+/, ''), [...known.keys(), ...negatives])
  // `bendi run default "-5 + 3 = ?"`: a question, which the shell hands over without its quotes.
  const isText = !near && !rawName.startsWith('--') && command.positionals?.some(({ rest }) => rest) === true
  const text = { en: isText ? ' Text that begins with a dash stands after --' : '', zh: isText ? '以短横线开头的文本请写在 -- 之后' : '' }
  return usage(
    {
      en: `There is no flag ${rawName}.${near ? ` Did you mean --${near}?` : ''}${text.en}`,
      zh: `未知参数 ${rawName}。${near ? `是否想用 --${near}？` : ''}${text.zh}`,
    },
    language,
  )
}

function missingValue({ rawName }: OptionToken, language: Language): AppError {
  return usage({ en: `${rawName} needs a value.`, zh: `${rawName} 需要一个值。` }, language)
}

function noValue({ rawName }: OptionToken, language: Language): AppError {
  return usage({ en: `${rawName} takes no value.`, zh: `${rawName} 不接受值。` }, language)
}

function usage(reason: Localized, language: Language): AppError {
  return new AppError('usage', { reason: reason[language] })
}
