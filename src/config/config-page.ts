/** The page that tells every setting; docs/config.md is written from it (scripts/write-config-docs.ts). */
import { SETTING_NAMES, settingOf } from './settings.ts'
import type { Setting, SettingName } from './settings.ts'

const INTRODUCTION = `# Settings · 设置

Written by \`npx tsx scripts/write-config-docs.ts\` from src/config/settings.ts. Do not edit. 由脚本生成，请勿手动修改。

A flag wins over a variable, a variable over the file \`config.json\` in the data folder, the file over the default.
The file holds the names of the first column: \`{ "port": 8500, "offline": true }\`.

优先级：命令行参数 > 环境变量 > 数据目录中的 \`config.json\` > 默认值。文件使用第一列的名称：\`{ "port": 8500, "offline": true }\`。

| name · 名称 | flag · 参数 | variable · 环境变量 | default · 默认 | value · 取值 | meaning · 含义 |
|---|---|---|---|---|---|
`

/** Markdown, both languages side by side. */
export function configPage(): string {
  return `${INTRODUCTION}${SETTING_NAMES.map((name) => row(name, settingOf(name))).join('\n')}\n`
}

function row(name: SettingName, setting: Setting): string {
  const { kind, env, flag, notInFile, secret, description } = setting
  const value = kind.expected.en === kind.expected.zh ? kind.expected.en : `${kind.expected.en} · ${kind.expected.zh}`
  const notes = [
    ...(secret ? ['Never printed. 不会显示。'] : []),
    ...(notInFile ? ['Not in the file. 不能写入文件。'] : []),
    ...(kind.isList ? ['In a variable: separated by commas. 环境变量中以逗号分隔。'] : []),
  ]
  const cells = [
    `\`${name}\``,
    `\`--${flag}\``,
    env.map((variable) => `\`${variable}\``).join(', '),
    defaultText(setting),
    value,
    [`${description.en} · ${description.zh}`, ...notes].join('. '),
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
