/** One file that tells supporters all about a machine, and nothing about its owner. */
import { open, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { writeFileAtomic } from '../base/atomic-file.ts'
import type { Paths } from '../base/paths.ts'
import { SETTING_NAMES, settingOf } from '../config/settings.ts'
import type { Config } from '../config/settings.ts'
import { probeHost } from '../hardware/host.ts'
import type { Host } from '../hardware/host.ts'
import { probeHardware } from '../hardware/probe.ts'
import { thisSystem } from '../hardware/system.ts'
import { probeToolchains } from '../hardware/toolchains.ts'
import type { Toolchains } from '../hardware/toolchains.ts'
import type { Finding, Hardware } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import { redactValue } from './doctor-redact.ts'
import type { RedactOptions } from './doctor-redact.ts'

export interface ReportInput {
  findings: readonly Finding[]
  config: Config
  paths: Paths
  /** Of bendi. */
  version: string
  /** Absent = this machine's. */
  identity?: RedactOptions
  now?: () => number
  /** Absent = this machine is examined. */
  examine?: () => Promise<MachineFacts>
}

export interface MachineFacts {
  hardware: Hardware
  host: Host
  tools: Toolchains
}

/** Of each log file. */
const LOG_LINES = 200
const LOG_BYTES = 256_000
const LOG_FILES = 5

/** Throws `report-exists`: for a folder, or a file without `force`. */
export async function checkReportFile(file: string, { force }: { force: boolean }): Promise<void> {
  const before = await stat(file).catch(() => undefined)
  if (before?.isDirectory() || (before && !force)) throw new AppError('report-exists', { path: file })
}

/** Throws `report-exists` and `report-not-writable`. */
export async function writeReport(file: string, input: ReportInput, options: { force: boolean }): Promise<void> {
  await checkReportFile(file, options)
  const text = await createReport(input)
  try {
    await writeFileAtomic(file, text, { mode: 0o600 })
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new AppError('report-not-writable', { path: file, reason }, { cause: error })
  }
}

/** JSON, for people too: two spaces, the findings first. */
export async function createReport(input: ReportInput): Promise<string> {
  const { findings, config, paths, version, now = Date.now, examine = () => examineMachine(config, paths) } = input
  const [facts, logs] = await Promise.all([examine(), readLogs(paths.logs)])
  const report = {
    about: 'bendi doctor --report: keys, names of persons and machines, and addresses were taken out',
    createdAt: new Date(now()).toISOString().slice(0, 10),
    versions: { bendi: version, node: process.version, system: `${process.platform}-${process.arch}`, release: os.release() },
    findings,
    ...facts,
    config: shownConfig(config),
    logs,
  }
  return `${JSON.stringify(redactValue(plain(report), identityOf(input)), undefined, 2)}\n`
}

async function examineMachine(config: Config, paths: Paths): Promise<MachineFacts> {
  const [hardware, host, tools] = await Promise.all([
    probeHardware({ home: config.home, cacheFolder: paths.cache }),
    probeHost(thisSystem),
    probeToolchains(thisSystem),
  ])
  return { hardware, host, tools }
}

function identityOf({ config, identity = {} }: ReportInput): RedactOptions {
  const secrets = SETTING_NAMES.filter((name) => settingOf(name).secret).flatMap((name) => secretsIn(config[name]))
  return {
    secrets: [...secrets, ...(identity.secrets ?? [])],
    hostNames: identity.hostNames ?? [os.hostname(), os.hostname().split('.')[0] ?? ''],
    userNames: identity.userNames ?? [os.userInfo().username, path.basename(os.homedir())],
  }
}

/** A proxy's address holds its secret in the middle. */
function secretsIn(value: unknown): string[] {
  if (typeof value !== 'string' || value === '') return []
  const credentials = /\/\/([^@/]*)@/.exec(value)?.[1]
  return [value, ...(credentials === undefined ? [] : [credentials, ...credentials.split(':')])]
}

function shownConfig(config: Config): Record<string, unknown> {
  const shown = SETTING_NAMES.filter((name) => config[name] !== undefined)
  return Object.fromEntries(shown.map((name) => [name, settingOf(name).secret ? '<hidden>' : config[name]]))
}

/** JSON has no Infinity; an unlimited limit is told by a word. */
function plain(value: unknown): unknown {
  const text = JSON.stringify(value, (_, item: unknown) => (item === Number.POSITIVE_INFINITY ? 'unlimited' : item))
  return JSON.parse(text) as unknown
}

/** The last lines of the newest logs, by file name. */
async function readLogs(folder: string): Promise<Record<string, string[]>> {
  const names = (await thisSystem.readFolder(folder)).filter((name) => name.endsWith('.log'))
  const files = await Promise.all(
    names.map(async (name) => ({ name, changed: (await stat(path.join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0 })),
  )
  const newest = files.toSorted((a, b) => b.changed - a.changed).slice(0, LOG_FILES)
  return Object.fromEntries(await Promise.all(newest.map(async ({ name }) => [name, await lastLines(path.join(folder, name))] as const)))
}

async function lastLines(file: string): Promise<string[]> {
  const handle = await open(file, 'r').catch(() => undefined)
  if (!handle) return []
  try {
    const { size } = await handle.stat()
    const start = Math.max(0, size - LOG_BYTES)
    const buffer = Buffer.alloc(Math.min(size, LOG_BYTES))
    await handle.read(buffer, 0, buffer.length, start)
    const lines = buffer.toString('utf8').split('\n')
    // The first one is cut in the middle.
    return (start > 0 ? lines.slice(1) : lines).filter((line) => line !== '').slice(-LOG_LINES)
  } finally {
    await handle.close()
  }
}
