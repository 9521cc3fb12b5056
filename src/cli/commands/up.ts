/** `bendi up`: from nothing to an address that answers, with nothing to configure. */
import { deferred } from '../../base/async.ts'
import type { StarterChoice } from '../../platform/create-platform.ts'
import type { Model } from '../../shared/api.ts'
import type { Localized } from '../../shared/language.ts'
import { AppError } from '../../shared/errors.ts'
import { hasDesktop, openBrowser } from '../browser.ts'
import { ENGINE_SETTINGS, NETWORK_SETTINGS, SERVER_SETTINGS, defineCommand } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { runningServer } from '../connect.ts'
import { ensureModel } from '../ensure-model.ts'
import { localBackend } from '../local-backend.ts'
import { machineLines } from '../machine-lines.ts'
import { serverBackend } from '../server-backend.ts'
import { startServer, untilStopped } from '../server-session.ts'
import type { ServerSession } from '../server-session.ts'

export const up = defineCommand({
  name: 'up',
  summary: { en: 'Choose a model for this machine, start it, open the page', zh: '为本机选择模型、启动并打开页面' },
  positionals: [{ name: 'MODEL', description: { en: 'Model to run instead of the chosen one', zh: '指定要运行的模型' } }],
  settings: ['model', 'open', ...SERVER_SETTINGS, ...ENGINE_SETTINGS, ...NETWORK_SETTINGS],
  examples: ['bendi', 'bendi up deepseek-r1:1.5b --port 9000 --no-open', 'bendi up --model file:/path/model.gguf --offline'],
  run: runUp,
})

async function runUp(context: CommandContext): Promise<number | void> {
  const running = await runningServer(context)
  if (running) return useRunning(running.address, running.pid, context)
  const first = deferred<Model>()
  const session = await startServer(context, first.promise)
  try {
    const choosing = chooseModel(session, context)
    first.resolve(choosing)
    const model = await choosing
    await makeReady(model, session, context)
    await announce({ address: session.address, model: model.name, pid: process.pid }, 'default', context)
    context.output.note(STOP_HINT)
    await untilStopped(context.signal)
    context.output.note({ en: 'Stopping …', zh: '正在停止……' })
  } finally {
    await session.close()
  }
}

/** Looks at the machine, chooses, downloads what is missing. */
async function chooseModel({ platform }: ServerSession, context: CommandContext): Promise<Model> {
  const { output, signal, config, positionals } = context
  for (const line of machineLines(await platform.hardware())) output.note(line)
  const wanted = positionals['MODEL'] ?? config.model
  const choice = await platform.chooseStarter(wanted, signal)
  output.note(chosenText(choice))
  return choice.model ?? ensureModel(choice.reference, context, localBackend(platform))
}

async function makeReady(model: Model, { platform }: ServerSession, { output, signal }: CommandContext): Promise<void> {
  output.note({ en: `Starting ${model.name} (${model.title}) …`, zh: `正在启动 ${model.name}（${model.title}）……` })
  const deployment = await platform.deployments.start({ model: model.name, keepAlive: -1 }, signal)
  const { info } = deployment
  if (info) {
    const seconds = (info.loadMs / 1000).toFixed(1)
    output.note({
      en: `Ready in ${seconds} s: ${info.context} tokens of context, up to ${info.parallel} requests at once${info.kernel ? `, kernel ${info.kernel}` : ''}.`,
      zh: `${seconds} 秒后就绪：上下文 ${info.context} token，最多同时 ${info.parallel} 个请求${info.kernel ? `，内核 ${info.kernel}` : ''}。`,
    })
  }
}

export function chosenText({ model, reference, reason }: StarterChoice): Localized {
  const name = model?.name ?? reference
  return { en: `Model: ${name} – ${reason.en}.`, zh: `模型：${name}，${reason.zh}。` }
}

async function useRunning(address: string, pid: number, context: CommandContext): Promise<void> {
  const { output, config, positionals } = context
  output.note({ en: `A bendi server (pid ${pid}) already runs here.`, zh: `bendi 服务已在运行（pid ${pid}）。` })
  const wanted = positionals['MODEL'] ?? config.model
  const backend = serverBackend(address, output.language)
  const model = wanted === undefined ? undefined : await ensureModel(wanted, context, backend)
  if (model) await backend.startDeployment({ model: model.name, keepAlive: -1 }, context.signal)
  const name = model?.name ?? 'default'
  await announce({ address, model: name, pid }, name, context)
}

interface Announced {
  address: string
  model: string
  pid: number
}

/** `modelInExample` is how the line to try names the model. */
async function announce(server: Announced, modelInExample: string, context: CommandContext): Promise<void> {
  if (context.signal.aborted) throw new AppError('cancelled')
  const { output } = context
  output.result(server)
  if (!output.json) printAddress(server.address, modelInExample, context)
  await open(server.address, context)
}

export const STOP_HINT: Localized = { en: 'Ctrl-C stops it.', zh: '按 Ctrl-C 停止。' }

/** Where it is, and a line to try it; `model` as that line names it. */
export function printAddress(address: string, model: string, { output }: CommandContext): void {
  output.line('')
  output.line(`  ${output.bold(address)}`)
  output.line('')
  output.line(`  curl ${address}/v1/chat/completions -H 'Content-Type: application/json' \\`)
  output.line(
    `    -d '{"model": ${JSON.stringify(model).replaceAll("'", String.raw`\u0027`)}, "messages": [{"role": "user", "content": "${output.say({ en: 'Hello!', zh: '你好！' })}"}]}'`,
  )
  output.line('')
}

async function open(address: string, { config, io, output, services }: CommandContext): Promise<void> {
  if (!config.open || output.json || !hasDesktop({ env: io.env, platform: io.platform, isTty: io.isTty.stdout })) return
  await (services.openBrowser ?? openBrowser)(address)
}
