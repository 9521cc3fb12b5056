/** `bendi run`: ask a model, once or in a conversation. */
import path from 'node:path'
import { addAbortSignal } from 'node:stream'
import type { Readable } from 'node:stream'
import { GenerateRequestSchema, SamplingSchema } from '../../shared/generate.ts'
import type { Message } from '../../shared/generate.ts'
import { AppError } from '../../shared/errors.ts'
import { answerResult, statsText, streamAnswer } from '../answer.ts'
import type { Backend } from '../backend.ts'
import type { ChatRequest } from '../chat.ts'
import { startConversation } from '../conversation.ts'
import { ENGINE_SETTINGS, NETWORK_SETTINGS, defineCommand } from '../command.ts'
import type { CommandContext, FlagTable } from '../command.ts'
import { connect, openLocalPlatform, runningServer } from '../connect.ts'
import { ensureModel } from '../ensure-model.ts'
import { inOrder } from '../in-order.ts'
import { localBackend } from '../local-backend.ts'
import { readPromptFile } from '../prompt-file.ts'
import { safeText } from '../safe-text.ts'
import { serverBackend } from '../server-backend.ts'
import { chosenText } from './up.ts'

const flags = {
  system: { type: 'text', description: { en: 'System message', zh: '系统消息' } },
  temperature: {
    type: 'number',
    description: { en: 'Randomness; 0 = always the likeliest token', zh: '随机性；0 表示总取最可能的 token' },
  },
  topP: { type: 'number', description: { en: 'Only the likeliest tokens of this total probability', zh: '只取累计概率内的 token' } },
  seed: { type: 'number', description: { en: 'For answers that can be repeated', zh: '随机种子，用于复现回答' } },
  maxTokens: { type: 'number', description: { en: 'Tokens of an answer, at most', zh: '回答的 token 上限' } },
  inputFile: {
    type: 'text',
    value: 'FILE',
    description: { en: 'One prompt a line; several are answered at once, shown in order', zh: '每行一个提示；并行回答，按序输出' },
  },
  stats: { type: 'boolean', description: { en: 'Numbers after each answer', zh: '每次回答后显示统计' } },
} as const satisfies FlagTable

type RunContext = CommandContext<typeof flags>

export const run = defineCommand({
  name: 'run',
  summary: { en: 'Ask a model: a conversation, or one question', zh: '与模型对话，或提一个问题' },
  positionals: [
    {
      name: 'MODEL',
      description: { en: "Absent = the server's, or one chosen for this machine", zh: '不指定则用服务的默认模型，或为本机选择' },
    },
    { name: 'PROMPT', rest: true, description: { en: 'The question; text on stdin is appended', zh: '问题；标准输入的文本会附加其后' } },
  ],
  flags,
  settings: ['model', ...ENGINE_SETTINGS, ...NETWORK_SETTINGS],
  examples: [
    'bendi run',
    'bendi run deepseek-r1:1.5b "Why is the sky blue?"',
    'cat notes.txt | bendi run default "Summarise:"',
    'bendi run default --input-file prompts.txt --json',
  ],
  run: runRun,
})

async function runRun(context: RunContext): Promise<void> {
  checkNumbers(context)
  const prompts = await readPrompts(context)
  const { backend, model } = await chooseModel(context)
  try {
    if (prompts === undefined)
      await startConversation({ context, backend, base: requestOf(context, model, []), showsStats: context.flags.stats })
    else if (prompts.length > 1) await answerMany(prompts, backend, model, context)
    else for (const prompt of prompts) await answerOnce(prompt, backend, model, context)
  } finally {
    await backend.close()
  }
}

const NUMBERS = [
  ['temperature', '--temperature', SamplingSchema.shape.temperature, '0 … 100'],
  ['topP', '--top-p', SamplingSchema.shape.topP, '0 … 1'],
  ['seed', '--seed', SamplingSchema.shape.seed, '0 … 4294967295'],
  ['maxTokens', '--max-tokens', GenerateRequestSchema.shape.maxTokens, '0 …'],
] as const

/** Before a model is loaded for nothing. Throws `usage`. */
function checkNumbers({ flags: given, output }: RunContext): void {
  for (const [name, flag, schema, range] of NUMBERS) {
    const value = given[name]
    if (schema.safeParse(value).success) continue
    const reason = { en: `${flag}: ${value} is not usable here; expected ${range}.`, zh: `${flag}：${value} 不可用；应为 ${range}。` }
    throw new AppError('usage', { reason: output.say(reason) })
  }
}

/** Undefined = a conversation. */
async function readPrompts(context: RunContext): Promise<string[] | undefined> {
  const { flags: given, positionals, io } = context
  if (given.inputFile !== undefined) return readPromptFile(path.resolve(io.cwd, given.inputFile), context.output)
  const piped = io.isTty.stdin ? '' : await readAll(io.stdin, context.signal)
  const parts = [positionals['PROMPT'] ?? '', piped].filter((part) => part.trim() !== '')
  if (parts.length > 0) return [parts.join('\n\n')]
  if (io.isTty.stdin) return undefined
  throw new AppError('empty-prompt')
}

/** Aborting ends the wait for a writer that never closes its end; throws `cancelled` then. */
async function readAll(input: Readable, signal: AbortSignal): Promise<string> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of addAbortSignal(signal, input)) pieces.push(Buffer.from(piece as Uint8Array))
  } catch (error) {
    throw signal.aborted ? new AppError('cancelled') : error
  }
  return Buffer.concat(pieces).toString('utf8')
}

async function chooseModel(context: RunContext): Promise<{ backend: Backend; model: string }> {
  const wanted = context.positionals['MODEL'] ?? context.config.model
  const server = await runningServer(context)
  if (server) return chooseOnServer(serverBackend(server.address, context.output.language), wanted, context)
  return chooseHere(wanted, context)
}

async function chooseOnServer(
  backend: Backend,
  wanted: string | undefined,
  context: RunContext,
): Promise<{ backend: Backend; model: string }> {
  if (wanted === undefined || wanted === 'default') return { backend, model: 'default' }
  return { backend, model: (await ensureModel(wanted, context, backend)).name }
}

/** Without a server: a platform of this process alone. Only a download needs the data folder for itself. */
async function chooseHere(wanted: string | undefined, context: RunContext): Promise<{ backend: Backend; model: string }> {
  const { output, signal } = context
  const platform = await openLocalPlatform(context)
  const backend = localBackend(platform)
  try {
    const choice = await platform.chooseStarter(wanted === 'default' ? undefined : wanted, signal)
    if (wanted === undefined) output.note(chosenText(choice))
    const model = choice.model ?? (await ensureModel(choice.reference, context, backend, () => connect(context, 'write')))
    await backend.startDeployment({ model: model.name, keepAlive: -1 }, signal)
    return { backend, model: model.name }
  } catch (error) {
    await backend.close()
    throw error
  }
}

async function answerOnce(prompt: string, backend: Backend, model: string, context: RunContext): Promise<void> {
  const { output, io, signal, flags: given } = context
  const request = requestOf(context, model, [{ role: 'user', content: prompt }])
  const answer = await streamAnswer(request, { backend, output, isShown: !output.json, showsThoughts: io.isTty.stdout, signal })
  if (signal.aborted) throw new AppError('cancelled')
  output.result(answerResult(prompt, model, answer))
  if (given.stats) output.note(statsText(answer))
}

/** As many at once as the engine runs: its batches are where the speed is. Shown whole and in order. */
async function answerMany(prompts: readonly string[], backend: Backend, model: string, context: RunContext): Promise<void> {
  const { output, signal, flags: given } = context
  await inOrder(prompts, {
    parallel: await parallelOf(backend, model, context),
    signal,
    work: async (prompt, either) => {
      const request = requestOf(context, model, [{ role: 'user', content: prompt }])
      const answer = await streamAnswer(request, { backend, output, isShown: false, showsThoughts: false, signal: either })
      if (either.aborted) throw new AppError('cancelled')
      return { prompt, answer }
    },
    take: ({ prompt, answer }) => {
      output.result(answerResult(prompt, model, answer))
      if (!output.json) output.line(`${safeText(answer.text).trim()}\n`)
      if (given.stats) output.note(statsText(answer))
    },
  })
}

/** For a model that is not loaded yet; what is too many waits in the engine's own queue. */
const PARALLEL_GUESS = 8

async function parallelOf(backend: Backend, model: string, { config }: RunContext): Promise<number> {
  const deployments = await backend.listDeployments()
  const deployment = model === 'default' ? deployments[0] : deployments.find((each) => each.model === model)
  return deployment?.info?.parallel ?? config.parallel ?? PARALLEL_GUESS
}

function requestOf({ flags: given }: RunContext, model: string, messages: Message[]): ChatRequest {
  const system: Message[] = given.system === undefined ? [] : [{ role: 'system', content: given.system }]
  return {
    model,
    messages: [...system, ...messages],
    sampling: {
      ...(given.temperature === undefined ? {} : { temperature: given.temperature }),
      ...(given.topP === undefined ? {} : { topP: given.topP }),
      ...(given.seed === undefined ? {} : { seed: given.seed }),
    },
    ...(given.maxTokens === undefined ? {} : { maxTokens: given.maxTokens }),
  }
}
