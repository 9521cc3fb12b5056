/** `bendi serve`: the server alone, for a service manager or a terminal of its own. */
import { ENGINE_SETTINGS, NETWORK_SETTINGS, SERVER_SETTINGS, defineCommand } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { ensureModel } from '../ensure-model.ts'
import { localBackend } from '../local-backend.ts'
import { startServer, untilStopped } from '../server-session.ts'
import type { ServerSession } from '../server-session.ts'
import { STOP_HINT, printAddress } from './up.ts'

export const serve = defineCommand({
  name: 'serve',
  summary: { en: 'Serve the library; models start when they are asked for', zh: '启动服务；模型在被请求时启动' },
  positionals: [{ name: 'MODEL', description: { en: 'Model to start at once and keep loaded', zh: '立即启动并常驻的模型' } }],
  settings: ['model', ...SERVER_SETTINGS, ...ENGINE_SETTINGS, ...NETWORK_SETTINGS],
  examples: ['bendi serve', 'bendi serve deepseek-r1:1.5b --parallel 16'],
  logsToStderr: 'info',
  run: runServe,
})

async function runServe(context: CommandContext): Promise<void> {
  const { output, positionals, config, signal } = context
  const session = await startServer(context)
  try {
    const model = await startWanted(session, positionals['MODEL'] ?? config.model, context)
    output.result({ address: session.address, ...(model === undefined ? {} : { model }), pid: process.pid })
    if (!output.json) printAddress(session.address, context)
    output.note(STOP_HINT)
    await untilStopped(signal)
    output.note({ en: 'Stopping …', zh: '正在停止……' })
  } finally {
    await session.close()
  }
}

async function startWanted({ platform }: ServerSession, wanted: string | undefined, context: CommandContext): Promise<string | undefined> {
  if (wanted === undefined) return undefined
  const model = await ensureModel(wanted, context, localBackend(platform))
  await platform.deployments.start({ model: model.name, keepAlive: -1 }, context.signal)
  return model.name
}
