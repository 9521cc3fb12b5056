/** flags > environment > config file (`config.json` in the data folder) > defaults → validated and frozen. */
import { readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { defaultHome } from '../base/paths.ts'
import { AppError } from '../shared/errors.ts'
import type { Language, Localized } from '../shared/language.ts'
import { localizeReason } from '../shared/localize-reason.ts'
import type { Environment } from './environment.ts'
import { SETTING_NAMES, settingOf } from './settings.ts'
import type { Config, SettingName } from './settings.ts'

export type FlagValues = Partial<Record<SettingName, string | boolean | readonly string[]>>

export interface ConfigSources {
  flags?: FlagValues
  env: Environment
  platform?: NodeJS.Platform
  userHome?: string
  /** Relative paths in flags and variables start here. */
  cwd?: string
  /** Answers undefined when there is no such file. */
  readFile?: (file: string) => string | undefined
}

interface Source {
  /** How the user knows it: `--port`, `BENDI_PORT`, `port in /…/config.json`. */
  name: string
  value: unknown
}

/** Throws AppError `usage`, naming where the wrong value came from. */
export function loadConfig(sources: ConfigSources): Config {
  const language = detectLanguage(sources)
  const home = resolveHome(sources, language)
  const readFile = sources.readFile ?? ((name) => readIfPresent(name, language))
  const file = readConfigFile(path.join(home, 'config.json'), readFile, language)
  const values: Record<string, unknown> = {}
  for (const name of SETTING_NAMES) {
    const value = resolveSetting(name, sources, file, language)
    if (value !== undefined) values[name] = value
  }
  return Object.freeze({ language, ...values, home }) as Config
}

/** The language of messages before (and when) the rest cannot be read: `--lang`, BENDI_LANG, then the locale. */
export function detectLanguage({ flags = {}, env }: Pick<ConfigSources, 'flags' | 'env'>): Language {
  for (const asked of [flags.language, env['BENDI_LANG']]) if (asked === 'en' || asked === 'zh') return asked
  const locale = env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || ''
  return /^zh/i.test(locale) ? 'zh' : 'en'
}

function resolveHome(
  { flags = {}, env, platform = process.platform, userHome, cwd = process.cwd() }: ConfigSources,
  language: Language,
): string {
  if (flags.home === '') throw invalid({ name: '--home', value: '' }, settingOf('home').kind.expected, language)
  const asked = flags.home === undefined ? env['BENDI_HOME'] : String(flags.home)
  return asked ? path.resolve(cwd, asked) : defaultHome(env, platform, userHome ?? env['HOME'] ?? os.homedir())
}

function resolveSetting(name: SettingName, sources: ConfigSources, file: ConfigFile, language: Language): unknown {
  const { kind, default: fallback } = settingOf(name)
  const source = sourceOf(name, sources, file)
  if (!source) return fallback
  const parsed = kind.schema.safeParse(source.value)
  if (!parsed.success) throw invalid(source, kind.expected, language, settingOf(name).secret)
  return Array.isArray(parsed.data) ? Object.freeze(parsed.data) : parsed.data
}

function sourceOf(name: SettingName, { flags = {}, env }: ConfigSources, file: ConfigFile): Source | undefined {
  const setting = settingOf(name)
  if (flags[name] !== undefined) return { name: `--${flags[name] === false ? 'no-' : ''}${setting.flag}`, value: flags[name] }
  const variable = setting.env.find((candidate) => env[candidate])
  if (variable) return { name: variable, value: env[variable] }
  if (Object.hasOwn(file.values, name)) return { name: `${name} in ${file.path}`, value: file.values[name] }
  return undefined
}

interface ConfigFile {
  path: string
  values: Record<string, unknown>
}

function readConfigFile(file: string, readFile: (file: string) => string | undefined, language: Language): ConfigFile {
  // Editors on Windows begin a file with a byte order mark.
  const text = readFile(file)?.replace(/^\uFEFF/, '')
  if (text === undefined || text.trim() === '') return { path: file, values: {} }
  const values = parseObject(text, file, language)
  for (const key of Object.keys(values)) checkKey(key, file, language)
  return { path: file, values }
}

function checkKey(key: string, file: string, language: Language): void {
  const name = SETTING_NAMES.find((known) => known === key)
  if (name && !settingOf(name).notInFile) return
  throw usage({ en: `${file}: there is no setting "${key}".`, zh: `${file}：没有名为 "${key}" 的设置。` }, language)
}

function parseObject(text: string, file: string, language: Language): Record<string, unknown> {
  const value = parseJson(text, file, language)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw usage({ en: `${file} is not a JSON object.`, zh: `${file} 不是 JSON 对象。` }, language)
}

/** The parser's own words say where: a comma too many, a comment. */
function parseJson(text: string, file: string, language: Language): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw usage({ en: `${file} is not a JSON object: ${reason}`, zh: `${file} 不是 JSON 对象：${localizeReason(reason, 'zh')}` }, language)
  }
}

function readIfPresent(file: string, language: Language): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw usage(code === 'ENOTDIR' ? homeBelowFile(path.dirname(file)) : unreadable(file, message), language)
  }
}

function homeBelowFile(home: string): Localized {
  return {
    en: `The data folder cannot be ${home}: a part of that path is a file. Give the path of a folder in BENDI_HOME or --home.`,
    zh: `数据目录不能是 ${home}：该路径中的某一部分是文件。请用 BENDI_HOME 或 --home 指定一个目录。`,
  }
}

function unreadable(file: string, why: string): Localized {
  return { en: `${file} cannot be read: ${why}`, zh: `无法读取 ${file}：${why}` }
}

function invalid(source: Source, expected: Localized, language: Language, secret = false): AppError {
  const value = secret ? '…' : typeof source.value === 'string' ? source.value : JSON.stringify(source.value)
  return usage(
    {
      en: `${source.name}: "${value}" is not usable here; expected ${expected.en}.`,
      zh: `${source.name}："${value}" 不可用；应为${expected.zh}。`,
    },
    language,
  )
}

function usage(reason: Localized, language: Language): AppError {
  return new AppError('usage', { reason: reason[language] })
}
