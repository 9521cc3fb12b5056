/** A command as data. */
import type { LogLevel, Logger } from '../base/logger.ts'
import type { Paths } from '../base/paths.ts'
import type { SettingName } from '../config/settings.ts'
import type { Config } from '../config/settings.ts'
import type { Localized } from '../shared/language.ts'
import type { CliIo } from './io.ts'
import type { Output } from './output.ts'
import type { CliServices } from './services.ts'

/** A flag of one command; settings have their own (src/config/settings.ts). */
export interface Flag {
  type: 'boolean' | 'text' | 'number' | 'tokens'
  short?: string
  /** What stands for the value in the help, e.g. `FILE`. */
  value?: string
  description: Localized
}

export interface Positional {
  name: string
  required?: boolean
  /** Takes all that are left, joined by spaces. */
  rest?: boolean
  description: Localized
}

export type FlagTable = Readonly<Record<string, Flag>>

type FlagValue<F extends Flag> = F['type'] extends 'boolean'
  ? boolean
  : F['type'] extends 'number' | 'tokens'
    ? number | undefined
    : string | undefined
export type FlagValuesOf<Flags extends FlagTable> = { [Name in keyof Flags]: FlagValue<Flags[Name]> }

export interface CommandContext<Flags extends FlagTable = FlagTable> {
  flags: FlagValuesOf<Flags>
  /** By name; absent ones are not there. */
  positionals: Readonly<Record<string, string>>
  config: Config
  paths: Paths
  io: CliIo
  output: Output
  logger: Logger
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal
  services: CliServices
  version: string
  /** The command's name, as others see it in the lock. */
  commandName: string
}

export interface Command<Flags extends FlagTable = FlagTable> {
  name: string
  summary: Localized
  positionals?: readonly Positional[]
  flags?: Flags
  /** Settings that change what it does; shown in its help, and accepted as flags. */
  settings: readonly SettingName[]
  /** Lines shown as examples. */
  examples?: readonly string[]
  /** From this level on its log goes to stderr too. Absent = errors. */
  logsToStderr?: LogLevel
  /** The exit code; undefined is 0. Throws AppError for what the user can mend. */
  run(context: CommandContext<Flags>): Promise<number | void>
}

/** Keeps the types of a command's flags for its own `run`, and hides them from the table of commands. */
export function defineCommand<const Flags extends FlagTable>(command: Command<Flags>): Command {
  return command as unknown as Command
}

/** Settings that every command takes. */
export const COMMON_SETTINGS: readonly SettingName[] = ['home', 'offline', 'language', 'logLevel']
/** … those that reach other hosts. */
export const NETWORK_SETTINGS: readonly SettingName[] = [
  'hfEndpoint',
  'hfToken',
  'hfMirror',
  'modelscopeEndpoint',
  'modelscopeToken',
  'pip',
  'pipIndexUrl',
  'caFile',
  'httpProxy',
  'httpsProxy',
  'noProxy',
  'peers',
  'limitRate',
  'useStores',
  'modelFolders',
  'hfCache',
  'ollamaModels',
  'lmStudioModels',
]
/** … those that run a model. */
export const ENGINE_SETTINGS: readonly SettingName[] = [
  'context',
  'parallel',
  'kvLayout',
  'kvType',
  'threads',
  'kernel',
  'gpuLayers',
  'speculation',
  'kvSave',
  'kvDiskBytes',
  'cacheBytes',
  'targetStepMs',
]
/** … those of a server. */
export const SERVER_SETTINGS: readonly SettingName[] = [
  'host',
  'port',
  'corsOrigins',
  'keepAlive',
  'maxWaiting',
  'peerSharing',
  'fileLimit',
  'batchParallel',
]
