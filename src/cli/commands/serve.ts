/** `bendi serve`: the server alone, for a service manager or a terminal of its own. */
import { deferred } from '../../base/async.ts'
import type { Model } from '../../shared/api.ts'
import { ENGINE_SETTINGS, NETWORK_SETTINGS, SERVER_SETTINGS, defineCommand } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { ensureModel } from '../ensure-model.ts'
import { localBackend } from '../local-backend.ts'
import { startServer, untilStopped } from '../server-session.ts'
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
  const wanted = positionals['MODEL'] ?? config.model
  const first = wanted === undefined ? undefined : deferred<Model>()
  const session = await startServer(context, first?.promise)
  try {
    const finding = wanted === undefined ? undefined : ensureModel(wanted, context, localBackend(session.platform))
    if (finding) first?.resolve(finding)
    const model = await finding
    if (model) await session.platform.deployments.start({ model: model.name, keepAlive: -1 }, signal)
    output.result({ address: session.address, ...(model === undefined ? {} : { model: model.name }), pid: process.pid })
    if (!output.json) printAddress(session.address, 'default', context)
    output.note(STOP_HINT)
    await untilStopped(signal)
    output.note({ en: 'Stopping …', zh: '正在停止……' })
  } finally {
    await session.close()
  }
}
