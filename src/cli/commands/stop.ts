import { setTimeout as pause } from 'node:timers/promises'
import { AppError } from '../../shared/errors.ts'
import { defineCommand } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { runningServer } from '../connect.ts'
import { serverBackend } from '../server-backend.ts'

export const stop = defineCommand({
  name: 'stop',
  summary: { en: 'Stop a model, or all of them', zh: '停止一个或全部模型' },
  positionals: [{ name: 'MODEL', description: { en: 'Absent = all', zh: '不指定则停止全部' } }],
  flags: { server: { type: 'boolean', description: { en: 'Stop the server too', zh: '同时停止服务' } } },
  settings: [],
  async run(context) {
    const { output, positionals, flags } = context
    const server = await runningServer(context)
    if (!server) {
      output.result([])
      output.note({ en: 'No server runs.', zh: '没有服务在运行。' })
      return
    }
    const backend = serverBackend(server.address, output.language)
    const wanted = positionals['MODEL']
    const names =
      wanted === undefined
        ? (await backend.listDeployments()).filter(({ state }) => state !== 'failed').map(({ model }) => model)
        : [wanted]
    const stopped = await Promise.all(names.map((name) => backend.stopDeployment(name)))
    for (const { model } of stopped) output.note({ en: `Stopped ${model}.`, zh: `已停止 ${model}。` })
    if (stopped.length === 0) output.note({ en: 'Nothing runs.', zh: '没有运行中的模型。' })
    if (flags.server) await stopServer(server.pid, context)
    output.result(stopped)
  },
})

const POLL_MS = 100

async function stopServer(pid: number, context: CommandContext): Promise<void> {
  process.kill(pid, 'SIGTERM')
  while (await runningServer(context)) {
    if (context.signal.aborted) throw new AppError('cancelled')
    await pause(POLL_MS)
  }
  context.output.note({ en: `The server (pid ${pid}) has ended.`, zh: `服务（pid ${pid}）已结束。` })
}
