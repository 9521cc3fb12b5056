/** The real app over the scripted platform, and short ways to call it. */
import type { Hono } from 'hono'
import { createLogger, type LogEntry } from '../../src/base/logger.ts'
import { createApp, type AppOptions } from '../../src/server/app.ts'
import { createEventStreamParser, type StreamMessage } from '../../src/shared/client.ts'
import { createScriptedEngine, type Script, type ScriptedEngine } from './scripted-engine.ts'
import { createScriptedPlatform, SCRIPTED_TIME, type ScriptedPlatform, type ScriptedPlatformOptions } from './scripted-platform.ts'

export interface ScriptedServer {
  app: Hono
  platform: ScriptedPlatform
  engine: ScriptedEngine
  log: LogEntry[]
  get(path: string, headers?: Record<string, string>): Promise<Response>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>
}

export interface ScriptedServerOptions extends Partial<AppOptions> {
  script?: Script
  scripted?: ScriptedPlatformOptions
}

export function createScriptedServer({ script, scripted, ...options }: ScriptedServerOptions = {}): ScriptedServer {
  const engine = createScriptedEngine(script ? { script } : {})
  const platform = createScriptedPlatform({ engine, ...scripted })
  const log: LogEntry[] = []
  const logger = createLogger({ level: 'debug', sink: (entry) => log.push(entry) })
  let ids = 0
  const app = createApp({
    platform,
    logger,
    version: '0.0.0-test',
    corsOrigins: [],
    allowedHosts: () => [],
    now: () => SCRIPTED_TIME,
    newId: () => String(++ids).padStart(32, '0'),
    ...options,
  })
  return {
    app,
    platform,
    engine,
    log,
    get: async (path, headers = {}) => app.request(path, { headers }),
    post: async (path, body, headers = {}) =>
      app.request(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  }
}

/** All messages of a finished event stream. */
export async function readMessages(response: Response): Promise<StreamMessage[]> {
  return createEventStreamParser().push(await response.text())
}

/** The JSON of each event but the closing `[DONE]`. */
export async function readChunks(response: Response): Promise<unknown[]> {
  const messages = await readMessages(response)
  return messages.flatMap(({ data }) => (data === undefined || data === '[DONE]' ? [] : [JSON.parse(data) as unknown]))
}
