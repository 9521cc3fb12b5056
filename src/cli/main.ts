/** The entry of the command line. */
import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { pathsBelow } from '../base/paths.ts'
import { detectLanguage, loadConfig } from '../config/load-config.ts'
import { AppError } from '../shared/errors.ts'
import type { Language } from '../shared/language.ts'
import { parseArguments } from './arguments.ts'
import type { Command, CommandContext } from './command.ts'
import { COMMAND_NAMES, isCommandName, loadCommand } from './commands.ts'
import { EXIT } from './exit-codes.ts'
import { commandHelp, generalHelp } from './help.ts'
import { processIo } from './io.ts'
import type { CliIo } from './io.ts'
import { splitCommandLine } from './split-command-line.ts'
import { createCliLogger, logFileIn } from './log.ts'
import { createOutput } from './output.ts'
import type { Output } from './output.ts'
import type { CliServices } from './services.ts'
import { nearest } from './suggest.ts'
import { packageVersion } from './version.ts'

/** Runs one command line. Without `io` it is the process's own, which ends with the code; with it the code is answered. */
export async function main(argv: readonly string[], io?: CliIo, services: CliServices = {}): Promise<number> {
  if (io) return runCommandLine(argv, io, services)
  exitOnBrokenPipe()
  const code = await runCommandLine(argv, processIo(), services)
  await flushed(process.stdout)
  // Idle connections and timers of libraries must not keep a finished command alive.
  process.exit(code)
}

async function runCommandLine(argv: readonly string[], io: CliIo, services: CliServices): Promise<number> {
  const { name, rest } = splitCommandLine(argv)
  const language = detectLanguage({ flags: languageFlag(argv), env: io.env })
  const output = createOutput(io, { language, json: argv.includes('--json') })
  const stop = stopOnSignals(io, output)
  try {
    return await Promise.race([dispatch(name, rest, { io, output, services, signal: stop.signal }), stop.second])
  } catch (error) {
    return reportError(error, argv, io, output)
  } finally {
    stop.unsubscribe()
  }
}

interface DispatchContext {
  io: CliIo
  output: Output
  services: CliServices
  signal: AbortSignal
}

async function dispatch(name: string | undefined, rest: readonly string[], context: DispatchContext): Promise<number> {
  const { output } = context
  if (name === '--version') return printVersion(output)
  if (name === '--help') return printHelp(undefined, output)
  if (name === 'help') return printHelp(splitCommandLine(rest).name, output)
  return runCommand(await findCommand(name ?? 'up', output.language), rest, context)
}

async function runCommand(command: Command, rest: readonly string[], { io, output, services, signal }: DispatchContext): Promise<number> {
  const parsed = parseArguments(rest, command, output.language)
  if (parsed.help) return printHelp(command.name, output)
  const config = loadConfig({ flags: parsed.settings, env: io.env, platform: io.platform, cwd: io.cwd })
  const paths = pathsBelow(config.home)
  const context: CommandContext = {
    flags: parsed.flags as CommandContext['flags'],
    positionals: parsed.positionals,
    config,
    paths,
    io,
    output: createOutput(io, { language: config.language, json: parsed.json }),
    logger: createCliLogger({
      folder: paths.logs,
      level: config.logLevel,
      stderr: { sink: io.stderr, level: command.logsToStderr ?? 'error' },
    }),
    signal,
    services,
    version: packageVersion(),
    commandName: command.name,
  }
  return (await command.run(context)) ?? EXIT.ok
}

async function findCommand(word: string, language: Language): Promise<Command> {
  if (isCommandName(word)) return loadCommand(word)
  const near = nearest(word, [...COMMAND_NAMES, 'help'])
  const reason = {
    en: `There is no command "${word}".${near ? ` Did you mean "bendi ${near}"?` : ' See: bendi help'}`,
    zh: `未知命令 "${word}"。${near ? `是否想用 "bendi ${near}"？` : '参见：bendi help'}`,
  }
  throw new AppError('usage', { reason: reason[language] })
}

async function printHelp(word: string | undefined, output: Output): Promise<number> {
  if (word !== undefined) output.line(commandHelp(await findCommand(word, output.language), output.language))
  else output.line(generalHelp(await Promise.all(COMMAND_NAMES.map(loadCommand)), output.language))
  return EXIT.ok
}

function printVersion(output: Output): number {
  if (output.json) output.result({ version: packageVersion() })
  else output.line(packageVersion())
  return EXIT.ok
}

/** The first signal asks the command to end; the second ends it at once. */
function stopOnSignals(io: CliIo, output: Output): { signal: AbortSignal; second: Promise<number>; unsubscribe: () => void } {
  const controller = new AbortController()
  let unsubscribe = (): void => {}
  const second = new Promise<number>((resolve) => {
    unsubscribe = io.onStopSignal(() => {
      if (controller.signal.aborted) return resolve(EXIT.interrupted)
      if (output.isInteractive) output.status('\n')
      controller.abort(new AppError('cancelled'))
    })
  })
  return { signal: controller.signal, second, unsubscribe }
}

function reportError(error: unknown, argv: readonly string[], io: CliIo, output: Output): number {
  if (error instanceof AppError && error.code === 'cancelled') {
    if (output.json) output.error(error)
    return EXIT.interrupted
  }
  if (error instanceof AppError && error.code !== 'internal') {
    output.error(error)
    return EXIT.userError
  }
  reportBug(error, argv, io, output)
  return EXIT.bug
}

/** The stack goes into the log; the person gets one line and where to look. */
function reportBug(error: unknown, argv: readonly string[], io: CliIo, output: Output): void {
  const reason = error instanceof Error ? error.message : String(error)
  const folder = logFolder(io)
  if (folder) createCliLogger({ folder, level: 'error' }).error('bug', { command: argv[0] ?? 'up', error })
  output.error(error instanceof AppError ? error : new AppError('internal', { reason }))
  if (folder) output.note({ en: `Log: ${logFileIn(folder)}`, zh: `日志：${logFileIn(folder)}` })
}

function logFolder(io: CliIo): string | undefined {
  try {
    return pathsBelow(loadConfig({ env: io.env, platform: io.platform, cwd: io.cwd }).home).logs
  } catch {
    return undefined
  }
}

function languageFlag(argv: readonly string[]): { language?: string } {
  const inline = argv.find((word) => word.startsWith('--lang='))?.slice('--lang='.length)
  const language = inline ?? (argv.includes('--lang') ? argv[argv.indexOf('--lang') + 1] : undefined)
  return language === undefined ? {} : { language }
}

/** `bendi list | head -1`: the reader has gone, and that is no error. */
function exitOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.bug))
  }
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => void stream.write('', () => resolve()))
}

function isEntry(): boolean {
  try {
    return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
  } catch {
    return false
  }
}

// `tsx src/cli/main.ts …` in development; bin/bendi.js calls main itself.
if (isEntry()) await main(process.argv.slice(2))
