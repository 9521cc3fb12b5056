/** The page that tells every setting; docs/config.md and docs/config.zh.md are written from it (scripts/write-config-docs.ts). */
import type { Language, Localized } from '../shared/language.ts'
import { SETTING_NAMES, settingOf } from './settings.ts'
import type { Setting, SettingName } from './settings.ts'

const INTRODUCTION: Localized = {
  en: `# Settings

Written by \`npx tsx scripts/write-config-docs.ts\` from src/config/settings.ts. Do not edit. [中文](config.zh.md)

A flag wins over a variable, a variable over the file \`config.json\` in the data folder, the file over the default.
The file holds the names of the first column: \`{ "port": 8500, "offline": true }\`.

| name | flag | variable | default | value | meaning |
|---|---|---|---|---|---|
`,
  zh: `# 设置

由 \`npx tsx scripts/write-config-docs.ts\` 根据 src/config/settings.ts 生成，请勿手动修改。[English](config.md)

优先级从高到低：命令行参数、环境变量、数据目录中的 \`config.json\`、默认值。
文件使用第一列的名称：\`{ "port": 8500, "offline": true }\`。

| 名称 | 参数 | 环境变量 | 默认值 | 取值 | 含义 |
|---|---|---|---|---|---|
`,
}

/** Markdown. */
export function configPage(language: Language): string {
  return `${INTRODUCTION[language]}${SETTING_NAMES.map((name) => row(name, settingOf(name), language)).join('\n')}\n`
}

const NOTES = {
  secret: { en: 'Never printed.', zh: '不会显示。' },
  notInFile: { en: 'Not in the file.', zh: '不能写入文件。' },
  isList: { en: 'In a variable: separated by commas.', zh: '在环境变量中以逗号分隔。' },
} as const satisfies Record<string, Localized>

function row(name: SettingName, setting: Setting, language: Language): string {
  const { kind, env, flag, notInFile, secret, description } = setting
  const notes = [...(secret ? [NOTES.secret] : []), ...(notInFile ? [NOTES.notInFile] : []), ...(kind.isList ? [NOTES.isList] : [])]
  const cells = [
    `\`${name}\``,
    `\`--${flag}\``,
    env.map((variable) => `\`${variable}\``).join(', '),
    defaultText(setting),
    kind.expected[language],
    [description[language], ...notes.map((note) => note[language])].join(language === 'en' ? '. ' : '。'),
  ]
  return `| ${cells.map(escape).join(' | ')} |`
}

function defaultText({ default: value }: Setting): string {
  if (value === undefined) return ''
  return Array.isArray(value) && value.length === 0 ? '' : `\`${String(value)}\``
}

/** A bar would end the cell. */
function escape(cell: string): string {
  return cell.replaceAll('|', String.raw`\|`)
}
