import { formatBytes } from '../../base/bytes.ts'
import type { Deployment, DeploymentState } from '../../shared/api.ts'
import type { Localized } from '../../shared/language.ts'
import { localizeError } from '../../shared/errors.ts'
import { defineCommand } from '../command.ts'
import { runningServer } from '../connect.ts'
import type { Output } from '../output.ts'
import { formatSeconds } from '../progress.ts'
import { serverBackend } from '../server-backend.ts'

export const ps = defineCommand({
  name: 'ps',
  summary: { en: 'Models that run', zh: '查看正在运行的模型' },
  settings: [],
  async run(context) {
    const { output } = context
    const server = await runningServer(context)
    const deployments = server ? await serverBackend(server.address, output.language).listDeployments() : []
    output.result(deployments)
    if (!server) output.note({ en: 'No server runs. Start it: bendi up', zh: '没有服务在运行。启动：bendi up' })
    else if (deployments.length === 0) output.note({ en: `Nothing runs at ${server.address}.`, zh: `${server.address} 没有运行中的模型。` })
    else
      output.table(
        COLUMNS,
        deployments.map((deployment) => rowOf(deployment, output)),
      )
    for (const { model, error } of deployments) if (error) output.note(`${model}: ${localizeError(error, output.language).message}`)
  },
})

const COLUMNS = [
  { title: { en: 'MODEL', zh: '模型' } },
  { title: { en: 'STATE', zh: '状态' } },
  { title: { en: 'MEMORY', zh: '内存' }, align: 'right' },
  { title: { en: 'CONTEXT', zh: '上下文' }, align: 'right' },
  { title: { en: 'KERNEL', zh: '内核' } },
  { title: { en: 'RUNNING', zh: '运行' }, align: 'right' },
  { title: { en: 'WAITING', zh: '等待' }, align: 'right' },
  { title: { en: 'UNTIL', zh: '保留至' } },
  { title: { en: 'PID', zh: '进程' }, align: 'right' },
] as const

const STATES: Record<DeploymentState, Localized> = {
  stopped: { en: 'stopped', zh: '已停止' },
  starting: { en: 'starting', zh: '启动中' },
  ready: { en: 'ready', zh: '就绪' },
  draining: { en: 'stopping', zh: '停止中' },
  failed: { en: 'failed', zh: '失败' },
}

function rowOf({ model, state, info, running, waiting, expiresAt, pid }: Deployment, output: Output): string[] {
  const bytes = info ? info.memory.weights + info.memory.kv + info.memory.compute : undefined
  const left = expiresAt === undefined ? '–' : formatSeconds(Math.max(0, (expiresAt - Date.now()) / 1000))
  const numbers = [bytes === undefined ? '–' : formatBytes(bytes), info ? String(info.context) : '–', info?.kernel ?? '–']
  return [model, output.say(STATES[state]), ...numbers, String(running), String(waiting), left, pid === undefined ? '–' : String(pid)]
}
