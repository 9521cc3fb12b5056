import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { AppError } from '../shared/errors.ts'
import { loadConfig } from './load-config.ts'
import type { ConfigSources } from './load-config.ts'
import { SETTING_NAMES, settingOf } from './settings.ts'

const base: ConfigSources = { env: {}, platform: 'linux', userHome: '/home/ann', cwd: '/work', readFile: () => undefined }

function messageOf(sources: Partial<ConfigSources>): string {
  return errorOf({ ...base, ...sources })
}

function errorOf(sources: ConfigSources): string {
  try {
    loadConfig(sources)
  } catch (error) {
    if (error instanceof AppError && error.code === 'usage') return error.message
    throw error
  }
  throw new Error('it was accepted')
}

describe('loadConfig', () => {
  it('takes the flag before the variable, the variable before the file, the file before the default', () => {
    const readFile = (): string => '{"port": 3}'
    expect(loadConfig(base).port).toBe(8400)
    expect(loadConfig({ ...base, readFile }).port).toBe(3)
    expect(loadConfig({ ...base, readFile, env: { BENDI_PORT: '2' } }).port).toBe(2)
    expect(loadConfig({ ...base, readFile, env: { BENDI_PORT: '2' }, flags: { port: '1' } }).port).toBe(1)
  })

  it('names the source of a wrong value, and what was expected', () => {
    expect(messageOf({ flags: { port: 'abc' } })).toMatch(/--port: "abc".*a whole number, 0 … 65535/)
    expect(messageOf({ env: { BENDI_PORT: '70000' } })).toMatch(/BENDI_PORT: "70000"/)
    expect(messageOf({ readFile: () => '{"kvLayout": "round"}' })).toMatch(
      /kvLayout in \/home\/ann\/\.local\/share\/bendi\/config\.json: "round".*auto \| unified \| split/,
    )
  })

  it('says it in Chinese when the locale is Chinese', () => {
    expect(messageOf({ env: { LANG: 'zh_CN.UTF-8' }, flags: { port: 'x' } })).toMatch(/应为整数/)
  })

  it('never prints a secret', () => {
    expect(messageOf({ readFile: () => '{"hfToken": 12345}' })).not.toMatch(/12345/)
  })

  it('refuses a file that is no object, an unknown setting, and home inside the file that home finds', () => {
    expect(messageOf({ readFile: () => '[1]' })).toMatch(/not a JSON object/)
    expect(messageOf({ readFile: () => '{"prot": 1}' })).toMatch(/no setting "prot"/)
    expect(messageOf({ readFile: () => '{"home": "/x"}' })).toMatch(/no setting "home"/)
  })

  it('says where a file is broken, and reads one with a byte order mark', () => {
    expect(messageOf({ readFile: () => '{"port": 1,}' })).toMatch(/config\.json is not a JSON object: .*position 11/)
    expect(messageOf({ env: { LANG: 'zh_CN' }, readFile: () => '{"port": 1,}' })).toMatch(/config\.json 不是 JSON 对象：/)
    expect(loadConfig({ ...base, readFile: () => '\uFEFF{"port": 3}' }).port).toBe(3)
  })

  it.each([
    ['http://localhost:3000/', 'http://localhost:3000'],
    ['HTTPS://Chat.Example:443', 'https://chat.example'],
    ['chrome-extension://jfgfiigpkhlkbnfnbobbkinehhfdhndo', 'chrome-extension://jfgfiigpkhlkbnfnbobbkinehhfdhndo'],
    ['app://obsidian.md', 'app://obsidian.md'],
    ['null', 'null'],
    ['*', '*'],
  ])('takes the origin %s as browsers send it', (written, origin) => {
    expect(loadConfig({ ...base, env: { BENDI_CORS_ORIGINS: written } }).corsOrigins).toEqual([origin])
  })

  it.each(['localhost:3000', 'http://a.test/path', 'http://a.test?x', 'http://user@a.test', 'http://*', ''])(
    'refuses %j as an origin',
    (written) => {
      expect(messageOf({ flags: { corsOrigins: [written] } })).toMatch(/--cors-origin: .*an origin such as http:\/\/localhost:3000/)
    },
  )

  it('finds the data folder by flag, variable or the system, relative to the working folder', () => {
    expect(loadConfig(base).home).toBe('/home/ann/.local/share/bendi')
    expect(loadConfig({ ...base, env: { BENDI_HOME: 'data' } }).home).toBe('/work/data')
    expect(loadConfig({ ...base, env: { BENDI_HOME: '/b' }, flags: { home: '/a' } }).home).toBe('/a')
  })

  it('says what is wrong with a data folder below a file, and with a config.json that cannot be read', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'bendi-config-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = path.join(folder, 'file')
    writeFileSync(file, '')
    mkdirSync(path.join(folder, 'config.json'))
    const { readFile: _fake, ...real } = base
    const load = (home: string, language: string): string => errorOf({ ...real, env: { BENDI_HOME: home, BENDI_LANG: language } })
    expect(load(path.join(file, 'below'), 'en')).toMatch(
      /file\/below: a part of that path is a file\. Give the path of a folder in BENDI_HOME/,
    )
    expect(load(path.join(file, 'below'), 'zh')).toMatch(/是文件。请用 BENDI_HOME/)
    expect(load(folder, 'en')).toMatch(/config\.json cannot be read: EISDIR/)
  })

  it('reads sizes, times, switches and lists as people write them', () => {
    const config = loadConfig({
      ...base,
      env: {
        BENDI_KV_DISK: '2GiB',
        BENDI_CACHE: '1.5 GB',
        BENDI_KEEP_ALIVE: '5m',
        BENDI_CONTEXT: '128K',
        BENDI_OFFLINE: 'yes',
        BENDI_CORS_ORIGINS: 'http://a.test, http://b.test',
      },
      flags: { speculation: false },
    })
    expect(config).toMatchObject({
      kvDiskBytes: 2 ** 31,
      cacheBytes: 1.5e9,
      keepAlive: 300,
      context: 131_072,
      offline: true,
      corsOrigins: ['http://a.test', 'http://b.test'],
      speculation: false,
    })
  })

  it('takes an empty variable as absent', () => {
    expect(loadConfig({ ...base, env: { BENDI_MODEL: '', BENDI_PORT: '' } })).toMatchObject({ port: 8400 })
  })

  it('prefers its own language setting over the locale', () => {
    expect(loadConfig({ ...base, env: { LC_ALL: 'zh_CN.UTF-8' } }).language).toBe('zh')
    expect(loadConfig({ ...base, env: { LC_ALL: 'zh_CN.UTF-8' }, readFile: () => '{"language": "en"}' }).language).toBe('en')
    expect(loadConfig({ ...base, env: { BENDI_LANG: 'zh', LANG: 'en_US' } }).language).toBe('zh')
  })

  it('is frozen', () => {
    const config = loadConfig({ ...base, flags: { corsOrigins: ['http://a.test'] } })
    expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError)
    expect(() => config.corsOrigins.push('http://b.test')).toThrow(TypeError)
  })
})

describe('settings', () => {
  it('have distinct flags and both languages', () => {
    const flags = SETTING_NAMES.map((name) => settingOf(name).flag)
    expect(new Set(flags).size).toBe(flags.length)
    for (const name of SETTING_NAMES) {
      const { description, kind, env } = settingOf(name)
      for (const text of [description.en, description.zh, kind.expected.en, kind.expected.zh]) expect(text, name).not.toBe('')
      expect(env.length, name).toBeGreaterThan(0)
    }
  })

  it('have defaults that their own kind accepts', () => {
    for (const name of SETTING_NAMES) {
      const { kind, default: fallback } = settingOf(name)
      expect(fallback === undefined || kind.schema.safeParse(fallback).success, name).toBe(true)
    }
  })
})
