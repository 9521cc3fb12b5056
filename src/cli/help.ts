/** The texts of `bendi help`, made from the commands and the settings. */
import { settingOf } from '../config/settings.ts'
import type { SettingName } from '../config/settings.ts'
import type { Language, Localized } from '../shared/language.ts'
import { acceptedSettings, dashed } from './arguments.ts'
import type { Command, Flag } from './command.ts'
import { padToWidth, textWidth } from './text-width.ts'

const texts = {
  tagline: { en: 'bendi runs open models on your own hardware.', zh: 'bendi：在自己的硬件上运行开放模型。' },
  usage: { en: 'Usage', zh: '用法' },
  commands: { en: 'Commands', zh: '命令' },
  arguments: { en: 'Arguments', zh: '参数' },
  flags: { en: 'Flags', zh: '选项' },
  examples: { en: 'Examples', zh: '示例' },
  more: { en: 'More about one: bendi help COMMAND', zh: '查看单个命令：bendi help COMMAND' },
  alone: { en: '`bendi` alone is `bendi up`.', zh: '单独的 `bendi` 即 `bendi up`。' },
  json: { en: 'Results as JSON', zh: '以 JSON 输出结果' },
  help: { en: 'This text', zh: '显示此帮助' },
} satisfies Record<string, Localized>

export function generalHelp(commands: readonly Command[], language: Language): string {
  const rows = commands.map((command) => [synopsis(command), command.summary[language]] as const)
  const parts = [texts.tagline[language], '', `${texts.usage[language]}: bendi [COMMAND] [FLAGS]`, '', `${texts.commands[language]}:`]
  return [...parts, ...aligned(rows), '', texts.alone[language], texts.more[language]].join('\n')
}

export function commandHelp(command: Command, language: Language): string {
  const parts = [command.summary[language], '', `${texts.usage[language]}: bendi ${synopsis(command)} [FLAGS]`]
  const positionals = (command.positionals ?? []).map((positional) => [positional.name, positional.description[language]] as const)
  if (positionals.length > 0) parts.push('', `${texts.arguments[language]}:`, ...aligned(positionals))
  parts.push('', `${texts.flags[language]}:`, ...aligned(flagRows(command, language)))
  if (command.examples) parts.push('', `${texts.examples[language]}:`, ...command.examples.map((example) => `  ${example}`))
  return parts.join('\n')
}

function synopsis(command: Command): string {
  const words = (command.positionals ?? []).map(({ name, required }) => (required ? name : `[${name}]`))
  return [command.name, ...words].join(' ')
}

function flagRows(command: Command, language: Language): (readonly [string, string])[] {
  const own = Object.entries(command.flags ?? {}).map(([name, flag]) => [flagText(name, flag), flag.description[language]] as const)
  const general = [['--json', texts.json[language]] as const, ['-h, --help', texts.help[language]] as const]
  return [...own, ...acceptedSettings(command).map((name) => settingRow(name, language)), ...general]
}

function flagText(name: string, flag: Flag): string {
  const short = flag.short ? `-${flag.short}, ` : ''
  return `${short}--${dashed(name)}${flag.type === 'boolean' ? '' : ` ${flag.value ?? (flag.type === 'number' ? 'N' : 'TEXT')}`}`
}

function settingRow(name: SettingName, language: Language): readonly [string, string] {
  const setting = settingOf(name)
  const flag = setting.kind.isBoolean ? (setting.default === true ? `--no-${setting.flag}` : `--${setting.flag}`) : `--${setting.flag} …`
  const negated = setting.kind.isBoolean && setting.default === true
  const description = negated ? { en: `Not: ${setting.description.en}`, zh: `关闭：${setting.description.zh}` } : setting.description
  return [flag, `${description[language]} [${setting.env[0] ?? ''}]`]
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => textWidth(left)))
  return rows.map(([left, right]) => `  ${padToWidth(left, width)}  ${right}`)
}
