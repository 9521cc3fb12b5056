/** Levelled logging to a sink; the text goes to stderr or a file, never to stdout (that is data). */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface LogEntry {
  level: LogLevel
  /** When, in ms since 1970. */
  time: number
  message: string
  fields: Record<string, unknown>
}

export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
  /** The same logger with fields added to each entry. */
  with(fields: Record<string, unknown>): Logger
}

export function createLogger(options: {
  level: LogLevel
  sink: (entry: LogEntry) => void
  now?: () => number
  fields?: Record<string, unknown>
}): Logger {
  const { level, sink, now = Date.now, fields = {} } = options
  const threshold = LOG_LEVELS.indexOf(level)
  const write = (entryLevel: LogLevel) => (message: string, more?: Record<string, unknown>) => {
    if (LOG_LEVELS.indexOf(entryLevel) >= threshold) sink({ level: entryLevel, time: now(), message, fields: { ...fields, ...more } })
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (more) => createLogger({ level, sink, now, fields: { ...fields, ...more } }),
  }
}

/** One line: time, level, message, then key=value pairs. */
export function formatLogEntry(entry: LogEntry): string {
  const pairs = Object.entries(entry.fields).map(([key, value]) => ` ${key}=${formatValue(value)}`)
  return `${new Date(entry.time).toISOString()} ${entry.level.padEnd(5)} ${entry.message}${pairs.join('')}`
}

/** For tests and for parts that were given no logger. */
export const silentLogger: Logger = createLogger({ level: 'error', sink: () => {} })

function formatValue(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.stack ?? value.message)
  return typeof value === 'string' && !/[\s"=]/.test(value) ? value : (JSON.stringify(value) ?? 'undefined')
}
